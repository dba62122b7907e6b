package mysqlwire

import (
	"encoding/binary"
	"encoding/hex"
	"hash/crc32"
	"strings"
	"testing"
)

// event is the packet of a binlog event.
func event(t EventType, server, endPos uint32, flags uint16, data []byte) []byte {
	m := BinlogEvent{Timestamp: 1, Type: t, ServerID: server, Length: uint32(eventHeader + len(data)), EndPos: endPos, Flags: flags, Body: data}
	b, _ := m.Encode(nil, nil)
	return b
}

func TestEventHead(t *testing.T) {
	gtid := event(EventMariaDBGTID, 7, 900, 0, []byte{5, 0, 0, 0, 0, 0, 0, 0, 3, 0, 0, 0, 2})
	semi := append([]byte{0, semiSyncMagic, 1}, gtid[1:]...)
	for _, tt := range []struct {
		name   string
		packet []byte
		want   EventHead
		id     string
	}{
		{"MariaDB's transaction", gtid, EventHead{Type: EventMariaDBGTID, ServerID: 7, EndPos: 900, Data: 20}, "3-7-5"},
		{
			"with an acknowledgement asked for", semi,
			EventHead{Type: EventMariaDBGTID, ServerID: 7, EndPos: 900, SemiSync: true, AckWanted: true, Data: 22},
			"3-7-5",
		},
		{
			"MySQL's transaction", event(EventGTID, 1, 4, 0, append([]byte{1, 0xba, 0xb7, 0xd0, 0x56, 0xe5, 0x68, 0x11, 0xf1, 0x86, 0x7f, 0x02, 0xfc, 0, 0, 0, 1}, 9, 0, 0, 0, 0, 0, 0, 0)),
			EventHead{Type: EventGTID, ServerID: 1, EndPos: 4, Data: 20},
			"bab7d056-e568-11f1-867f-02fc00000001:9",
		},
		{"a transaction cut short", event(EventGTID, 1, 4, 0, []byte{1, 2}), EventHead{Type: EventGTID, ServerID: 1, EndPos: 4, Data: 20}, ""},
		{"made up", event(27, 1, 0, artificial, nil), EventHead{Type: 27, ServerID: 1, Flags: artificial, Data: 20}, ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			h, ok := ReadEventHead(tt.packet[:min(len(tt.packet), HeadLen)], len(tt.packet))
			if !ok || h != tt.want {
				t.Errorf("got %+v, %v, want %+v", h, ok, tt.want)
			}
			if id, _ := h.Transaction(tt.packet); id.String() != tt.id {
				t.Errorf("transaction %q, want %q", id, tt.id)
			}
		})
	}
	if h, ok := ReadEventHead(gtid[:19], 19); ok {
		t.Errorf("19 bytes are %+v", h)
	}
}

func TestRotationHasAChecksumOrNot(t *testing.T) {
	data := append(binary.LittleEndian.AppendUint64(nil, 4), "binlog.000002"...)
	plain := event(EventRotate, 1, 0, artificial, data)
	summed := event(EventRotate, 1, 0, artificial, append(data, 0, 0, 0, 0)) // the sum covers the length with it
	sum := crc32.ChecksumIEEE(summed[1 : len(summed)-4])
	summed = binary.LittleEndian.AppendUint32(summed[:len(summed)-4], sum)
	for _, p := range [][]byte{plain, summed} {
		h, _ := ReadEventHead(p[:HeadLen], len(p))
		if file, at, ok := h.Rotation(p); !ok || file != "binlog.000002" || at != 4 {
			t.Errorf("got %q at %d, %v", file, at, ok)
		}
	}
	h := EventHead{Type: EventRotate, Data: 20}
	if _, _, ok := h.Rotation(plain[:25]); ok {
		t.Error("a rotation without a position was read")
	}
}

func TestSemiSyncAckRoundTrip(t *testing.T) {
	src, _ := hex.DecodeString("ef04010000000000006c6f672e31")
	m, err := Decode(KindSemiSyncAck, src, nil)
	if err != nil {
		t.Fatal(err)
	}
	if ack, ok := m.(*SemiSyncAck); !ok || *ack != (SemiSyncAck{Position: 260, File: "log.1"}) {
		t.Errorf("got %+v", m)
	}
	if b, _ := m.Encode(nil, nil); string(b) != string(src) {
		t.Errorf("encoded %x, want %x", b, src)
	}
}

func TestEventsAreNamed(t *testing.T) {
	for i := range EventType(43) {
		if strings.HasPrefix(i.String(), "event ") {
			t.Errorf("MySQL's event %d has no name", i)
		}
	}
	for i := EventType(160); i < 172; i++ {
		if strings.HasPrefix(i.String(), "event ") {
			t.Errorf("MariaDB's event %d has no name", i)
		}
	}
}

// TestSetOptionChangesTheContext: what follows is decoded as the server now takes it.
func TestSetOptionChangesTheContext(t *testing.T) {
	var d Decoder
	d.Agree(Protocol41|MultiStatements, false)
	d.Ready()
	for _, step := range []struct {
		command, answer string
		want            bool
	}{
		{"1b0100", "fe00000200", false}, {"1b0000", "ff2804233432303030", false}, {"1b0000", "fe00000200", true}, {"1b0900", "fe00000200", true},
	} {
		for dir, text := range []string{step.command, step.answer} {
			p, err := hex.DecodeString(text)
			if err != nil {
				t.Fatal(err)
			}
			f, err := d.Next(Direction(dir), Header{Len: len(p), Seq: uint8(dir)}, p)
			if err != nil {
				t.Fatal(err)
			}
			if n := d.Need(f); n > 0 {
				d.Note(f, p[:n])
			}
		}
		if got := d.Context().Caps.Has(MultiStatements); got != step.want {
			t.Errorf("after %s, %s: multi-statements %v", step.command, step.answer, got)
		}
	}
}
