package script

import (
	"mydbg/mysqlwire"
)

// adapt says what each of a script's raw packets is, and gives the client what it agreed to: scripts
// make result sets in the form of MySQL 5.1, with an EOF behind definitions and rows and without the
// additions of later protocols. What does not look like such an answer stays as it is.
func adapt(payloads [][]byte, cmd mysqlwire.Command, cx *mysqlwire.Context) []mysqlwire.Packet {
	a := adapter{cx: cx, cmd: cmd}
	for _, p := range payloads {
		a.add(p)
	}
	return a.out
}

// adapter walks the packets of an answer.
type adapter struct {
	cx      *mysqlwire.Context
	cmd     mysqlwire.Command
	out     []mysqlwire.Packet
	columns uint64 // definitions still to come
	rows    bool   // rows come
	between bool   // the EOF between definitions and rows may come
}

func (a *adapter) put(k mysqlwire.Kind, p []byte) {
	a.out = append(a.out, mysqlwire.Packet{Kind: k, Payload: p})
}

func (a *adapter) add(p []byte) {
	switch {
	case a.columns > 0:
		a.columns--
		if a.between = a.columns == 0; a.between {
			a.rows = true
		}
		a.put(mysqlwire.KindColumn, a.again(&mysqlwire.Column{}, p))
	case a.rows:
		a.row(p)
	default:
		a.first(p)
	}
}

// first begins an answer or one of its further results.
func (a *adapter) first(p []byte) {
	switch {
	case len(p) == 0:
		a.put(mysqlwire.KindUnknown, p)
	case p[0] == 0x0a && a.cmd == mysqlwire.ComSleep && len(a.out) == 0 && len(p) > 30:
		a.put(mysqlwire.KindGreeting, p)
	case p[0] == 0x00 && a.cmd == mysqlwire.ComStmtPrepare && len(p) >= 12:
		a.put(mysqlwire.KindPrepareOK, p)
	case p[0] == 0x00:
		a.put(mysqlwire.KindOK, p)
	case p[0] == 0xff:
		a.put(mysqlwire.KindERR, p)
	case p[0] == 0xfe && len(p) < 9:
		a.put(mysqlwire.KindEOF, p)
	case p[0] == 0xfb:
		a.put(mysqlwire.KindLocalInfile, p)
	case a.cmd == mysqlwire.ComQuery || a.cmd == mysqlwire.ComStmtExecute || a.cmd == mysqlwire.ComProcessInfo:
		n, size, ok := mysqlwire.ReadLenenc(p)
		if !ok || size != len(p) || n > 4096 {
			a.put(mysqlwire.KindUnknown, p)
			return
		}
		a.columns = n
		if a.cx.Caps&(mysqlwire.OptionalResultsetMetadata|mysqlwire.MariaDBCacheMetadata) != 0 {
			p = encoded(&mysqlwire.ColumnCount{Count: n, Metadata: 1}, a.cx, p)
		}
		a.put(mysqlwire.KindColumnCount, p)
	default:
		a.put(mysqlwire.KindUnknown, p)
	}
}

// row handles a row, or the EOF before or behind the rows.
func (a *adapter) row(p []byte) {
	between := a.between
	a.between = false
	deprecated := a.cx.Caps.Has(mysqlwire.DeprecateEOF)
	switch {
	case len(p) > 0 && p[0] == 0xff:
		a.rows = false
		a.put(mysqlwire.KindERR, p)
	case len(p) == 0 || p[0] != 0xfe || len(p) > 5:
		k := mysqlwire.KindTextRow
		if a.cmd == mysqlwire.ComStmtExecute {
			k = mysqlwire.KindBinaryRow
		}
		a.put(k, p)
	case !deprecated:
		a.rows = between
		a.put(mysqlwire.KindEOF, p)
	case between: // not sent
	default:
		a.rows = false
		var eof mysqlwire.EOF
		if eof.Decode(p, nil) != nil {
			a.put(mysqlwire.KindEOF, p)
			return
		}
		end := &mysqlwire.OK{End: true, Status: eof.Status, Warnings: eof.Warnings}
		a.put(mysqlwire.KindOK, encoded(end, a.cx, p))
	}
}

// again writes a packet of the old form in the form that is agreed.
func (a *adapter) again(m mysqlwire.Message, p []byte) []byte {
	if !a.cx.Caps.Has(mysqlwire.MariaDBExtendedMetadata) {
		return p
	}
	plain := *a.cx
	plain.Caps &^= mysqlwire.MariaDBExtendedMetadata
	if m.Decode(p, &plain) != nil {
		return p
	}
	return encoded(m, a.cx, p)
}

// encoded is m, or else when that cannot be written.
func encoded(m mysqlwire.Message, cx *mysqlwire.Context, or []byte) []byte {
	if b, err := m.Encode(nil, cx); err == nil {
		return b
	}
	return or
}
