package mysqlwire

import "bytes"

// StateType says what of a session changed.
type StateType uint8

const (
	StateSystemVariables StateType = iota
	StateSchema
	StateChanged
	StateGTIDs
	StateTransactionCharacteristics
	StateTransactionState
)

var stateTypeNames = [...]string{
	"SYSTEM_VARIABLES", "SCHEMA", "STATE_CHANGE", "GTIDS", "TRANSACTION_CHARACTERISTICS", "TRANSACTION_STATE",
}

func (t StateType) String() string {
	if int(t) < len(stateTypeNames) {
		return stateTypeNames[t]
	}
	return "state " + itoa(int(t))
}

// StateChange is one entry of the session state at the end of an OK.
type StateChange struct {
	Type      StateType
	Variables []StateVariable // StateSystemVariables
	// Text is the schema, "1" for StateChanged, the GTIDs, the SQL that would start the transaction
	// again, or its state in eight characters.
	Text string
	Data []byte // the entry as it came if its type or form is not known; nil otherwise
}

// StateVariable is a system variable and its new value.
type StateVariable struct{ Name, Value string }

// Schema is the current schema after this OK, if it says so.
func (m *OK) Schema() (name string, changed bool) {
	for _, s := range m.SessionState {
		if s.Type == StateSchema && s.Data == nil {
			name, changed = s.Text, true
		}
	}
	return name, changed
}

// TransactionState is the last state of the transaction this OK tells, "T_______" for example, or
// nothing.
func (m *OK) TransactionState() (state string, changed bool) {
	for _, s := range m.SessionState {
		if s.Type == StateTransactionState && s.Data == nil {
			state, changed = s.Text, true
		}
	}
	return state, changed
}

// Variable is what this OK sets a system variable to.
func (m *OK) Variable(name string) (value string, changed bool) {
	for _, s := range m.SessionState {
		for _, v := range s.Variables {
			if v.Name == name {
				value, changed = v.Value, true
			}
		}
	}
	return value, changed
}

// sessionState reads the entries and the length in front of them.
func (c *cursor) sessionState() []StateChange {
	defer c.group("session_state")()
	n := c.length("session_state_length")
	end := c.off + n
	var list []StateChange
	for c.err == nil && c.off < end {
		list = append(list, c.stateChange(end))
	}
	if c.off > end {
		c.fail("session state goes past its length")
	}
	return list
}

func (c *cursor) stateChange(end int) StateChange {
	s := StateChange{Type: StateType(c.uint8("type"))}
	c.note(s.Type.String)
	defer c.group(s.Type.String())()
	off := c.off
	data := c.lenencBytes("data")
	if c.err != nil || c.off > end {
		return s
	}
	if !s.parse(data) || !bytes.Equal(s.append(nil)[1:], c.b[off:c.off]) {
		return StateChange{Type: s.Type, Data: append([]byte{}, data...)}
	}
	c.note(s.show)
	return s
}

// parse reads the data of an entry whose Type is set.
func (s *StateChange) parse(data []byte) bool {
	c := cursor{b: data}
	switch s.Type {
	case StateSystemVariables:
		for c.left() > 0 {
			s.Variables = append(s.Variables, StateVariable{c.lenencText("name"), c.lenencText("value")})
		}
		if len(s.Variables) == 0 {
			return false
		}
	case StateGTIDs:
		c.tag("encoding", 0)
		s.Text = c.lenencText("gtids")
	case StateSchema, StateChanged, StateTransactionCharacteristics, StateTransactionState:
		s.Text = c.lenencText("text")
	default:
		return false
	}
	return c.done(KindOK) == nil
}

func (s *StateChange) show() string {
	if s.Type != StateSystemVariables {
		return showString([]byte(s.Text))
	}
	text := ""
	for i, v := range s.Variables {
		if i > 0 {
			text += ", "
		}
		text += v.Name + "=" + v.Value
	}
	return text
}

func (s *StateChange) append(dst []byte) []byte {
	data := s.Data
	if data == nil {
		switch s.Type {
		case StateSystemVariables:
			for _, v := range s.Variables {
				data = AppendLenencString(AppendLenencString(data, v.Name), v.Value)
			}
		case StateGTIDs:
			data = AppendLenencString([]byte{0}, s.Text)
		default:
			data = AppendLenencString(data, s.Text)
		}
	}
	return AppendLenencString(append(dst, byte(s.Type)), data)
}

func appendSessionState(dst []byte, list []StateChange) []byte {
	var all []byte
	for i := range list {
		all = list[i].append(all)
	}
	return AppendLenencString(dst, all)
}
