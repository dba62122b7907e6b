package tlspair

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"os"
	"strings"
)

// Mode says when a leg uses TLS and what it verifies. The names are the values of the mysql
// client's --ssl-mode, and "mirror".
type Mode uint8

const (
	Mirror         Mode = iota // towards the server: TLS exactly when the client uses it
	Disabled                   // never
	Preferred                  // when the other side can
	Required                   // always
	VerifyCA                   // always, and the certificate's chain must be trusted
	VerifyIdentity             // always, and the certificate must be trusted and for that host
)

var modeNames = [...]string{"mirror", "disabled", "preferred", "required", "verify_ca", "verify_identity"}

// ParseMode reads a mode's name, in either case, with '_' or '-'.
func ParseMode(s string) (Mode, error) {
	name := strings.ReplaceAll(strings.ToLower(s), "-", "_")
	for m, known := range modeNames {
		if name == known {
			return Mode(m), nil
		}
	}
	return Mirror, fmt.Errorf("unknown TLS mode %q: use one of %s", s, strings.Join(modeNames[:], ", "))
}

func (m Mode) String() string {
	if int(m) < len(modeNames) {
		return modeNames[m]
	}
	return fmt.Sprintf("Mode(%d)", uint8(m))
}

// MarshalText and UnmarshalText let flags and configuration files carry a Mode.
func (m Mode) MarshalText() ([]byte, error) { return []byte(m.String()), nil }

// UnmarshalText is ParseMode.
func (m *Mode) UnmarshalText(text []byte) error {
	parsed, err := ParseMode(string(text))
	if err != nil {
		return err
	}
	*m = parsed
	return nil
}

// ErrNotOffered is the cause when TLS is required and the server cannot do it.
var ErrNotOffered = errors.New("the server does not offer TLS")

// Use decides whether the server leg uses TLS, given whether the client leg does and whether
// the server's greeting offers it.
func (m Mode) Use(clientTLS, offered bool) (bool, error) {
	switch m {
	case Disabled:
		return false, nil
	case Preferred:
		return offered, nil
	case Mirror:
		if !clientTLS {
			return false, nil
		}
	}
	if !offered {
		return false, &Error{
			Err:    fmt.Errorf("start TLS to the server, mode %s: %w", m, ErrNotOffered),
			Hint:   "use --backend-tls=preferred or --backend-tls=disabled",
			Reason: NotOffered,
		}
	}
	return true, nil
}

// ClientConfig returns the configuration for the server leg, nil if mode is Disabled.
//
// caFile holds the authorities to trust in VerifyCA and VerifyIdentity; without it the
// system's are. With Mirror a caFile means VerifyCA, as --ssl-ca alone does for the mysql
// client; Preferred and Required verify nothing. serverName is the host name or address of
// the server. clientCert and clientKey go together and may be empty.
func ClientConfig(mode Mode, caFile, serverName, clientCert, clientKey string) (*tls.Config, error) {
	if mode == Disabled {
		return nil, nil
	}
	// Verification is our own, below, or none is wanted.
	cfg := &tls.Config{MinVersion: tls.VersionTLS12, ServerName: serverName, InsecureSkipVerify: true}

	var roots *x509.CertPool // nil: the system's
	if caFile != "" {
		text, err := os.ReadFile(caFile)
		if err != nil {
			return nil, fmt.Errorf("read the server's authorities: %w", err)
		}
		roots = x509.NewCertPool()
		if !roots.AppendCertsFromPEM(text) {
			return nil, fmt.Errorf("read the server's authorities: %s: no certificate in it", caFile)
		}
	}
	switch {
	case mode == VerifyIdentity:
		if serverName == "" {
			return nil, errors.New("verify the server's identity: its host name is not known")
		}
		cfg.InsecureSkipVerify = false
		cfg.RootCAs = roots
	case mode == VerifyCA, mode == Mirror && caFile != "":
		cfg.VerifyConnection = func(s tls.ConnectionState) error { return verifyChain(s, roots) }
	}

	if (clientCert == "") != (clientKey == "") {
		return nil, errors.New("load the client certificate: certificate and key are both needed")
	}
	if clientCert != "" {
		cert, err := tls.LoadX509KeyPair(clientCert, clientKey)
		if err != nil {
			return nil, fmt.Errorf("load the client certificate: %s, %s: %w", clientCert, clientKey, err)
		}
		// Sent whatever authorities the server names: its refusal explains more than silence.
		cfg.GetClientCertificate = func(*tls.CertificateRequestInfo) (*tls.Certificate, error) { return &cert, nil }
	}
	return cfg, nil
}

// verifyChain is what crypto/tls does, without the host name.
func verifyChain(s tls.ConnectionState, roots *x509.CertPool) error {
	if len(s.PeerCertificates) == 0 {
		return errors.New("the server sent no certificate")
	}
	between := x509.NewCertPool()
	for _, cert := range s.PeerCertificates[1:] {
		between.AddCert(cert)
	}
	_, err := s.PeerCertificates[0].Verify(x509.VerifyOptions{Roots: roots, Intermediates: between})
	if err != nil {
		return &tls.CertificateVerificationError{UnverifiedCertificates: s.PeerCertificates, Err: err}
	}
	return nil
}
