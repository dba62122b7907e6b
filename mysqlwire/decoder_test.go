package mysqlwire

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"strings"
	"testing"

	"mydbg/mysqlwire/value"
)

// talk feeds a Decoder whole packets, notes included.
type talk struct {
	t   *testing.T
	d   Decoder
	seq uint8
}

func newTalk(t *testing.T, caps Caps, mariadb bool) *talk {
	k := &talk{t: t}
	k.d.Agree(caps|Protocol41, mariadb)
	k.d.Ready()
	return k
}

// say feeds lines like those of TestTracker.
func (k *talk) say(lines string) {
	k.t.Helper()
	for line := range strings.SplitSeq(strings.TrimSpace(lines), "\n") {
		dir, payload, _, _ := parseTurn(k.t, line)
		k.packet(dir, payload)
	}
}

func (k *talk) packet(dir Direction, payload []byte) {
	k.t.Helper()
	k.note(k.next(dir, payload), payload)
}

func (k *talk) next(dir Direction, payload []byte) Frame {
	k.t.Helper()
	f, err := k.d.Next(dir, Header{Len: len(payload), Seq: k.seq}, payload[:min(len(payload), HeadLen)])
	if err != nil {
		k.t.Fatal(err)
	}
	k.seq++
	if k.d.State() == StateIdle {
		k.seq = 0
	}
	return f
}

// note gives what is needed, and takes it away again.
func (k *talk) note(f Frame, payload []byte) {
	k.t.Helper()
	n := k.d.Need(f)
	if n > len(payload) || n < 0 {
		k.t.Fatalf("%s of %d bytes needs %d", f.Kind, len(payload), n)
	}
	if n > 0 {
		lent := bytes.Clone(payload[:n])
		k.d.Note(f, lent)
		clear(lent)
	}
}

const (
	prepare2    = "C 16 'select ?, ?'\nS 00 01 00 00 00 00 00 02 00 00 00 00\nS def\nS def\nS eof"
	executeHead = "17 01 00 00 00 00 01 00 00 00 "
)

func (k *talk) execute(hex string) *StmtExecute {
	k.t.Helper()
	_, payload, _, _ := parseTurn(k.t, "C "+hex)
	f := k.next(ToServer, payload)
	cx := k.d.ExecuteContext(payload)
	k.note(f, payload)
	after := k.d.ExecuteContext(payload)
	k.say("S ok")
	var m, m2 StmtExecute
	if err := m.Decode(payload, cx); err != nil {
		k.t.Fatal(err)
	}
	if err := m2.Decode(payload, after); err != nil || fmt.Sprint(m2) != fmt.Sprint(m) {
		k.t.Errorf("after Note it decodes to %v, %v; before to %v", m2, err, m)
	}
	return &m
}

func params(m *StmtExecute) string {
	var s []string
	for i := range m.Params {
		s = append(s, m.Params[i].Name+":"+m.Params[i].String())
	}
	return strings.Join(s, " ")
}

func TestDecoderKeepsBoundTypes(t *testing.T) {
	k := newTalk(t, 0, true)
	k.say(prepare2)
	if got, want := params(k.execute(executeHead+"00 01 03 00 fd 00 07 00 00 00 01 'a'")), ":7 :'a'"; got != want {
		t.Errorf("first execute has %q, want %q", got, want)
	}
	if got, want := params(k.execute(executeHead+"00 00 08 00 00 00 02 'bc'")), ":8 :'bc'"; got != want {
		t.Errorf("execute without types has %q, want %q", got, want)
	}
	if got, want := params(k.execute(executeHead+"00 01 01 80 01 00 ff 02")), ":255 :2"; got != want {
		t.Errorf("execute with new types has %q, want %q", got, want)
	}
	if got, want := params(k.execute(executeHead+"00 00 fe 03")), ":254 :3"; got != want {
		t.Errorf("execute without types has %q, want %q", got, want)
	}
	want := []Param{{Type: value.Tiny, Unsigned: true, Bound: true}, {Type: value.Tiny, Bound: true}}
	if got := k.d.Stmt(1).Params; fmt.Sprint(got) != fmt.Sprint(want) {
		t.Errorf("types %v, want %v", got, want)
	}
}

