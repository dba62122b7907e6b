package mysqlwire

import (
	"encoding/hex"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"testing"
)

// words of the conversations below; all else is hex, 'text', seq=N and len=N.
var words = map[string]string{
	"ok":       "00 00 00 02 00 00 00",
	"ok8":      "00 00 00 0a 00 00 00", // more results exist
	"okbig":    "00 fe 01 00 00 00 00 00 00 00 fe 02 00 00 00 00 00 00 00 0a 00 00 00",
	"eof":      "fe 00 00 02 00",
	"eof8":     "fe 00 00 0a 00",
	"eof40":    "fe 00 00 42 00", // cursor exists
	"eof48":    "fe 00 00 4a 00",
	"eof80":    "fe 00 00 82 00", // last row sent
	"eof4000":  "fe 00 00 01 60", // session state that an EOF has no room for
	"end":      "fe 00 00 02 00 00 00",
	"end8":     "fe 00 00 0a 00 00 00",
	"end40":    "fe 00 00 42 00 00 00",
	"err":      "ff 28 04 '#42000You have an error'",
	"progress": "ff ff ff 01 01 02 c4 09 00 11 'copy to tmp table'",
	"def":      "03 'def' 00 00 00 01 'a' 00 0c 3f 00 01 00 00 00 08 81 00 00 00 00 00",
}

// parseTurn reads a line of a conversation: who speaks and what.
func parseTurn(t *testing.T, line string) (dir Direction, payload []byte, seq, length int) {
	t.Helper()
	seq, length = -1, -1
	who, rest, _ := strings.Cut(strings.TrimSpace(line), " ")
	switch who {
	case "C":
		dir = ToServer
	case "S":
		dir = ToClient
	default:
		t.Fatalf("line %q: neither C nor S", line)
	}
	for rest = strings.TrimSpace(rest); rest != ""; rest = strings.TrimSpace(rest) {
		var word string
		if rest[0] == '\'' {
			word, rest, _ = strings.Cut(rest[1:], "'")
			payload = append(payload, word...)
			continue
		}
		word, rest, _ = strings.Cut(rest, " ")
		if w, ok := words[word]; ok {
			rest = w + " " + rest
			continue
		}
		var err error
		if n, ok := strings.CutPrefix(word, "seq="); ok {
			seq, err = strconv.Atoi(n)
		} else if n, ok := strings.CutPrefix(word, "len="); ok {
			length, err = strconv.Atoi(n)
		} else {
			var b []byte
			b, err = hex.DecodeString(word)
			payload = append(payload, b...)
		}
		if err != nil {
			t.Fatalf("line %q: %v", line, err)
		}
	}
	return dir, payload, seq, length
}

func describe(f Frame) string {
	s := f.Kind.String()
	for _, p := range []struct {
		is   bool
		word string
	}{{f.Begins, "begins"}, {f.Ends, "ends"}, {f.Cont, "cont"}, {f.More, "more"}} {
		if p.is {
			s += " " + p.word
		}
	}
	return s
}

// converse feeds lines of "C payload = kind begins ends" to a tracker. Sequence numbers count by
// themselves unless a line says otherwise.
func converse(t *testing.T, next func(Direction, Header, []byte) (Frame, error), tr *Tracker, lines string) {
	t.Helper()
	seq := 0
	for line := range strings.SplitSeq(strings.TrimSpace(lines), "\n") {
		say, want, ok := strings.Cut(line, " = ")
		if !ok {
			t.Fatalf("line %q expects nothing", line)
		}
		dir, payload, n, length := parseTurn(t, say)
		if n >= 0 {
			seq = n
		}
		if length < 0 {
			length = len(payload)
		}
		f, err := next(dir, Header{Len: length, Seq: uint8(seq)}, payload[:min(len(payload), HeadLen)])
		seq++
		if tr.State() == StateIdle && !f.More {
			seq = 0
		}
		got := describe(f)
		if err != nil {
			got = "error: " + err.Error()
			if f.Kind != KindOpaque {
				t.Errorf("%s: kind %s beside an error", line, f.Kind)
			}
		}
		want = strings.TrimSpace(want)
		if msg, ok := strings.CutPrefix(want, "error: "); ok && err != nil && strings.Contains(got, msg) {
			continue
		}
		if got != want {
			t.Errorf("%s\n got %s", strings.TrimSpace(line), got)
		}
	}
}

