package wiretext

import (
	"bytes"
	"errors"
	"reflect"
	"regexp"
	"strings"
	"testing"

	"mydbg/mysqlwire"
)

const (
	toServer = mysqlwire.ToServer
	toClient = mysqlwire.ToClient
)

const login = `server: 10.11.19-MariaDB

S 0 HandshakeV10: 0a "5.5.5-10.11.19-MariaDB\x00" 01000000 6162636465666768 00 fef7 2d 0200 ff81 15 000000000000 1d000000
    "ijklmnopqrst\x00" "mysql_native_password\x00"
C 1 HandshakeResponse41: 00828a01 00000001 2d 00*23 "lab_empty\x00" 00 "mysql_native_password\x00"
S 2 OK: 00 00 00 0200 0000
C 0 COM_QUERY: 03 "select id, name from customers"
S 1 column count: 02
S 2 ColumnDefinition41: <"def"> <"lab"> <"customers"> <"customers"> <"id"> <"id"> 0c 3f00 0b000000 03 0342 00 0000
S 3 ColumnDefinition41: <"def"> <"lab"> <"customers"> <"customers"> <"name"> <"name"> 0c 2d00 90010000 fd 0110 00 0000
S 4 text row: <"1"> <"Ada \"\\\xff\n🙂">
S 5 text row: <"2"> null
S 6 text row: <"3"> <"x"*70000>
S 7 OK: fe 00 00 0200 0000
C 0 COM_PING: 0e
S 1 OK: 00 00 00 0200 0000
`