func TestDecoderForgetsNothingForAnUnreadableExecute(t *testing.T) {
	k := newTalk(t, 0, true)
	k.say(prepare2)
	k.execute(executeHead + "00 01 03 00 fd 00 07 00 00 00 01 'a'")
	before := fmt.Sprint(k.d.Stmt(1).Params)
	for _, cut := range []string{"17 01 00 00 00", executeHead, executeHead + "00", executeHead + "00 01 08", executeHead + "00 01 08 00 08"} {
		k.say("C " + cut + "\nS err")
	}
	if got := fmt.Sprint(k.d.Stmt(1).Params); got != before {
		t.Errorf("types %s, want %s", got, before)
	}
}

func TestDecoderReadsNamedParameterTypes(t *testing.T) {
	k := newTalk(t, QueryAttributes, false)
	k.say(prepare2)
	head := "17 01 00 00 00 08 01 00 00 00 "
	if got, want := params(k.execute(head+"03 00 01 03 00 00 fd 00 01 'n' 08 00 05 'trace' 07 00 00 00 01 'a' 0900000000000000")), ":7 n:'a' trace:9"; got != want {
		t.Errorf("execute has %q, want %q", got, want)
	}
	if got, want := params(k.execute(head+"02 00 00 08 00 00 00 01 'b'")), ":8 :'b'"; got != want {
		t.Errorf("execute without types has %q, want %q", got, want)
	}
	// Without the flag the count is there too, because there are parameters.
	k.execute(executeHead + "02 00 01 03 00 00 fd 00 00 07 00 00 00 01 'a'")
	if k.d.Stmt(1).Params[0].Type != value.Long {
		t.Errorf("types %v after an execute without the count's flag", k.d.Stmt(1).Params)
	}
	if got, want := params(k.execute(executeHead+"02 00 00 08 00 00 00 01 'b'")), ":8 :'b'"; got != want {
		t.Errorf("execute without types has %q, want %q", got, want)
	}
}

func TestDecoderMarksLongData(t *testing.T) {
	k := newTalk(t, 0, true)
	k.say(prepare2)
	long := "C 18 01 00 00 00 01 00 'data'\n"
	k.say(long + strings.TrimSpace(long))
	if got, want := params(k.execute(executeHead+"00 01 03 00 fc 00 07 00 00 00")), ":7 :long data"; got != want {
		t.Errorf("execute has %q, want %q", got, want)
	}
	if got, want := params(k.execute(executeHead+"00 00 07 00 00 00 01 'a'")), ":7 :'a'"; got != want {
		t.Errorf("next execute has %q, want %q", got, want)
	}
	k.say(long + "C 1a 01 00 00 00\nS ok")
	if got, want := params(k.execute(executeHead+"00 00 07 00 00 00 01 'b'")), ":7 :'b'"; got != want {
		t.Errorf("execute after a reset has %q, want %q", got, want)
	}
	k.say("C 18 01 00 00 00 63 00 'no such parameter'\nC 18 09 00 00 00 00 00 'no such statement'\nC 18 01")
}

func TestDecoderDoesNotKnowStatementsFromBefore(t *testing.T) {
	var none Decoder
	if cx := none.ExecuteContext(nil); cx.ParamsKnown || cx.Params != nil {
		t.Errorf("context %+v for no payload", cx)
	}
	k := newTalk(t, 0, true)
	m := k.execute(executeHead + "00 01 03 00 07 00 00 00")
	if m.Undecoded == nil || len(m.Params) > 0 {
		t.Errorf("got %+v, want all undecoded", m)
	}
}

func TestDecoderKnowsTheStatementPreparedLast(t *testing.T) {
	k := newTalk(t, MariaDBStmtBulkOperations, true)
	k.say(prepare2)
	payload := []byte{0x17, 0xff, 0xff, 0xff, 0xff}
	if got, want := k.d.SQL(KindStmtExecute, payload), "select ?, ?"; got != want {
		t.Errorf("text %q, want %q", got, want)
	}
	k.say("C fa ff ff ff ff 80 00 03 00 08 80 00 07 00 00 00 00 0900000000000000\nS ok")
	if got, want := fmt.Sprint(k.d.Stmt(1).Params), fmt.Sprint([]Param{{Type: value.Long, Bound: true}, {Type: value.LongLong, Unsigned: true, Bound: true}}); got != want {
		t.Errorf("types of a bulk execute %s, want %s", got, want)
	}
	k.say("C 16 'syntax'\nS err")
	if s := k.d.Stmt(LastStmtID); s != nil {
		t.Errorf("after a failed prepare the last one is %v", s)
	}
	k.say(prepare2 + "\nC 19 ff ff ff ff")
	if s := k.d.Stmt(LastStmtID); s != nil || len(k.d.Statements()) != 0 {
		t.Errorf("after its close the last one is %v of %v", s, k.d.Statements())
	}
}

