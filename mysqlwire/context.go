package mysqlwire

import "mydbg/mysqlwire/value"

// Context is what a decoder must know beyond the bytes. It is passed, never set.
type Context struct {
	Caps    Caps // agreed by both sides
	MariaDB bool
	Command Command  // what an answer's packet answers
	Columns []Column // of this result set, for rows
	Params  []Param  // of this statement, for COM_STMT_EXECUTE; nil when the statement is not known
	// ParamsKnown is false when the statement was prepared before anyone looked: an execute then
	// decodes up to its parameters and keeps them as bytes.
	ParamsKnown bool
	Texts
}

// Param is what is known of one parameter of a prepared statement before it is executed.
type Param struct {
	Type     value.Type
	Unsigned bool
	Bound    bool // Type comes from an execute; false until one carried types
	Long     bool // sent by COM_STMT_SEND_LONG_DATA: no bytes in the execute
}

func (cx *Context) has(c Caps) bool { return cx != nil && cx.Caps.Has(c) }