func parse(t *testing.T, text string) *Conversation {
	t.Helper()
	c, err := Parse(text)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func TestParseReadsEveryPiece(t *testing.T) {
	got := parse(t, `# a comment
server: 8.0.36
note: " two\x00 "
S 200 text row: <"a\"\\\n\r\t\x00é" ff> null 0aFF "b"*3 01*4 <> # "not this"
    "more"
  # nor this
    <
      "over" "lines">
C 0 COM_QUERY: ""`)
	want := New([]Fact{{"server", "8.0.36"}, {"note", " two\x00 "}},
		Packet{
			Dir: toClient, Seq: 200, Kind: mysqlwire.KindTextRow,
			Payload: []byte("\x0aa\"\\\n\r\t\x00é\xff\xfb\x0a\xffbbb\x01\x01\x01\x01\x00more\x09overlines"),
		},
		Packet{Kind: mysqlwire.KindQuery, Payload: []byte{}})
	if !reflect.DeepEqual(got, want) {
		t.Errorf("got  %+v\nwant %+v", got, want)
	}
}

func TestParseSaysWhichLineIsWrong(t *testing.T) {
	for _, tt := range []struct{ text, want string }{
		{"what", "line 1: neither a fact"},
		{"\n  0a", "line 2: goes on with a packet"},
		{"C 0 COM_PING: 0e\nserver: 1", "line 2: a fact after the first packet"},
		{"Bad Name: 1", `line 1: "Bad Name" is no name of a fact`},
		{"server: \"x", "line 1: server: \"x is not a quoted text"},
		{"capabilities: many", `line 1: capabilities: "many" is no number`},
		{"C 256 COM_PING: 0e", `line 1: "256" is no sequence number`},
		{"C COM_PING: 0e", `line 1: "COM_PING" is no sequence number`},
		{"C 0 COM_PONG: 0e", `line 1: "COM_PONG" is no kind`},
		{"C 0 COM_PING:", "line 1: the packet before has no payload"},
		{"C 0 COM_PING: 0e\nC 0 COM_PING: 0", `line 2: "0" is neither hex nor "text"`},
		{"C 0 COM_PING: ?", `line 1: "?" is neither hex nor "text"`},
		{"C 0 COM_PING: \"a", "line 1: text without closing quote"},
		{`C 0 COM_PING: "\`, "line 1: text without closing quote"},
		{`C 0 COM_PING: "\q"`, `line 1: \q is no escape`},
		{`C 0 COM_PING: "\x1"`, `line 1: \x wants two hex digits`},
		{"C 0 COM_PING: <0e", "line 1: a < of the packet before has no >"},
		{"C 0 COM_PING: <<", "line 1: < inside of <>"},
		{"C 0 COM_PING: >", "line 1: > without <"},
		{"C 0 COM_PING: 00*0", "line 1: *0: how many times?"},
		{"C 0 COM_PING: 00*2000000000", "line 1: more than 1073741824 bytes"},
		{"C 0 COM_PING: 00 ...", "line 1: ... after 1 bytes"},
		{"C 0 COM_PING: <...", "line 1: ... inside of <>"},
		{"C 0 COM_PING: ... 00", "line 1: a piece after the ..."},
	} {
		_, err := Parse(tt.text)
		var pe *ParseError
		if !errors.As(err, &pe) || !strings.HasPrefix(err.Error(), tt.want) {
			t.Errorf("%q: got %v, want %s", tt.text, err, tt.want)
		}
	}
}

func TestStringIsReadable(t *testing.T) {
	c := parse(t, login)
	text := c.String()
	for _, want := range []string{
		"server: 10.11.19-MariaDB\n\nS 0 HandshakeV10: 0a \"5.5.5-10.11.19-MariaDB\\x00\" 01000000 ",
		"\nC 0 COM_QUERY: 03 \"select id, name from customers\"\n",
		"\nS 1 column count: 02  # column_count=2\n",
		"\nS 2 ColumnDefinition41: <\"def\"> <\"lab\"> <\"customers\"> <\"customers\"> <\"id\"> <\"id\"> 0c 3f00 0b000000 03 0342 00 0000  # type=LONG, flags=",
		"type=LONG",
		"\nS 4 text row: <\"1\"> <\"Ada \\\"\\\\\" ff \"\\n🙂\">\n",
		"\nS 5 text row: <\"2\"> null\n",
		"\nS 6 text row: <\"3\"> <\"x\"*70000>\n",
	} {
		if !strings.Contains(text, want) {
			t.Errorf("%s is missing in\n%s", want, text)
		}
	}
	for line := range strings.SplitSeq(text, "\n") {
		if code, _, _ := strings.Cut(line, "  # "); len(code) > lineWidth+textPiece {
			t.Errorf("line of %d bytes: %s", len(code), line)
		}
	}
	if got := parse(t, text); !reflect.DeepEqual(got, c) {
		t.Errorf("it reads differently:\n%s", text)
	}
}

func TestExplainDerivesKinds(t *testing.T) {
	for e := range parse(t, login).Explain() {
		if e.Err != nil || e.Frame.Kind != e.Kind {
			t.Errorf("%s: derived %s, %v", e.Kind, e.Frame.Kind, e.Err)
		}
		if _, err := mysqlwire.Decode(e.Kind, e.Payload, e.Context); err != nil {
			t.Error(err)
		}
	}
	for e := range parse(t, "C 0 COM_PING: 0e").Explain() {
		if e.Err == nil {
			t.Error("a command before the greeting is explained")
		}
	}
	mid := parse(t, "server: MariaDB\ncapabilities: 0x1000200\nC 0 COM_QUERY: 03 \"do 1\"\nS 1 OK: 00 00 00 0200 0000")
	for e := range mid.Explain() {
		if e.Err != nil || e.Frame.Kind != e.Kind || !e.Context.MariaDB || !e.Context.Caps.Has(mysqlwire.DeprecateEOF) {
			t.Errorf("in the middle: %s, %v, %+v", e.Frame.Kind, e.Err, e.Context)
		}
	}
}

func TestFramesAreTheWire(t *testing.T) {
	c := New([]Fact{{FactCapabilities, "0x200"}},
		Packet{Dir: toServer, Seq: 0, Kind: mysqlwire.KindQuery, Payload: append([]byte{3}, bytes.Repeat([]byte("x"), mysqlwire.MaxFrame)...)},
		Packet{Dir: toClient, Seq: 2, Kind: mysqlwire.KindERR, Payload: []byte("\xff\x28\x04#08S01gone")},
		Packet{Dir: toServer, Seq: 255, Kind: mysqlwire.KindQuery, Payload: make([]byte, mysqlwire.MaxFrame), Cut: true},
		Packet{Dir: toServer, Seq: 255, Kind: mysqlwire.KindQuery, Payload: make([]byte, mysqlwire.MaxFrame)})
	var heads []mysqlwire.Header
	for _, f := range c.Frames(toServer) {
		h := mysqlwire.ParseHeader(f)
		if h.Len != len(f)-mysqlwire.HeaderLen {
			t.Errorf("frame of %d bytes has the length %d", len(f), h.Len)
		}
		heads = append(heads, h)
	}
	want := []mysqlwire.Header{{Len: mysqlwire.MaxFrame, Seq: 0}, {Len: 1, Seq: 1}, {Len: mysqlwire.MaxFrame, Seq: 255}, {Len: mysqlwire.MaxFrame, Seq: 255}, {Len: 0, Seq: 0}}
	if !reflect.DeepEqual(heads, want) {
		t.Errorf("got %v, want %v", heads, want)
	}
	if got := bytes.Join(c.Frames(toClient), nil); string(got) != "\x0d\x00\x00\x02\xff\x28\x04#08S01gone" {
		t.Errorf("got %q", got)
	}
	text := c.String()
	if len(text) > 600 {
		t.Errorf("three packets of 16 MiB take %d bytes of text", len(text))
	}
	if !reflect.DeepEqual(parse(t, text), c) {
		t.Errorf("it reads differently:\n%s", text)
	}
}

// seeds are conversations whose text has every form.
var seeds = []string{
	login, "", "a: \"\\x00\"\n", "C 0 COM_QUIT: 01", "C 1 LOCAL INFILE data: \"\"", "S 9 kind 200: ff00\"é\x80\"*20 <\"\">",
	"capabilities: 0x200\nC 0 COM_STMT_EXECUTE: 17 01000000 00 01000000", "S 1 binary row: 00 00 <61*300>",
	"C 0 COM_PING: 00*16777215 ...", "# only a comment", "x: 1\n\nS 0 opaque: \"=== ===\"*17 20*16 0a0a0a",
}

// large finds repetitions that would make a fuzzing process swap.
var large = regexp.MustCompile(`\*\d{6}`)

func FuzzParse(f *testing.F) {
	for _, s := range seeds {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, text string) {
		if large.MatchString(text) && !strings.Contains(text, "...") {
			t.Skip()
		}
		c, err := Parse(text)
		if err != nil {
			return
		}
		again, err := Parse(c.String())
		if err != nil {
			t.Fatalf("%v in\n%s", err, c)
		}
		if !reflect.DeepEqual(again, c) {
			t.Fatalf("got  %+v\nwant %+v\nfrom\n%s", again, c, c)
		}
	})
}

// FuzzString makes conversations of any bytes.
func FuzzString(f *testing.F) {
	f.Add("server", "10.11", uint8(mysqlwire.KindTextRow), uint8(3), []byte("\x01a\xfb\x02bc"), []byte{})
	f.Add("a b", " ", uint8(mysqlwire.KindGreeting), uint8(0), []byte("\x0a8.0.36\x00abcdefgh"), bytes.Repeat([]byte{7}, 40))
	f.Add("note", "\n\"", uint8(255), uint8(255), []byte("\xc3"), []byte("\"\\\r\t\u2028"))
	f.Fuzz(func(t *testing.T, name, value string, kind, seq uint8, a, b []byte) {
		if !factName(name) || name == FactCapabilities || name[0] == 'C' {
			t.Skip()
		}
		c := New([]Fact{{name, value}},
			Packet{Dir: toServer, Seq: seq, Kind: mysqlwire.Kind(kind), Payload: append([]byte{}, a...)},
			Packet{Dir: toClient, Seq: seq + 1, Kind: mysqlwire.Kind(kind), Payload: append([]byte{}, b...)})
		if got, err := Parse(c.String()); err != nil || !reflect.DeepEqual(got, c) {
			t.Fatalf("%v, got  %+v\nwant %+v\nfrom\n%s", err, got, c, c)
		}
	})
}
