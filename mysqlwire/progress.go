package mysqlwire

import (
	"encoding/binary"
	"fmt"
)

// Progress is MariaDB's report on a long statement. It looks like an ERR with code 0xffff and does
// not end the answer.
type Progress struct {
	Strings   uint8 // 1
	Stage     uint8 // from 1
	MaxStage  uint8
	Progress  uint32 // of this stage, in 1/1000 of a percent: 100000 is done
	StageName string
	Rest      []byte
}

func (m *Progress) Kind() Kind                           { return KindProgress }
func (m *Progress) Decode(src []byte, cx *Context) error { *m = Progress{}; return decode(m, src, cx) }
func (m *Progress) fromServer()                          {}

func (m *Progress) decode(c *cursor, _ *Context) {
	c.tag("header", 0xff)
	if code := c.uint16("error_code"); c.err == nil && code != 0xffff {
		c.failf("error_code is %d, want 65535", code)
	}
	m.Strings = c.uint8("strings")
	m.Stage = c.uint8("stage")
	m.MaxStage = c.uint8("max_stage")
	m.Progress = c.uint24("progress")
	c.note(func() string { return fmt.Sprintf("%d.%03d %%", m.Progress/1000, m.Progress%1000) })
	m.StageName = c.lenencText("stage_name")
	m.Rest = c.rest("rest")
}

func (m *Progress) Encode(dst []byte, _ *Context) ([]byte, error) {
	if m.Progress >= 1<<24 {
		return dst, fmt.Errorf("encode progress: %d does not fit three bytes", m.Progress)
	}
	dst = binary.LittleEndian.AppendUint16(append(dst, 0xff), 0xffff)
	dst = append(dst, m.Strings, m.Stage, m.MaxStage, byte(m.Progress), byte(m.Progress>>8), byte(m.Progress>>16))
	dst = AppendLenencString(dst, m.StageName)
	return append(dst, m.Rest...), nil
}
