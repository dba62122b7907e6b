package mysqlwire

import "encoding/binary"

// OK ends a command that has no rows. With End it ends the rows of a result set where DeprecateEOF
// is agreed.
type OK struct {
	End          bool // header 0xfe in place of 0x00
	AffectedRows uint64
	LastInsertID uint64
	Status       Status
	Warnings     uint16
	Info         string
	SessionState []StateChange // left out where SessionTrack is not agreed
	Rest         []byte
	form         okForm
}

// okForm is how far a decoded OK went behind its warnings.
type okForm uint8

const (
	okShortest okForm = iota // not decoded: as short as the fields allow
	okBare                   // no info
	okInfo
	okInfoToEnd // no length in front of the info
	okState
)

func (m *OK) Kind() Kind                           { return KindOK }
func (m *OK) Decode(src []byte, cx *Context) error { *m = OK{}; return decode(m, src, cx) }
func (m *OK) fromServer()                          {}

func (m *OK) decode(c *cursor, cx *Context) {
	if h, _ := c.peek(); h == 0xfe {
		m.End = true
		c.tag("header", 0xfe)
	} else {
		c.tag("header", 0x00)
	}
	m.AffectedRows = c.lenenc("affected_rows")
	m.LastInsertID = c.lenenc("last_insert_id")
	m.Status = Status(c.uint16("status_flags"))
	c.note(m.Status.String)
	m.Warnings = c.uint16("warnings")
	m.form = okBare
	if c.left() == 0 {
		return
	}
	if !cx.has(SessionTrack) {
		// The documentation has the info run to the end; servers put its length in front.
		m.form = okInfoToEnd
		if n, head, ok := ReadLenenc(c.b[c.off:]); ok && n == uint64(c.left()-head) {
			m.form = okInfo
			m.Info = c.lenencResult("info")
		} else {
			m.Info = c.restText("info")
		}
		return
	}
	m.form = okInfo
	m.Info = c.lenencResult("info")
	if m.Status.Has(StatusSessionStateChanged) && c.left() > 0 {
		m.form = okState
		m.SessionState = c.sessionState()
	}
	m.Rest = c.rest("rest")
}

func (m *OK) Encode(dst []byte, cx *Context) ([]byte, error) {
	header, status, form := byte(0x00), m.Status, m.form
	if m.End {
		header = 0xfe
	}
	tracked := cx.has(SessionTrack)
	if tracked && len(m.SessionState) > 0 {
		status |= StatusSessionStateChanged
	}
	changed := status.Has(StatusSessionStateChanged)
	switch {
	case !tracked && form != okInfoToEnd:
		form = okBare
	case tracked && changed && (form == okShortest || len(m.SessionState) > 0):
		form = okState
	case tracked && (form == okShortest || form == okInfoToEnd):
		form = okBare
	case form == okState && !changed:
		form = okInfo
	}
	if form == okBare && (m.Info != "" || m.form == okInfo) {
		form = okInfo
	}
	if tracked && len(m.Rest) > 0 {
		form = max(form, okInfo)
	}

	dst = append(dst, header)
	dst = AppendLenenc(dst, m.AffectedRows)
	dst = AppendLenenc(dst, m.LastInsertID)
	dst = binary.LittleEndian.AppendUint16(dst, uint16(status))
	dst = binary.LittleEndian.AppendUint16(dst, m.Warnings)
	switch form {
	case okInfoToEnd:
		dst = append(dst, m.Info...)
	case okInfo:
		dst = AppendLenencString(dst, m.Info)
	case okState:
		dst = AppendLenencString(dst, m.Info)
		dst = appendSessionState(dst, m.SessionState)
	}
	return append(dst, m.Rest...), nil
}
