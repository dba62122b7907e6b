package mysqlwire

import (
	"bytes"
	"testing"
)

// atRows is a tracker whose next frame is the first row of an answer.
func atRows(t *testing.T, caps Caps, command string) *Tracker {
	t.Helper()
	tr := &Tracker{}
	tr.Agree(caps, false)
	tr.Ready()
	for i, p := range []string{command, "\x01", "\x03def"} {
		dir := ToClient
		if i == 0 {
			dir = ToServer
		}
		if _, err := tr.Next(dir, Header{Len: len(p), Seq: uint8(i)}, []byte(p)); err != nil {
			t.Fatal(err)
		}
	}
	if tr.State() != StateRows {
		t.Fatalf("it is at %s", tr.State())
	}
	return tr
}

// TestRowsIsNext compares the tracker after Rows with one that was shown every frame.
func TestRowsIsNext(t *testing.T) {
	const text, binary = "\x03select 1", "\x17\x01\x00\x00\x00\x00\x01\x00\x00\x00"
	row := func(seq uint8, payload string) []byte {
		b, _ := AppendPacket(nil, []byte(payload), seq)
		return b
	}
	for _, tt := range []struct {
		name, command string
		caps          Caps
		frames        [][]byte
		rows          int
	}{
		{"text rows", text, DeprecateEOF, [][]byte{row(3, "\x01a"), row(4, "\xfb"), row(5, "\xfdlong"), row(6, "\xfe\x00\x00\x02\x00\x00\x00")}, 3},
		{"binary rows", binary, DeprecateEOF, [][]byte{row(3, "\x00\x00a"), row(4, "\x00\x00b"), row(5, "\xfe\x00\x00\x02\x00\x00\x00")}, 2},
		{"an error", text, DeprecateEOF, [][]byte{row(3, "\x01a"), row(4, "\xff\x16\x05#70100no")}, 1},
		{"a report of progress", text, DeprecateEOF | MariaDBProgress, [][]byte{row(3, "\xff\xff\xff\x01\x01\x02\x00\x00\x00\x00"), row(4, "\x01a")}, 0},
		{"a number left out", text, DeprecateEOF, [][]byte{row(3, "\x01a"), row(5, "\x01b")}, 1},
		{"an empty packet", text, DeprecateEOF, [][]byte{row(3, "")}, 0},
		{"no binary row", binary, DeprecateEOF, [][]byte{row(3, "\x00\x00a"), row(4, "\x01a")}, 1},
		{"a row of two frames", text, DeprecateEOF, [][]byte{row(3, "\x01a"), row(4, "\xfd"+string(make([]byte, MaxFrame)))}, 1},
		{"a row cut off", text, DeprecateEOF, [][]byte{row(3, "\x01a"), row(4, "\x01a")[:5]}, 1},
		{"a header cut off", text, DeprecateEOF, [][]byte{row(3, "\x01a"), {1, 0}}, 1},
	} {
		t.Run(tt.name, func(t *testing.T) {
			all := bytes.Join(tt.frames, nil)
			got, want := atRows(t, tt.caps, tt.command), atRows(t, tt.caps, tt.command)
			kind, n, rows := got.Rows(all)
			if rows != tt.rows || n != len(bytes.Join(tt.frames[:tt.rows], nil)) {
				t.Errorf("%d rows in %d bytes, want %d", rows, n, tt.rows)
			}
			for _, f := range tt.frames[:tt.rows] {
				shown, err := want.Next(ToClient, ParseHeader(f), f[HeaderLen:][:min(len(f)-HeaderLen, HeadLen)])
				if err != nil || shown.Kind != kind {
					t.Errorf("Next says %s, %v, Rows says %s", shown.Kind, err, kind)
				}
			}
			if *got != *want {
				t.Errorf("got %+v, want %+v", *got, *want)
			}
		})
	}
}

func FuzzRows(f *testing.F) {
	f.Add(false, []byte("\x01\x00\x00\x03a\x01\x00\x00\x04\xfb"))
	f.Add(true, []byte("\x02\x00\x00\x03\x00\x00\x01\x00\x00\x04\x00\xff"))
	f.Fuzz(func(t *testing.T, prepared bool, b []byte) {
		command := "\x03select 1"
		if prepared {
			command = "\x17\x01\x00\x00\x00\x00\x01\x00\x00\x00"
		}
		got, want := atRows(t, DeprecateEOF, command), atRows(t, DeprecateEOF, command)
		kind, n, rows := got.Rows(b)
		for off := 0; off < n; rows-- {
			h := ParseHeader(b[off:])
			payload := b[off+HeaderLen:][:h.Len]
			shown, err := want.Next(ToClient, h, payload[:min(h.Len, HeadLen)])
			if err != nil || shown.Kind != kind || shown.Ends {
				t.Fatalf("Next says %+v, %v, Rows says %s", shown, err, kind)
			}
			off += HeaderLen + h.Len
		}
		if rows != 0 || *got != *want {
			t.Fatalf("%d rows too many; got %+v, want %+v", rows, *got, *want)
		}
	})
}