func TestDecoderDropsStatements(t *testing.T) {
	for _, tt := range []struct {
		name, lines string
		left        int
	}{
		{"close", "C 19 01 00 00 00", 0},
		{"close of another", "C 19 02 00 00 00", 1},
		{"reset of the connection", "C 1f\nS ok", 0},
		{"reset of the connection that failed", "C 1f\nS err", 1},
		{"change of user", "C 11 'bob' 00 00 'shop' 00\nS fe 'p' 00 's'\nC 'x'\nS ok", 0},
	} {
		t.Run(tt.name, func(t *testing.T) {
			k := newTalk(t, SecureConnection, true)
			k.say(prepare2 + "\n" + tt.lines)
			if got := len(k.d.Statements()); got != tt.left || k.d.OpenStatements() != got {
				t.Errorf("%d statements left, want %d", got, tt.left)
			}
		})
	}
}

func TestDecoderFollowsSchemaAndUser(t *testing.T) {
	k := newTalk(t, SecureConnection|SessionTrack, true)
	k.d.SetUser("root")
	k.d.SetDB("lab")
	for _, tt := range []struct{ lines, user, db string }{
		{"C 0e\nS ok", "root", "lab"},
		{"C 02 'shop'\nS ok", "root", "shop"},
		{"C 02 'none'\nS err", "root", "shop"},
		{"C 0e\nS ok", "root", "shop"},
		{"C 03 ' use `a``b` ; '\nS ok", "root", "a`b"},
		{"C 03 'USE x y'\nS ok", "root", "a`b"},
		{"C 03 'user'\nS ok", "root", "a`b"},
		{"C 03 'use other'\nS err", "root", "a`b"},
		{"C 03 'do 1; use t'\nS 00 00 00 02 40 00 00 00 0c 05 03 02 '1x' 00 01 03 02 't'", "root", "a`b"}, // unreadable
		{"C 03 'do 1; use t'\nS 00 00 00 02 40 00 00 00 08 02 02 01 '1' 01 02 01 't'", "root", "t"},
		{"C 11 'bob' 00 00 'home' 00\nS err", "root", "t"},
		{"C 11 'bob' 00 00 'home' 00\nS 01 03\nS ok", "bob", "home"},
		{"C 1f\nS ok", "bob", "home"},
	} {
		k.say(tt.lines)
		if k.d.User() != tt.user || k.d.DB() != tt.db {
			t.Errorf("after %q: %q, %q; want %q, %q", tt.lines, k.d.User(), k.d.DB(), tt.user, tt.db)
		}
	}
}

func TestDecoderReadsSQL(t *testing.T) {
	k := newTalk(t, QueryAttributes, false)
	for _, tt := range []struct{ name, hex, want string }{
		{"query", "03 00 01 'select 1'", "select 1"},
		{"query with attribute", "03 01 01 00 01 fe 00 01 'n' 01 'v' 'select 2'", "select 2"},
		{"query that cannot be read", "03 05 01", ""},
		{"prepare", "16 'select ?'", "select ?"},
		{"execute of nothing known", "17 01 00 00 00", ""},
		{"ping", "0e", ""},
		{"nothing", "", ""},
	} {
		_, payload, _, _ := parseTurn(t, "C "+tt.hex)
		kind := KindQuery
		if len(payload) > 0 {
			kind = Command(payload[0]).Kind()
		}
		if got := k.d.SQL(kind, payload); got != tt.want {
			t.Errorf("%s: got %q, want %q", tt.name, got, tt.want)
		}
	}
}

func names(columns []Column) string {
	var s []string
	for _, c := range columns {
		s = append(s, c.Name)
	}
	return strings.Join(s, ",")
}

func column(name string) string {
	return fmt.Sprintf("S 03 'def' 00 00 00 %02x '%s' 00 0c 3f 00 01 00 00 00 08 81 00 00 00 00 00\n", len(name), name)
}

