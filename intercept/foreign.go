package intercept

import (
	"bytes"
	"fmt"
)

// A protocolError is a packet of a login that cannot be one of MySQL's protocol.
type protocolError struct {
	head []byte // the first bytes, header included
	text string
}

func (e *protocolError) Error() string { return e.text + ": this is not MySQL's protocol" }

// headLen is how many bytes of such a packet are kept.
const headLen = 24

func foreign(head []byte, format string, args ...any) error {
	return &protocolError{bytes.Clone(head[:min(len(head), headLen)]), fmt.Sprintf(format, args...)}
}

// Protocols that are taken for MySQL's.
const (
	foreignTLS   = "TLS"
	foreignHTTP  = "HTTP"
	foreignSSH   = "SSH"
	foreignProxy = "the PROXY protocol"
	foreignX     = "the X Protocol"
	foreignPG    = "PostgreSQL's protocol"
)

// foreigner names the protocol that head begins; "" when it is none of those that are often met here.
func foreigner(head []byte) string {
	for _, p := range []struct{ name, prefix string }{
		{foreignTLS, "\x16\x03"},
		{foreignTLS, "\x15\x03"}, // an alert
		{foreignHTTP, "GET "},
		{foreignHTTP, "POST "},
		{foreignHTTP, "HEAD "},
		{foreignHTTP, "PUT "},
		{foreignHTTP, "OPTIONS "},
		{foreignHTTP, "CONNECT "},
		{foreignHTTP, "HTTP/"},
		{foreignHTTP, "PRI * HTTP/2"},
		{foreignSSH, "SSH-"},
		{foreignProxy, "PROXY "},
		{foreignProxy, "\r\n\r\n\x00\r\nQUIT\n"},
		{foreignX, "\x05\x00\x00\x00\x0b\x08\x05\x1a\x00"}, // a server's first notice
		{foreignX, "\x01\x00\x00\x00\x02"},                 // a client that asks for capabilities
		{foreignPG, "\x00\x00\x00\x08\x04\xd2\x16\x2f"},    // it asks for TLS
	} {
		if bytes.HasPrefix(head, []byte(p.prefix)) {
			return p.name
		}
	}
	if len(head) >= 8 && string(head[:3]) == "\x00\x00\x00" && string(head[4:8]) == "\x00\x03\x00\x00" {
		return foreignPG
	}
	return ""
}

// noHello looks whether what comes is TLS's first record instead of a packet. Of many, the length taken for a
// packet's is one that a login may have, and the byte behind it its number: the rest would be waited for.
func (l *leg) noHello() error {
	if err := l.need(2); err != nil || string(l.unread()[:2]) != "\x16\x03" {
		return err
	}
	// A login would have a capability in the sixth byte that no client can do without (Protocol41).
	if err := l.need(6); err != nil || l.unread()[5] != 1 {
		return err
	}
	return foreign(l.unread(), "a record of TLS where a packet was due")
}