func TestTracker(t *testing.T) {
	const (
		login = "greet" // begins before the greeting
		maria = MariaDBProgress | MariaDBStmtBulkOperations
	)
	for _, tt := range []struct {
		name  string
		caps  Caps
		phase string
		lines string
		state State
	}{
		{"follows a login with TLS request", 0, login, `
S 0a '9.7.4' = HandshakeV10
C 00 08 00 00 00 00 00 01 2d 0000000000000000000000000000000000000000000000 seq=1 = SSLRequest
C 00 0a 00 00 00 00 00 01 2d 0000000000000000000000000000000000000000000000 'root' 00 00 seq=2 = HandshakeResponse41
S ok seq=3 = OK
C 0e = COM_PING begins
S ok = OK ends`, StateIdle},
		{"follows caching_sha2_password", 0, login, `
S 0a '9.7.4' = HandshakeV10
C 00 02 00 00 = HandshakeResponse41
S fe 'caching_sha2_password' 00 = AuthSwitchRequest
C 'proof' = auth data
S 01 04 = AuthMoreData
C 02 = auth data
S 01 '-----BEGIN' = AuthMoreData
C 'rsa' = auth data
S ok = OK`, StateIdle},
		{"needs no answer to a fast caching_sha2_password", 0, login, `
S 0a '9.7.4' = HandshakeV10
C 00 02 00 00 = HandshakeResponse41
S 01 03 = AuthMoreData
S ok = OK`, StateIdle},
		{"knows raw plugin data of MariaDB and empty answers", 0, login, `
S 0a '5.5.5-10.11' = HandshakeV10
C 00 02 00 00 = HandshakeResponse41
S fe 'dialog' 00 04 'Password, please:' = AuthSwitchRequest
C 'x' 00 = auth data
S 03 'Are you sure ?' = auth data
C = auth data
S 02 'not a next factor' = auth data
S = auth data
S err = ERR`, StateClosed},
		{"knows the next factor", MultiFactorAuthentication, login, `
S 0a '8.4' = HandshakeV10
C 00 02 00 00 = HandshakeResponse41
S 02 'plugin' 00 = AuthNextFactor
C 'proof' = auth data
S ok = OK`, StateIdle},
		{"knows the old switch", 0, login, `
S 0a '5.1' = HandshakeV10
C 00 02 00 00 = HandshakeResponse41
S fe = OldAuthSwitchRequest`, StateAuth},
		{"waits for the OK behind OUT parameters, which MySQL tells of only before them", 0, "", `
C 17 01000000 00 01000000 = COM_STMT_EXECUTE begins
S 01 = column count
S 03 'def' = ColumnDefinition41
S fe 0000 0a10 = EOF
S 00 00 2a000000 = binary row
S fe 0000 0200 = EOF
S ok = OK ends
C 17 01000000 00 01000000 = COM_STMT_EXECUTE begins
S 01 = column count
S 03 'def' = ColumnDefinition41
S fe 0000 0200 = EOF
S fe 0000 0200 = EOF ends`, StateIdle},
		{"takes an ERR for a greeting", 0, login, `
S ff 10 04 'Too many connections' = ERR
C 01 = opaque`, StateClosed},
		{"refuses protocol 9", 0, login, `
S 09 '3.20' = error: protocol version 9`, StateOpaque},
		{"takes an ERR of a server that waited too long for the login", 0, login, `
S 0a '9.7.4' = HandshakeV10
S ff 00 00 'timeout' = ERR`, StateClosed},

		{"reads an OK without info", 0, "", `
C 03 'do 1' = COM_QUERY begins
S ok = OK ends`, StateIdle},
		{"reads text rows with EOF", 0, "", `
C 03 'select 1, 2' = COM_QUERY begins
S 02 = column count
S def = ColumnDefinition41
S def = ColumnDefinition41
S eof = EOF
S 01 '1' 01 '2' = text row
S fb fb = text row
S 00 00 = text row
S eof = EOF ends`, StateIdle},
		{"reads text rows under DEPRECATE_EOF", DeprecateEOF, "", `
C 03 'select 1' = COM_QUERY begins
S 01 = column count
S def = ColumnDefinition41
S 01 '1' = text row
S end = OK ends`, StateIdle},
		{"takes a short 0xfe for the end under DEPRECATE_EOF too", DeprecateEOF, "", `
C 03 'select 1' = COM_QUERY begins
S 01 = column count
S def = ColumnDefinition41
S eof = EOF ends`, StateIdle},
		{"tells an OK with 0xfe and long info from a row", DeprecateEOF | SessionTrack, "", `
C 03 'select 1' = COM_QUERY begins
S 01 = column count
S def = ColumnDefinition41
S fe 00 00 02 40 00 00 00 09 01 07 06 'sbtest' len=70000 = OK ends`, StateIdle},
		{"tells a row of 16 MiB from an EOF", 0, "", `
C 03 'select 1' = COM_QUERY begins
S 01 = column count
S def = ColumnDefinition41
S eof = EOF
S fe 00 00 00 01 00 00 00 00 'x' len=16777215 = text row more
S fe 'y' len=16777215 = text row cont more
S = text row cont
S eof = EOF ends`, StateIdle},
		{"tells a row with a long form of a short length from an EOF", 0, "", `
C 03 'select 1' = COM_QUERY begins
S 01 = column count
S def = ColumnDefinition41
S eof = EOF
S fe 01 00 00 00 00 00 00 00 'x' = text row
S eof = EOF ends`, StateIdle},
		{"has no cursor for a query", 0, "", `
C 03 'select 1' = COM_QUERY begins
S 01 = column count
S def = ColumnDefinition41
S eof40 = EOF
S 01 '1' = text row
S eof40 = EOF ends`, StateIdle},
		{"tells a row of 16 MiB from an OK", DeprecateEOF, "", `
C 03 'select 1' = COM_QUERY begins
S 01 = column count
S def = ColumnDefinition41
S fe 00 00 00 01 00 00 00 00 'x' len=16777215 = text row more
S ff 'y' = text row cont
S end = OK ends`, StateIdle},
		{"ends a long command with its last frame", 0, "", `
C 03 'insert' len=16777215 = COM_QUERY begins more
C len=0 = COM_QUERY cont
S ok = OK ends`, StateIdle},
		{"ends long data with its last frame", 0, "", `
C 18 01 00 00 00 00 00 len=16777215 = COM_STMT_SEND_LONG_DATA begins more
C 'rest' = COM_STMT_SEND_LONG_DATA ends cont
C 19 01 00 00 00 = COM_STMT_CLOSE begins ends
C 0e = COM_PING begins
S ok = OK ends`, StateIdle},
		{"counts a column count over 32767", DeprecateEOF, "", `
C 03 'x' = COM_QUERY begins
S fc ff ff = column count
S def = ColumnDefinition41
S end = error: 65534 definitions are missing`, StateOpaque},
		{"reads several results", 0, "", `
C 03 'select 1; do 1; select 2' = COM_QUERY begins
S 01 = column count
S def = ColumnDefinition41
S eof = EOF
S 01 '1' = text row
S eof8 = EOF
S okbig = OK
S 01 = column count
S def = ColumnDefinition41
S eof = EOF
S eof8 = EOF
S ok = OK ends`, StateIdle},
		{"reads a call under DEPRECATE_EOF", DeprecateEOF, "", `
C 03 'call p()' = COM_QUERY begins
S 01 = column count
S def = ColumnDefinition41
S 01 '1' = text row
S end8 = OK
S ok = OK ends`, StateIdle},
		{"ends everything at an ERR", DeprecateEOF, "", `
C 03 'select 1; select' = COM_QUERY begins
S 01 = column count
S def = ColumnDefinition41
S end8 = OK
S err = ERR ends
C 03 'select x' = COM_QUERY begins
S 01 = column count
S def = ColumnDefinition41
S 01 '1' = text row
S err = ERR ends
C 03 'select x' = COM_QUERY begins
S 01 = column count
S err = ERR ends`, StateIdle},
		{"has no session state in an EOF", SessionTrack, "", `
C 03 'select 1' = COM_QUERY begins
S 01 = column count
S def = ColumnDefinition41
S eof4000 = EOF
S 01 '1' = text row
S eof4000 = EOF ends`, StateIdle},
		{"waits behind progress reports", maria | DeprecateEOF, "", `
C 03 'alter table t' = COM_QUERY begins
S progress = progress
S progress = progress
S ok8 = OK
S 01 = column count
S def = ColumnDefinition41
S progress = progress
S 01 '1' = text row
S end = OK ends`, StateIdle},
		{"takes progress that is not agreed for an ERR", 0, "", `
C 03 'alter table t' = COM_QUERY begins
S progress = ERR ends`, StateIdle},

		{"reads a metadata flag of none", OptionalResultsetMetadata, "", `
C 03 'select 1' = COM_QUERY begins
S 01 00 = column count
S eof = EOF
S 01 '1' = text row
S eof = EOF ends
C 03 'select 1' = COM_QUERY begins
S 01 01 = column count
S def = ColumnDefinition41
S eof = EOF
S eof = EOF ends`, StateIdle},
		{"reads cached metadata", MariaDBCacheMetadata | DeprecateEOF, "", `
C 17 01 00 00 00 00 01 00 00 00 = COM_STMT_EXECUTE begins
S 02 00 = column count
S 00 00 01 = binary row
S end = OK ends
C 03 'select 1' = COM_QUERY begins
S 01 01 = column count
S def = ColumnDefinition41
S 01 '1' = text row
S end = OK ends`, StateIdle},
		{"reads a prepare with EOFs", 0, "", `
C 16 'select ?, ?' = COM_STMT_PREPARE begins
S 00 01 00 00 00 01 00 02 00 00 00 00 = COM_STMT_PREPARE_OK
S def = parameter definition
S def = parameter definition
S eof = EOF
S def = ColumnDefinition41
S eof = EOF ends
C 16 'do ?' = COM_STMT_PREPARE begins
S 00 02 00 00 00 00 00 01 00 00 00 00 = COM_STMT_PREPARE_OK
S def = parameter definition
S eof = EOF ends
C 16 'select 1' = COM_STMT_PREPARE begins
S 00 03 00 00 00 01 00 00 00 00 00 00 = COM_STMT_PREPARE_OK
S def = ColumnDefinition41
S eof = EOF ends
C 16 'do 1' = COM_STMT_PREPARE begins
S 00 04 00 00 00 00 00 00 00 00 00 00 = COM_STMT_PREPARE_OK ends
C 16 'x' = COM_STMT_PREPARE begins
S err = ERR ends`, StateIdle},
		{"reads a prepare under DEPRECATE_EOF", DeprecateEOF, "", `
C 16 'select ?' = COM_STMT_PREPARE begins
S 00 01 00 00 00 01 00 01 00 00 00 00 = COM_STMT_PREPARE_OK
S def = parameter definition
S def = ColumnDefinition41 ends`, StateIdle},
		{"reads a prepare without metadata", OptionalResultsetMetadata, "", `
C 16 'select ?' = COM_STMT_PREPARE begins
S 00 01 00 00 00 01 00 01 00 00 00 00 00 = COM_STMT_PREPARE_OK
S eof = EOF
S eof = EOF ends`, StateIdle},
		{"reads a prepare without metadata and EOF", OptionalResultsetMetadata | DeprecateEOF, "", `
C 16 'select ?' = COM_STMT_PREPARE begins
S 00 01 00 00 00 01 00 01 00 00 00 00 00 = COM_STMT_PREPARE_OK ends`, StateIdle},

		{"ends an execute that opened a cursor", 0, "", `
C 17 01 00 00 00 01 01 00 00 00 = COM_STMT_EXECUTE begins
S 01 = column count
S def = ColumnDefinition41
S eof40 = EOF ends
C 1c 01 00 00 00 02 00 00 00 = COM_STMT_FETCH begins
S 00 00 01 = binary row
S 00 00 02 = binary row
S eof40 = EOF ends
C 1c 01 00 00 00 02 00 00 00 = COM_STMT_FETCH begins
S eof80 = EOF ends`, StateIdle},
		{"ends an execute that opened a cursor under DEPRECATE_EOF", DeprecateEOF, "", `
C 17 01 00 00 00 01 01 00 00 00 = COM_STMT_EXECUTE begins
S 01 = column count
S def = ColumnDefinition41
S end40 = OK ends
C 1c 01 00 00 00 02 00 00 00 = COM_STMT_FETCH begins
S 00 00 01 = binary row
S end40 = OK ends`, StateIdle},
		{"reads rows at once if the server opened no cursor", 0, "", `
C 17 01 00 00 00 01 01 00 00 00 = COM_STMT_EXECUTE begins
S 01 = column count
S def = ColumnDefinition41
S eof = EOF
S 00 00 01 = binary row
S eof = EOF ends`, StateIdle},
		{"reads another result behind a cursor's", 0, "", `
C 17 01 00 00 00 01 01 00 00 00 = COM_STMT_EXECUTE begins
S 01 = column count
S def = ColumnDefinition41
S eof48 = EOF
S ok = OK ends`, StateIdle},

		{"takes the file of LOCAL INFILE for data", 0, "", `
C 03 'load data' = COM_QUERY begins
S fb '/tmp/x' = LOCAL INFILE request
C 03 'looks like a query' = LOCAL INFILE data
C 01 = LOCAL INFILE data
C = LOCAL INFILE data
S ok = OK ends`, StateIdle},
		{"knows the end of a file from the end of a full frame", 0, "", `
C 03 'load data; do 1' = COM_QUERY begins
S fb '/tmp/x' = LOCAL INFILE request
C 'x' len=16777215 = LOCAL INFILE data more
C len=0 = LOCAL INFILE data cont
C len=0 = LOCAL INFILE data
S ok8 = OK
S ok = OK ends`, StateIdle},
		{"closes when the server stops reading a file", 0, "", `
C 03 'load data' = COM_QUERY begins
S fb '/tmp/x' = LOCAL INFILE request
C 'x' = LOCAL INFILE data
S err seq=9 = ERR ends
C 'y' = opaque`, StateClosed},

		{"takes statistics for text", 0, "", `
C 09 = COM_STATISTICS begins
S 'Uptime: 1' = statistics ends
C 09 = COM_STATISTICS begins
S 00 'odd' = statistics ends`, StateIdle},
		{"reads a field list", 0, "", `
C 04 't' 00 = COM_FIELD_LIST begins
S def fb = ColumnDefinition41
S def fb = ColumnDefinition41
S eof = EOF ends
C 04 'none' 00 = COM_FIELD_LIST begins
S err = ERR ends`, StateIdle},
		{"reads a field list under DEPRECATE_EOF", DeprecateEOF, "", `
C 04 't' 00 = COM_FIELD_LIST begins
S def fb = ColumnDefinition41
S end = OK ends`, StateIdle},
		{"reads answers that are an EOF", 0, "", `
C 1b 00 00 = COM_SET_OPTION begins
S eof = EOF ends
C 0d = COM_DEBUG begins
S eof = EOF ends
C 08 = COM_SHUTDOWN begins
S eof = EOF ends`, StateIdle},
		{"reads answers that are an OK with 0xfe", DeprecateEOF, "", `
C 1b 00 00 = COM_SET_OPTION begins
S end = OK ends
C 0d = COM_DEBUG begins
S end = OK ends`, StateIdle},
		{"reads a process list", 0, "", `
C 0a = COM_PROCESS_INFO begins
S 01 = column count
S def = ColumnDefinition41
S eof = EOF
S 01 '1' = text row
S eof = EOF ends`, StateIdle},
		{"has one packet for commands nobody knows", 0, "", `
C 77 = command begins
S ff 17 04 'Unknown command' = ERR ends
C 77 = command begins
S 42 = unknown ends
C = command begins
S err = ERR ends`, StateIdle},
		{"follows a change of user", 0, "", `
C 11 'root' 00 00 00 = COM_CHANGE_USER begins
S fe 'caching_sha2_password' 00 = AuthSwitchRequest
C 'proof' = auth data
S 01 03 = AuthMoreData
S ok = OK ends
C 11 'root' 00 00 00 = COM_CHANGE_USER begins
S err = ERR ends`, StateIdle},

		{"reads a bulk execute", maria, "", `
C fa 01 00 00 00 80 00 = COM_STMT_BULK_EXECUTE begins
S ok8 = OK ends`, StateIdle},
		{"reads unit results of a bulk execute", maria | MariaDBBulkUnitResults | DeprecateEOF, "", `
C fa 01 00 00 00 c0 00 = COM_STMT_BULK_EXECUTE begins
S 02 = column count
S def = ColumnDefinition41
S def = ColumnDefinition41
S 00 00 01 01 = binary row
S end8 = OK
S ok = OK ends`, StateIdle},
		{"reads a bulk execute that returns rows", maria, "", `
C fa 01 00 00 00 80 00 = COM_STMT_BULK_EXECUTE begins
S 01 = column count
S def = ColumnDefinition41
S eof = EOF
S 00 00 01 = binary row
S eof = EOF ends`, StateIdle},

		{"follows a binary log with acknowledgements", 0, "", `
C 15 01 00 00 00 = COM_REGISTER_SLAVE begins
S ok = OK ends
C 12 04 00 00 00 = COM_BINLOG_DUMP begins
S 00 'event' = binlog event
S 00 ef 01 'event' len=16777215 = binlog event more
C ef 0000000000000000 'log.1' seq=0 = semi-sync acknowledgement
S ff 'ore' seq=3 = binlog event cont
S fe 'long event' len=20 seq=4 = binlog event
C 01 seq=0 = COM_QUIT ends
S 00 'event' = opaque`, StateClosed},
		{"ends a binary log that does not block", 0, "", `
C 12 04 00 00 00 = COM_BINLOG_DUMP begins
S 00 'event' = binlog event
S eof = EOF ends
C 1e 00 = COM_BINLOG_DUMP_GTID begins
S err = ERR ends`, StateIdle},
		{"does not follow a clone", 0, "", `
C 20 = command begins
S 'anything' seq=77 = opaque
C 'anything' seq=3 = opaque`, StateOpaque},

		{"wraps sequence numbers", DeprecateEOF, "", `
C 03 'select' = COM_QUERY begins
S fc ff 00 = column count` + strings.Repeat("\nS def = ColumnDefinition41", 255) + `
S 01 '1' = text row
S end = OK ends`, StateIdle},
		{"checks the sequence number of a command", 0, "", `
C 0e seq=1 = error: sequence number 1, want 0
S ok = opaque`, StateOpaque},
		{"checks the sequence number of an answer", 0, "", `
C 0e = COM_PING begins
S ok seq=2 = error: sequence number 2, want 1`, StateOpaque},
		{"checks the sequence number of a continuation", 0, "", `
C 03 'x' len=16777215 = COM_QUERY begins more
C 'x' seq=0 = error: sequence number 0, want 1`, StateOpaque},
		{"counts nothing under compression", Compress, "", `
C 0e seq=7 = COM_PING begins
S ok seq=0 = OK ends`, StateIdle},
		{"closes at an ERR that nobody asked for", 0, "", `
S ff bf 0f '#HY000disconnected by the server because of inactivity' seq=5 = ERR
C 03 'too late' seq=0 = opaque`, StateClosed},
		{"closes when the server refuses a long command half read", 0, "", `
C 03 'x' len=16777215 = COM_QUERY begins more
S ff 81 04 'packet bigger than max_allowed_packet' seq=1 = ERR ends
C 'x' seq=1 = opaque`, StateClosed},
		{"closes when the server refuses a long command by its first frame", 0, "", `
C 03 'x' len=16777215 = COM_QUERY begins more
C 'x' = COM_QUERY cont
S ff 81 04 'packet bigger than max_allowed_packet' seq=1 = ERR ends`, StateClosed},
		{"refuses a command in an answer", 0, "", `
C 03 'select 1' = COM_QUERY begins
C 19 01 00 00 00 = error: it is the other side's turn`, StateOpaque},
		{"refuses an answer to nothing", 0, "", `
S ok = error: it is the other side's turn`, StateOpaque},
		{"refuses an empty packet for an answer", 0, "", `
C 0e = COM_PING begins
S = error: empty packet`, StateOpaque},
		{"refuses a row for a missing EOF", 0, "", `
C 03 'select 1' = COM_QUERY begins
S 01 = column count
S def = ColumnDefinition41
S 01 '1' = error: EOF expected`, StateOpaque},
		{"refuses a binary row that is none", DeprecateEOF, "", `
C 17 01 00 00 00 00 01 00 00 00 = COM_STMT_EXECUTE begins
S 01 = column count
S def = ColumnDefinition41
S 01 '1' = error: binary row begins with 0x01`, StateOpaque},
		{"refuses an OK cut short", 0, "", `
C 0e = COM_PING begins
S 00 00 fe 01 = error: OK without status`, StateOpaque},
		{"refuses an answer that is none", 0, "", `
C 0e = COM_PING begins
S 42 = error: answer to COM_PING begins with 0x42`, StateOpaque},
		{"quits", 0, "", `
C 01 = COM_QUIT begins ends`, StateClosed},
	} {
		t.Run(tt.name, func(t *testing.T) {
			var tr Tracker
			tr.Agree(tt.caps|Protocol41, tt.caps.Has(MariaDBProgress))
			if tt.phase != login {
				tr.Ready()
			}
			converse(t, tr.Next, &tr, tt.lines)
			if tr.State() != tt.state {
				t.Errorf("ends in state %s, want %s", tr.State(), tt.state)
			}
			if (tr.Err() != nil) != (tt.state == StateOpaque) {
				t.Errorf("reason %v in state %s", tr.Err(), tr.State())
			}
		})
	}
}