func TestDecoderKeepsColumns(t *testing.T) {
	const row = "S 00 00 01 00 00 00 00 00 00 00"
	execute := "C " + executeHead + "\n"
	prepare := "C 16 'select a'\nS 00 01 00 00 00 01 00 00 00 00 00 00\n" + column("p")
	for _, tt := range []struct {
		name  string
		caps  Caps
		keep  bool
		lines string
		want  string
	}{
		{"of the current result", DeprecateEOF, true, "C 03 'x'\nS 02\n" + column("a") + column("b") + "S 01 '1' 01 '2'", "a,b"},
		{"of no result unless asked", DeprecateEOF, false, "C 03 'x'\nS 02\n" + column("a") + column("b") + "S 01 '1' 01 '2'", ""},
		{"of the second result", DeprecateEOF, true, "C 03 'x'\nS 01\n" + column("a") + "S end8\nS 01\n" + column("b") + "S 01 '1'", "b"},
		{"of none before they are complete", DeprecateEOF, true, "C 03 'x'\nS 02\n" + column("a"), ""},
		{"of the prepare for a first execute without", DeprecateEOF | MariaDBCacheMetadata, false, prepare + execute + "S 01 00\n" + row, "p"},
		{
			"of an execute for the next one without", DeprecateEOF | MariaDBCacheMetadata, false,
			prepare + execute + "S 01 01\n" + column("e") + row + "\nS end\n" + execute + "S 01 00\n" + row, "e",
		},
		{
			"of a text query apart from the statement's", DeprecateEOF | MariaDBCacheMetadata, false,
			prepare + "C 03 'x'\nS 01 01\n" + column("q") + "S 01 '1'\nS end\n" + execute + "S 01 00\n" + row, "p",
		},
		{"of no other count", DeprecateEOF | MariaDBCacheMetadata, false, prepare + execute + "S 02 00\n" + row, ""},
		{
			"of a cursor", DeprecateEOF, false,
			prepare + "C 17 01 00 00 00 01 01 00 00 00\nS 01\n" + column("c") + "S end40\nC 1c 01 00 00 00 02 00 00 00\n" + row, "c",
		},
	} {
		t.Run(tt.name, func(t *testing.T) {
			k := newTalk(t, tt.caps, true)
			k.d.KeepColumns = tt.keep
			k.say(tt.lines)
			if got := names(k.d.Context().Columns); got != tt.want {
				t.Errorf("got %q, want %q", got, tt.want)
			}
		})
	}
}

func TestContextDoesNotChange(t *testing.T) {
	k := newTalk(t, DeprecateEOF, true)
	k.d.KeepColumns = true
	k.say("C 03 'x'\nS 01\n" + column("a"))
	cx := k.d.Context()
	if k.d.Context() != cx {
		t.Error("it was made twice")
	}
	k.say("S end\nC 17 01 00 00 00 00 01 00 00 00\nS 01\n" + column("b"))
	if got := names(cx.Columns); got != "a" || cx.Command != ComQuery {
		t.Errorf("context of the query became that of columns %q, %s", got, cx.Command)
	}
	if now := k.d.Context(); names(now.Columns) != "b" || now.Command != ComStmtExecute {
		t.Errorf("context of the execute has columns %q, %s", names(now.Columns), now.Command)
	}
}

func TestDecoderKeepsTypesThatMySQLExpects(t *testing.T) {
	for _, maria := range []bool{false, true} {
		k := newTalk(t, 0, maria)
		k.say(prepare2)
		want := []Param{{}, {}}
		if !maria {
			want = []Param{{Type: value.LongLong}, {Type: value.LongLong}}
		}
		if got := k.d.Stmt(1).Params; fmt.Sprint(got) != fmt.Sprint(want) {
			t.Errorf("MariaDB %v: parameters %v, want %v", maria, got, want)
		}
	}
}

