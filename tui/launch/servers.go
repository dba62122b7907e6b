package launch

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"strings"
	"time"

	"mydbg/intercept"
	"mydbg/intercept/proxyproto"
	"mydbg/intercept/tlspair"
	"mydbg/sessions/demo"
	"mydbg/sessions/serve"
	"mydbg/tui/cmdline"
)

// backends are the servers of the settings, the embedded one started where it is asked for.
func (s *Session) backends(ctx context.Context) (list []intercept.Backend, err error) {
	for i, address := range append(s.Backend[:len(s.Backend):len(s.Backend)], s.BackendRO...) {
		if address == "demo" {
			server, err := demo.Start(context.WithoutCancel(ctx), demo.Options{}) // it is closed after the proxy
			if err != nil {
				return nil, cmdline.Broken(err)
			}
			s.servers = append(s.servers, server)
			address = server.Addr()
		}
		if path, ok := strings.CutPrefix(address, "replay:"); ok {
			dial, err := s.recorded(path)
			if err != nil {
				return nil, err
			}
			list = append(list, intercept.Backend{Address: address, ReadOnly: i >= len(s.Backend), Dial: dial})
			continue
		}
		list = append(list, intercept.Backend{Address: address, ReadOnly: i >= len(s.Backend)})
	}
	return list, nil
}

// recorded makes a backend of a recording. Nothing but its clients needs TLS then.
func (s *Session) recorded(path string) (dial func(context.Context) (net.Conn, error), err error) {
	if s.ServeOptions.Log == nil {
		s.ServeOptions.Log = func(m serve.Miss) { s.proxy.Journal.Note(intercept.Warning, 0, 0, "%s", m.String()) }
	}
	server, r, err := s.Serve.OpenServer(path, s.ServeOptions)
	if err != nil {
		return nil, err
	}
	if s.BackendTLS == tlspair.Mirror {
		s.BackendTLS = tlspair.Disabled
	}
	s.readers, s.recordings = append(s.readers, r), append(s.recordings, server)
	return server.Dial, nil
}

// watch notes, until ctx ends, what a person waits for at first: whether the servers answer, and the
// certificate clients should trust once one uses TLS.
func (s *Session) watch(ctx context.Context) {
	for _, b := range s.proxy.Backends() {
		if b.Dial != nil { // it is in this process
			continue
		}
		s.goes(func() {
			if err := probe(ctx, b.Address, s.BackendProxyProtocol); err != nil && ctx.Err() == nil {
				s.proxy.Journal.Note(intercept.Warning, 0, 0, "server %s: %v. It is tried anew for each client; set it with --backend", b.Address, err)
			}
		})
	}
	s.goes(func() {
		for bell := s.proxy.Journal.Listen(); ; {
			for _, c := range s.proxy.Conns() {
				if c.ClientTLS == "" {
					continue
				}
				if file, err := s.proxy.CAFile(); err == nil {
					s.proxy.Journal.Note(intercept.Info, 0, 0, "clients use TLS. Those that verify certificates should trust %s", file)
				}
				return
			}
			select {
			case <-ctx.Done():
				return
			case <-bell:
			}
			select { // once a second is enough
			case <-ctx.Done():
				return
			case <-time.After(time.Second):
			}
		}
	})
}

// probe reports why clients will not get anywhere at address. To the server it is a client that leaves
// before its login, which is no harm once. header is the version of the PROXY header it expects, 0 for none.
func probe(ctx context.Context, address string, header int) error {
	network := "tcp"
	if path, ok := strings.CutPrefix(address, "unix:"); ok {
		network, address = "unix", path
	}
	ctx, cancel := context.WithTimeout(ctx, 5*time.Second)
	defer cancel()
	var d net.Dialer
	c, err := d.DialContext(ctx, network, address)
	if err != nil {
		return fmt.Errorf("%w (is it running?)", err)
	}
	defer c.Close()
	defer context.AfterFunc(ctx, func() { _ = c.Close() })()
	if header > 0 {
		h := proxyproto.Header{Version: header, Kind: proxyproto.Local}
		b, err := h.Append(nil)
		if err != nil {
			return err
		}
		if _, err := c.Write(b); err != nil {
			return fmt.Errorf("send it a PROXY header: %w", err)
		}
	}
	head := make([]byte, 5) // length, sequence number, first byte
	n, err := io.ReadFull(c, head)
	switch greets := head[3] == 0 && (head[4] == 10 || head[4] == 0xff); {
	case err == nil && greets:
		return nil
	case n == 0:
		return errors.New("it takes connections but sends no greeting (is it a MySQL server?)")
	}
	return fmt.Errorf("it does not greet as a MySQL server, but with %q", head[:n])
}
