package mysqlwire

// Packet is one joined payload and what it is.
type Packet struct {
	Kind    Kind
	Payload []byte
}

// Answer is what a server sends for one command.
type Answer struct {
	Command Command
	Packets []Packet
	Partial bool // the rest was not kept
}

// OKAnswer is a single OK.
func OKAnswer(affected, id uint64, status Status, warnings uint16, info string) *Answer {
	ok := OK{AffectedRows: affected, LastInsertID: id, Status: status &^ StatusSessionStateChanged, Warnings: warnings, Info: info}
	payload, _ := ok.Encode(nil, nil)
	return &Answer{Packets: []Packet{{KindOK, payload}}}
}

// ERRAnswer is a single ERR. An empty state or message is that of the code, if it is known.
func ERRAnswer(code uint16, state, message string) *Answer {
	known, _ := ErrorByCode(code)
	if state == "" {
		state = known.SQLState
	}
	if len(state) != 5 {
		state = "HY000"
	}
	if message == "" {
		message = known.Message
	}
	payload, _ := (&ERR{Code: code, SQLState: state, Message: message}).Encode(nil, nil)
	return &Answer{Packets: []Packet{{KindERR, payload}}}
}

// AppendFrames appends all packets as frames numbered from seq, and returns the number after the
// last one.
func (a *Answer) AppendFrames(dst []byte, seq uint8) ([]byte, uint8) {
	for _, p := range a.Packets {
		dst, seq = AppendPacket(dst, p.Payload, seq)
	}
	return dst, seq
}

// withPackets is a copy with other packets.
func (a *Answer) withPackets(packets []Packet) *Answer {
	return &Answer{Command: a.Command, Packets: packets, Partial: a.Partial}
}

// WithMoreResults is the answer with MORE_RESULTS_EXISTS in its last packet, for another one to
// follow it. An answer that ends with an error, or with nothing that has a status, is returned as
// it is: nothing can follow.
func (a *Answer) WithMoreResults(cx *Context) *Answer {
	last := len(a.Packets) - 1
	if last < 0 || a.Packets[last].Kind != KindOK && a.Packets[last].Kind != KindEOF {
		return a
	}
	p, err := withStatus(a.Packets[last], cx, func(s Status) Status { return s | StatusMoreResultsExists })
	if err != nil {
		return a
	}
	return a.withPackets(append(a.Packets[:last:last], p))
}

// withStatus changes the status of an OK or EOF; other packets stay.
func withStatus(p Packet, cx *Context, change func(Status) Status) (Packet, error) {
	var m Message
	switch p.Kind {
	case KindOK:
		ok := &OK{}
		if err := ok.Decode(p.Payload, cx); err != nil {
			return p, err
		}
		ok.Status = change(ok.Status)
		m = ok
	case KindEOF:
		eof := &EOF{}
		if err := eof.Decode(p.Payload, cx); err != nil {
			return p, err
		}
		eof.Status = change(eof.Status)
		m = eof
	default:
		return p, nil
	}
	payload, err := m.Encode(nil, cx)
	return Packet{p.Kind, payload}, err
}

// WithCaps is an answer made without a Context, by OKAnswer or ERRAnswer, as a connection with these
// capabilities expects it.
func (a *Answer) WithCaps(caps Caps) *Answer {
	packets := make([]Packet, 0, len(a.Packets))
	for _, p := range a.Packets {
		if m, err := Decode(p.Kind, p.Payload, nil); err == nil {
			if e, isERR := m.(*ERR); isERR && !caps.Has(Protocol41) {
				e.SQLState = ""
			}
			if payload, err := m.Encode(nil, &Context{Caps: caps}); err == nil {
				p.Payload = payload
			}
		}
		packets = append(packets, p)
	}
	return a.withPackets(packets)
}

// WithColumns is an answer in which results without definitions have these: a client that has not
// seen the prepare answer they were in needs them.
func (a *Answer) WithColumns(cx *Context, columns []Column) (*Answer, error) {
	var packets []Packet
	for i, p := range a.Packets {
		var m ColumnCount
		if p.Kind == KindColumnCount {
			if err := m.Decode(p.Payload, cx); err != nil {
				return nil, err
			}
		}
		if p.Kind != KindColumnCount || m.Definitions() || m.Count != uint64(len(columns)) {
			if packets != nil {
				packets = append(packets, p)
			}
			continue
		}
		if packets == nil {
			packets = append(make([]Packet, 0, len(a.Packets)+len(columns)), a.Packets[:i]...)
		}
		var err error
		if packets, err = appendDefinitions(packets, cx, columns); err != nil {
			return nil, err
		}
	}
	if packets == nil {
		return a, nil
	}
	return a.withPackets(packets), nil
}

// Summary is an answer in numbers.
type Summary struct {
	Rows, Cols             int // of all result sets; of the widest
	Results                int // result sets and OKs
	Affected, LastInsertID uint64
	Warnings               uint16 // of the last result
	Status                 Status // of the last result
	Error                  *ERR   // nil without one
	Info                   string // of the last OK that has one
	Bytes                  int    // with frame headers
}

// Summary counts without reading rows. What it found before an error is returned with it.
func (a *Answer) Summary(cx *Context) (Summary, error) {
	var s Summary
	for _, p := range a.Packets {
		s.Bytes += HeaderLen*Frames(len(p.Payload)) + len(p.Payload)
		switch p.Kind {
		case KindTextRow, KindBinaryRow:
			s.Rows++
			continue
		case KindOK, KindEOF, KindERR, KindColumnCount:
		default:
			continue
		}
		m, err := Decode(p.Kind, p.Payload, cx)
		if err != nil {
			return s, err
		}
		s.add(m)
	}
	return s, nil
}

func (s *Summary) add(m Message) {
	switch m := m.(type) {
	case *OK:
		s.Status, s.Warnings = m.Status, m.Warnings
		if m.Info != "" {
			s.Info = m.Info
		}
		if m.End {
			return
		}
		s.Results++
		s.Affected += m.AffectedRows
		if m.LastInsertID != 0 {
			s.LastInsertID = m.LastInsertID
		}
	case *EOF:
		s.Status, s.Warnings = m.Status, m.Warnings
	case *ERR:
		s.Error = m
	case *ColumnCount:
		s.Results++
		s.Cols = max(s.Cols, int(min(m.Count, 1<<16)))
	}
}