func TestDecoderBoundsItsMemory(t *testing.T) {
	k := newTalk(t, DeprecateEOF|MariaDBCacheMetadata, true)
	prepare := func(id int, sql string, params, columns uint16) {
		k.packet(ToServer, append([]byte{0x16}, sql...))
		ok := binary.LittleEndian.AppendUint32([]byte{0}, uint32(id))
		ok = binary.LittleEndian.AppendUint16(binary.LittleEndian.AppendUint16(ok, columns), params)
		k.packet(ToClient, append(ok, 0, 0, 0))
		for range params {
			k.say("S def")
		}
		for range columns {
			c, _ := (&Column{Catalog: "def", Name: strings.Repeat("x", 1<<19)}).Encode(nil, nil)
			k.packet(ToClient, c)
		}
	}
	prepare(0, strings.Repeat("x", maxText+5), 0, 0)
	if s := k.d.Stmt(0); len(s.SQL) != maxText || !s.Cut {
		t.Errorf("text of %d bytes, cut %v", len(s.SQL), s.Cut)
	}
	for i := range maxTexts {
		prepare(i+1, "do 1", 0, 0)
		if i == 0 {
			continue
		}
		k.say("C 17 01 00 00 00 00 01 00 00 00\nS ok") // keeps the first one in use
	}
	if s := k.d.Stmt(0); s == nil || s.SQL != "" || s.Cut {
		t.Errorf("the oldest statement is %+v, want it without text", s)
	}
	prepare(maxTexts+1, "do 1", 0, 0)
	if s := k.d.Stmt(1); s.SQL == "" {
		t.Error("the text of a statement in use was forgotten")
	}
	for id := maxTexts + 2; id <= maxStatements+5; id++ {
		k.d.stmts.add(uint32(id), "", false, 0, 0)
	}
	if got := k.d.OpenStatements(); got != maxStatements {
		t.Errorf("%d statements, want %d", got, maxStatements)
	}
	for id := range 20 {
		k.d.stmts.add(uint32(id), "", false, 1<<16-1, 0)
	}
	if k.d.stmts.params > maxParams || k.d.Stmt(19) == nil {
		t.Errorf("%d parameters of %d statements", k.d.stmts.params, k.d.OpenStatements())
	}
	for id := range 12 {
		prepare(id, "select", 0, 1)
	}
	if k.d.stmts.definitions > maxDefinitions || k.d.Stmt(0).Columns != nil || k.d.Stmt(11).Columns == nil {
		t.Errorf("%d bytes of definitions; oldest %v, newest %v", k.d.stmts.definitions, k.d.Stmt(0).Columns != nil, k.d.Stmt(11).Columns != nil)
	}
}

func FuzzTracker(f *testing.F) {
	f.Add(uint64(0), true, []byte("\x05\x03doit\x87\x00\x00\x00\x02\x00\x00\x00"))
	f.Add(uint64(DeprecateEOF), true, []byte("\x04\x16dox\x8d\x00\x01\x00\x00\x00\x01\x00\x01\x00\x00\x00\x00\x81\x03\x81\x03"))
	f.Add(uint64(MariaDBCacheMetadata), false, []byte("\x83\x0a11\x05abcde\x87\x00\x00\x00\x02\x00\x00\x00"))
	f.Fuzz(func(t *testing.T, caps uint64, ready bool, script []byte) {
		script = script[:min(len(script), 1<<12)]
		d := Decoder{KeepColumns: true}
		d.Agree(Caps(caps), caps&1 != 0)
		if ready {
			d.Ready()
		}
		seq, failed, running := uint8(0), false, false
		for len(script) > 0 {
			// The top bit is the direction, the next one a full frame, the rest the length.
			b := script[0]
			payload := script[1:]
			payload = payload[:min(len(payload), int(b&0x3f))]
			script = script[1+len(payload):]
			h := Header{Len: len(payload), Seq: seq}
			if b&0x40 != 0 {
				h.Len = MaxFrame
			}
			fr, err := d.Next(Direction(b>>7), h, payload[:min(len(payload), HeadLen)])
			if failed && (err != nil || fr.Kind != KindOpaque || d.State() != StateOpaque) {
				t.Fatalf("after an error: %+v, %v, %s", fr, err, d.State())
			}
			failed = failed || err != nil
			if fr.Begins {
				running = true
			}
			if fr.Ends && !running {
				t.Fatalf("%+v ends what never began", fr)
			}
			if fr.Ends {
				running = false
			}
			if s := d.State(); s == StateIdle && !fr.More && running {
				t.Fatalf("idle in the middle of an exchange after %+v", fr)
			}
			n := d.Need(fr)
			if n < 0 || n > maxNote || n > h.Len {
				t.Fatalf("%+v needs %d bytes", fr, n)
			}
			d.Note(fr, payload)
			d.Context()
			d.ExecuteContext(payload)
			d.SQL(fr.Kind, payload)
			seq++
			if d.State() == StateIdle && !fr.More {
				seq = 0
			}
		}
	})
}
