package mysqlwire

import (
	"encoding/binary"
	"fmt"
	"strings"

	"mydbg/mysqlwire/value"
)

// LastStmtID stands for the statement prepared last, whose id the client does not know yet. MariaDB
// clients send it when they execute in the same write as they prepare.
const LastStmtID = 0xffffffff

// ExecFlags are the flags of a COM_STMT_EXECUTE.
type ExecFlags uint8

const (
	ExecCursorReadOnly          ExecFlags = 1
	ExecCursorForUpdate         ExecFlags = 2
	ExecCursorScrollable        ExecFlags = 4
	ExecParameterCountAvailable ExecFlags = 8
)

func (f ExecFlags) String() string {
	if f == 0 {
		return "NO_CURSOR"
	}
	var names []string
	for i, n := range [8]string{"CURSOR_READ_ONLY", "CURSOR_FOR_UPDATE", "CURSOR_SCROLLABLE", "PARAMETER_COUNT_AVAILABLE"} {
		if f>>i&1 == 0 {
			continue
		}
		if n == "" {
			n = "bit " + itoa(i)
		}
		names = append(names, n)
	}
	return strings.Join(names, " ")
}

// StmtExecute is COM_STMT_EXECUTE. Its parameters can only be read with the statement's from the
// context.
type StmtExecute struct {
	StmtID     uint32
	Flags      ExecFlags
	Iterations uint32 // 1
	// Params are the statement's parameters, then query attributes if there are any.
	Params []ExecParam
	// NewParamsBound says that the types are sent. If not, the server uses those of the last execute
	// of this statement that sent them.
	NewParamsBound bool
	// Undecoded is all after Iterations when the context does not know the statement. Params is empty then.
	Undecoded []byte
	Rest      []byte
}

func (m *StmtExecute) Kind() Kind { return KindStmtExecute }
func (m *StmtExecute) Decode(src []byte, cx *Context) error {
	*m = StmtExecute{}
	return decode(m, src, cx)
}
func (m *StmtExecute) fromClient() {}

// WithParam is a copy in which parameter i (from 0) has type t and value v; nil is NULL. Types are
// sent. The server uses them for later executes that send none, so those need WithTypes, or their
// values are misread.
func (m *StmtExecute) WithParam(i int, t value.Type, unsigned bool, v value.Value) (*StmtExecute, error) {
	if i < 0 || i >= len(m.Params) {
		return nil, fmt.Errorf("set parameter %d: statement has %d known ones", i+1, len(m.Params))
	}
	p, err := NewExecParam(m.Params[i].Name, t, unsigned, v)
	if err != nil {
		return nil, fmt.Errorf("set parameter %d: %w", i+1, err)
	}
	e := *m
	e.Params = append([]ExecParam(nil), m.Params...)
	e.Params[i] = p
	e.NewParamsBound = true
	return &e, nil
}

// WithTypes is a copy that sends the types it has, or m itself if it does so already. Nothing is
// changed when the parameters could not be decoded.
func (m *StmtExecute) WithTypes() *StmtExecute {
	if m.NewParamsBound || len(m.Params) == 0 {
		return m
	}
	e := *m
	e.NewParamsBound = true
	return &e
}

// hasCount reports whether the number of parameters is sent. The flag only matters where the
// statement has none: MySQL 9.7 refuses an execute with parameters and no count.
func (m *StmtExecute) hasCount(cx *Context, params int) bool {
	return cx.has(QueryAttributes) && (params > 0 || m.Flags&ExecParameterCountAvailable != 0)
}

func (m *StmtExecute) decode(c *cursor, cx *Context) {
	c.command(ComStmtExecute)
	m.StmtID = c.uint32("statement_id")
	m.Flags = ExecFlags(c.uint8("flags"))
	c.note(m.Flags.String)
	m.Iterations = c.uint32("iteration_count")
	if cx == nil || !cx.ParamsKnown {
		m.Undecoded = c.rest("parameters")
		if m.Undecoded == nil {
			m.Undecoded = []byte{} // not the same as no parameters, which have a count
		}
		return
	}
	n := len(cx.Params)
	if m.hasCount(cx, n) {
		n = c.paramCount()
		if n < len(cx.Params) {
			c.failf("parameter_count is %d, statement has %d", n, len(cx.Params))
			return
		}
	}
	m.Params, m.NewParamsBound = c.execParams(n, cx.has(QueryAttributes), cx.Params)
	m.Rest = c.rest("rest")
}

func (m *StmtExecute) Encode(dst []byte, cx *Context) ([]byte, error) {
	dst = append(dst, byte(ComStmtExecute))
	dst = binary.LittleEndian.AppendUint32(dst, m.StmtID)
	dst = append(dst, byte(m.Flags))
	dst = binary.LittleEndian.AppendUint32(dst, m.Iterations)
	if m.Undecoded != nil {
		return append(dst, m.Undecoded...), nil
	}
	if m.hasCount(cx, len(m.Params)) {
		dst = AppendLenenc(dst, uint64(len(m.Params)))
	}
	dst = appendExecParams(dst, m.Params, m.NewParamsBound, cx.has(QueryAttributes))
	return append(dst, m.Rest...), nil
}
