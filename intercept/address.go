package intercept

import (
	"fmt"
	"net"
	"strings"
)

// splitAddress tells a TCP address from a Unix socket's: unix:/path or a bare /path.
func splitAddress(a string) (network, address string) {
	if path, ok := strings.CutPrefix(a, "unix:"); ok {
		return "unix", path
	}
	if strings.HasPrefix(a, "/") {
		return "unix", a
	}
	return "tcp", a
}

// ParseAddress checks an address and fills in what is missing: host defaults to 127.0.0.1, the
// port to defaultPort. Unix sockets are unix:/path or /path.
func ParseAddress(a string, defaultPort int) (string, error) {
	network, addr := splitAddress(a)
	if network == "unix" {
		if !strings.HasPrefix(addr, "/") {
			return "", fmt.Errorf("address %q: a Unix socket needs an absolute path, unix:/path", a)
		}
		return "unix:" + addr, nil
	}
	if !strings.Contains(addr, ":") || strings.HasSuffix(addr, "]") {
		addr = fmt.Sprintf("%s:%d", addr, defaultPort)
	}
	host, port, err := net.SplitHostPort(addr)
	if err != nil {
		return "", fmt.Errorf("address %q: want host:port, :port or unix:/path", a)
	}
	if _, err := net.LookupPort("tcp", port); err != nil {
		return "", fmt.Errorf("address %q: %q is not a port", a, port)
	}
	if host == "" {
		host = "127.0.0.1"
	}
	return net.JoinHostPort(host, port), nil
}