func TestTrackerKeepsStatus(t *testing.T) {
	var tr Tracker
	tr.Ready()
	converse(t, tr.Next, &tr, `
C 03 'begin' = COM_QUERY begins
S 00 fc 01 02 fd 01 02 03 03 00 00 00 = OK ends`)
	if got, want := tr.Status(), StatusInTrans|StatusAutocommit; got != want {
		t.Errorf("status %v, want %v", got, want)
	}
	if tr.Command() != ComQuery {
		t.Errorf("command %v", tr.Command())
	}
}

func TestTrackErrorNamesTheFrame(t *testing.T) {
	var tr Tracker
	tr.Ready()
	_, err := tr.Next(ToServer, Header{Len: 1, Seq: 4}, []byte{0x0e})
	var te *TrackError
	if !errors.As(err, &te) {
		t.Fatalf("got %v, want a *TrackError", err)
	}
	want := TrackError{State: StateIdle, Dir: ToServer, Header: Header{Len: 1, Seq: 4}, Msg: "sequence number 4, want 0"}
	if *te != want {
		t.Errorf("got %+v, want %+v", *te, want)
	}
	if got, want := err.Error(), "frame to server (1 bytes, sequence number 4) while idle expected: sequence number 4, want 0"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
	if tr.Err() != err {
		t.Errorf("reason %v, want the error", tr.Err())
	}
	tr.Fail(errors.New("later"))
	if tr.Err() != err {
		t.Error("a later reason replaced the first")
	}
}

