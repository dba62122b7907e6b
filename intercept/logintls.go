package intercept

import (
	"context"
	"crypto/tls"
	"errors"

	"mydbg/intercept/tlspair"
	"mydbg/mysqlwire"
)

// startClientTLS has the client leg go on with TLS, after the client's request.
func (s *session) startClientTLS(ctx context.Context) error {
	s.attempt.at(StepClientTLS)
	l := s.client
	authority, conf, err := s.proxy.clientTLS(l.conn)
	if err != nil {
		return refuse(codeNoTLS, "08S01", "TLS: %w", err)
	}
	s.attempt.caFile = authority.CAFile()
	tc, err := authority.Server(ctx, l.conn, conf, l.unread())
	if err != nil {
		var e *tlspair.Error
		if errors.As(err, &e) && e.Reason == tlspair.BadCertificate {
			s.proxy.askNoCert.Store(true) // the next time it gets in
		}
		return err
	}
	l.r, l.w = 0, 0
	s.secured(l, tc)
	state := tc.ConnectionState()
	s.conn.change(func(i *ConnInfo) {
		i.ClientTLS, i.ClientCert = tls.VersionName(state.Version), certificateOf(&state)
	})
	return nil
}

// serverTLS starts TLS on the server leg if it should have it.
func (s *session) serverTLS(ctx context.Context, login []byte, g *mysqlwire.Greeting) (bool, error) {
	s.attempt.at(StepServerTLS)
	use, err := s.proxy.o.BackendTLS.Use(s.conn.Info().ClientTLS != "", g.Caps.Has(mysqlwire.SSL))
	if err != nil {
		return false, &refusal{code: codeNoTLS, state: "08S01", err: err}
	}
	if !use {
		return false, nil
	}
	conf, err := s.proxy.backendTLS(s.conn.Info().Backend)
	if err != nil {
		return false, refuse(codeNoTLS, "08S01", "TLS to the server: %w", err)
	}
	own := conf.GetClientCertificate
	conf.GetClientCertificate = func(r *tls.CertificateRequestInfo) (*tls.Certificate, error) {
		s.attempt.certWanted, s.attempt.certSent = true, own != nil
		if own == nil {
			return &tls.Certificate{}, nil // none
		}
		return own(r)
	}
	// An SSLRequest is the first 32 bytes of the login.
	request := append([]byte(nil), login[:32]...)
	setSSL(request, true)
	if err := s.server.writePacket(request); err != nil {
		return false, s.left(s.server, err)
	}
	tc, err := tlspair.Client(ctx, s.server.conn, conf)
	if err != nil {
		return false, &refusal{code: codeNoTLS, state: "08S01", err: err}
	}
	s.secured(s.server, tc)
	state := tc.ConnectionState()
	s.conn.change(func(i *ConnInfo) {
		s.link.tls = tls.VersionName(state.Version)
		i.ServerTLS, i.ServerCert = s.link.tls, certificateOf(&state)
	})
	return true, nil
}

// secured has a leg go on with TLS, and its end be told to the other side.
func (s *session) secured(l *leg, tc *tls.Conn) {
	instead := s.socks.replace(l.conn, tc)
	l.conn = tc
	if l == s.server {
		s.link.raw = instead
	}
}

// certificateOf is the certificate that the other side presented; nil if it has none.
func certificateOf(s *tls.ConnectionState) *Certificate {
	if len(s.PeerCertificates) == 0 {
		return nil
	}
	c := s.PeerCertificates[0]
	return &Certificate{Subject: c.Subject.String(), Issuer: c.Issuer.String(), NotAfter: c.NotAfter}
}
