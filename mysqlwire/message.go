package mysqlwire

import (
	"fmt"
	"strconv"
)

// A Message is the typed form of one payload.
type Message interface {
	Kind() Kind
	// Decode reads src, whose fields may alias it afterwards. Its error is a *DecodeError.
	Decode(src []byte, cx *Context) error
	// Encode appends the payload to dst. It fails when a field does not fit the context.
	Encode(dst []byte, cx *Context) ([]byte, error)

	decode(c *cursor, cx *Context)
}

// A ClientMessage is one that clients send.
type ClientMessage interface {
	Message
	fromClient()
}

// A ServerMessage is one that servers send.
type ServerMessage interface {
	Message
	fromServer()
}

// New returns an empty message of kind k; Unknown for kinds without a form of their own.
func New(k Kind) Message {
	if int(k) < len(makers) && makers[k] != nil {
		return makers[k]()
	}
	return &Unknown{}
}

// Decode reads payload as a message of kind k.
func Decode(k Kind, payload []byte, cx *Context) (Message, error) {
	m := New(k)
	if err := m.Decode(payload, cx); err != nil {
		return nil, err
	}
	return m, nil
}

// Field is one named part of a payload, with the bytes it came from.
type Field struct {
	Name     string
	Value    string // for a person, not sanitised; empty for a group
	Off, Len int    // bytes of the payload
	Children []Field
}

// Dissect returns the fields of a payload as Decode reads them. What decoded before an error is
// returned together with it.
func Dissect(k Kind, payload []byte, cx *Context) ([]Field, error) {
	c := cursor{b: payload, trace: &trace{}, cx: cx}
	New(k).decode(&c, cx)
	return c.trace.finish(len(payload)), c.done(k)
}

// DecodeError says which payload did not decode, and where.
type DecodeError struct {
	Kind Kind
	Off  int // byte of the payload
	Msg  string
}

func (e *DecodeError) Error() string {
	return fmt.Sprintf("decode %s: %s at byte %d", e.Kind, e.Msg, e.Off)
}

// Unknown is a payload nobody here can read.
type Unknown struct{ Data []byte }

func (m *Unknown) Kind() Kind                                    { return KindUnknown }
func (m *Unknown) Decode(src []byte, cx *Context) error          { return decode(m, src, cx) }
func (m *Unknown) Encode(dst []byte, _ *Context) ([]byte, error) { return append(dst, m.Data...), nil }
func (m *Unknown) decode(c *cursor, _ *Context)                  { m.Data = c.rest("data") }
func (m *Unknown) fromClient()                                   {}
func (m *Unknown) fromServer()                                   {}

func itoa(i int) string { return strconv.Itoa(i) }

func utoa(u uint64) string { return strconv.FormatUint(u, 10) }