// resultFrames are a query with ten rows.
func resultFrames() (dirs []Direction, heads [][]byte) {
	add := func(d Direction, s string) {
		dirs, heads = append(dirs, d), append(heads, []byte(s))
	}
	add(ToServer, "\x03select a from t")
	add(ToClient, "\x01")
	add(ToClient, "\x03def\x00\x00\x00\x01a\x00\x0c\x3f\x00\x01\x00\x00\x00\x08\x81\x00\x00\x00\x00\x00")
	for i := range 10 {
		add(ToClient, fmt.Sprintf("\x01%d", i))
	}
	add(ToClient, "\xfe\x00\x00\x02\x00\x00\x00")
	return dirs, heads
}

func TestNextDoesNotAllocate(t *testing.T) {
	var d Decoder
	d.Agree(Protocol41|DeprecateEOF, false)
	d.Ready()
	dirs, heads := resultFrames()
	if n := testing.AllocsPerRun(100, func() {
		for i, head := range heads {
			f, err := d.Next(dirs[i], Header{Len: len(head), Seq: uint8(i)}, head)
			if err != nil {
				t.Fatal(err)
			}
			d.Need(f)
		}
	}); n != 0 {
		t.Errorf("%v allocations, want none", n)
	}
}

func BenchmarkTracker(b *testing.B) {
	var d Tracker
	d.Agree(Protocol41|DeprecateEOF, false)
	d.Ready()
	dirs, heads := resultFrames()
	for n := 0; n < b.N; n += len(heads) {
		for i, head := range heads {
			if _, err := d.Next(dirs[i], Header{Len: len(head), Seq: uint8(i)}, head); err != nil {
				b.Fatal(err)
			}
		}
	}
}

func BenchmarkDecoder(b *testing.B) {
	var d Decoder
	d.Agree(Protocol41|DeprecateEOF, false)
	d.Ready()
	dirs, heads := resultFrames()
	for n := 0; n < b.N; n += len(heads) {
		for i, head := range heads {
			f, err := d.Next(dirs[i], Header{Len: len(head), Seq: uint8(i)}, head)
			if err != nil {
				b.Fatal(err)
			}
			d.Need(f)
		}
	}
}
