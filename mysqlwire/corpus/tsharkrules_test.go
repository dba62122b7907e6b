package corpus

import (
	"fmt"
	"math"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"mydbg/mysqlwire"
	"mydbg/mysqlwire/value"
)

// A rule compares a field of tshark's with the field of ours that has its bytes, and says how they differ.
type rule struct {
	ours []string // names of ours; any if there are none
	same func(theirs field, ours mysqlwire.Field) string
}

func differ(theirs, ours string) string {
	if theirs == ours {
		return ""
	}
	return fmt.Sprintf("tshark has %q", theirs)
}

var leading = regexp.MustCompile(`^-?\d+`)

// number compares numbers, of which ours may have a name behind it.
func number(ours ...string) rule {
	return rule{ours, func(t field, o mysqlwire.Field) string {
		n, err := strconv.ParseUint(t.Show, 0, 64)
		if err != nil {
			return err.Error()
		}
		return differ(strconv.FormatUint(n, 10), leading.FindString(o.Value))
	}}
}

// text compares texts, which end at the same byte: tshark leaves their lengths out.
func text(ours ...string) rule {
	return rule{ours, func(t field, o mysqlwire.Field) string {
		own, err := strconv.Unquote(o.Value)
		if err != nil {
			own = o.Value
		}
		if t.Size == 0 && (own == "" || own == "NULL") { // tshark has no place for what is not there
			return ""
		}
		if end := t.Pos + t.Size - payloadAt; end != o.Off+o.Len {
			return fmt.Sprintf("tshark's ends at byte %d", end)
		}
		if strings.ContainsFunc(own, func(r rune) bool { return r < ' ' || r > '~' || r == '\\' }) {
			return "" // each shows these in its own way
		}
		if own == t.Value { // in hex, of a column that holds bytes
			return ""
		}
		return differ(t.Show, own)
	}}
}

// octets compares bytes in hex.
func octets(ours ...string) rule {
	return rule{ours, func(t field, o mysqlwire.Field) string {
		return differ(strings.ReplaceAll(t.Show, ":", ""), o.Value)
	}}
}

// ends compares where they end, of what each shows in its own way.
func ends(ours ...string) rule {
	return rule{ours, func(t field, o mysqlwire.Field) string {
		if end := t.Pos + t.Size - payloadAt; end != o.Off+o.Len {
			return fmt.Sprintf("tshark's ends at byte %d", end)
		}
		return ""
	}}
}

// within compares that theirs, a part of what we show as one, lies inside of ours.
func within(ours ...string) rule {
	return rule{ours, func(field, mysqlwire.Field) string { return "" }}
}

// flag compares one bit with a word among ours.
func flag(word string, ours ...string) rule {
	return rule{ours, func(t field, o mysqlwire.Field) string {
		set := t.Show == "1" || t.Show == "True"
		if set == slices.Contains(strings.Fields(o.Value), word) {
			return ""
		}
		return fmt.Sprintf("tshark has %s: %t", word, set)
	}}
}

// bit compares one bit with ours of a number.
func bit(n int, ours ...string) rule {
	return rule{ours, func(t field, o mysqlwire.Field) string {
		all, _ := strconv.ParseUint(leading.FindString(o.Value), 10, 64)
		if set := t.Show == "1" || t.Show == "True"; set != (all>>n&1 == 1) {
			return fmt.Sprintf("tshark has bit %d: %t", n, set)
		}
		return ""
	}}
}

// named compares a number with the name that we give it.
func named(name func(n uint64) string, ours ...string) rule {
	return rule{ours, func(t field, o mysqlwire.Field) string {
		n, err := strconv.ParseUint(t.Show, 0, 64)
		if err != nil {
			return err.Error()
		}
		return differ(name(n), o.Value)
	}}
}

// typed compares a column's or parameter's type.
func typed(ours ...string) rule {
	return rule{ours, func(t field, o mysqlwire.Field) string {
		n, err := strconv.ParseUint(t.Show, 0, 8)
		if err != nil {
			return err.Error()
		}
		return differ(value.Type(n).String(), strings.TrimSuffix(o.Value, " unsigned"))
	}}
}

// float compares numbers, of which tshark shows 15 digits.
func float() rule {
	return rule{nil, func(t field, o mysqlwire.Field) string {
		words := strings.Fields(o.Value)
		own, err := strconv.ParseFloat(words[len(words)-1], 64)
		if err != nil {
			return err.Error()
		}
		theirs, err := strconv.ParseFloat(t.Show, 64)
		if err == nil && math.Abs(own-theirs) <= 1e-14*math.Abs(own) {
			return ""
		}
		return fmt.Sprintf("tshark has %q", t.Show)
	}}
}

// last compares a value with the last word of ours, in front of which there may be a type.
func last(ours ...string) rule {
	return rule{ours, func(t field, o mysqlwire.Field) string {
		words := strings.Fields(o.Value)
		return differ(t.Show, words[len(words)-1])
	}}
}

var moment = regexp.MustCompile(`(\d{4})-(\d\d)-(\d\d)(?: (\d\d):(\d\d):(\d\d))?`)

// part compares one number of a date.
func part(n int) rule {
	return rule{nil, func(t field, o mysqlwire.Field) string {
		m := moment.FindStringSubmatch(o.Value)
		if m == nil || m[n] == "" {
			return "" // a time, whose hours count days too
		}
		own, err := strconv.Atoi(m[n])
		if err != nil {
			return err.Error()
		}
		return differ(t.Show, strconv.Itoa(own))
	}}
}

// swapped compares a number that tshark reads with the high byte first.
func swapped(name func(n uint64) string, ours ...string) rule {
	return named(func(n uint64) string { return name(n&0xff<<8 | n>>8) }, ours...)
}

func decimal(n uint64) string     { return strconv.FormatUint(n, 10) }
func typeName(n uint64) string    { return value.Type(n).String() }
func commandName(n uint64) string { return mysqlwire.Command(n).String() }
func lowCaps(n uint64) string     { return mysqlwire.Caps(n).String() }
func highCaps(n uint64) string    { return mysqlwire.Caps(n << 16).String() }
func ownCaps(n uint64) string     { return mysqlwire.Caps(n << 32).String() }
func statusName(n uint64) string  { return mysqlwire.Status(n).String() }

var (
	clientFlags = []string{"client_flag", "capability_flags_1", "capability_flags_2"}
	ownFlags    = []string{"mariadb_client_flag", "mariadb_capability_flags"}
)

// rules are all fields that both know.
var rules = map[string]rule{
	"mysql.command":       named(commandName, "command"),
	"mysql.response_code": number("header", "status"),
	"mysql.eof":           number("header"),

	"mysql.protocol": number("protocol_version"), "mysql.version": text("server_version"), "mysql.thread_id": number("thread_id", "connection_id"),
	"mysql.salt": within("auth_plugin_data_part_1", "filler"), "mysql.salt2": ends("auth_plugin_data_part_2"),
	"mysql.auth_plugin": text("auth_plugin_name"), "mysql.auth_plugin.length": number("auth_plugin_data_len"),
	"mysql.server_language": number("character_set"), "mariadb.server_language": number("character_set"),
	"mysql.caps.server": named(lowCaps, "capability_flags_1"), "mysql.extcaps.server": named(highCaps, "capability_flags_2"),
	"mariadb.extcaps.server": named(ownCaps, "mariadb_capability_flags"), "mariadb.extcaps.client": named(ownCaps, "mariadb_client_flag"),
	"mysql.caps.client": within("client_flag"), "mysql.extcaps.client": within("client_flag"), "mysql.caps.unused": within(clientFlags...),
	"mysql.unused":     octets("reserved", "filler"),
	"mysql.max_packet": number("max_packet_size"), "mysql.charset": number("character_set"), "mariadb.charset": number("character_set"),
	"mysql.user": text("username", "user"), "mysql.passwd": ends("auth_response"), "mysql.schema": text("database", "schema_name"),
	"mysql.client_auth_plugin": text("client_plugin_name", "auth_plugin_name"),
	"mysql.connattrs.length":   number("length"),
	"mysql.connattrs.name":     within(), "mysql.connattrs.name.length": within(), "mysql.connattrs.value": within(), "mysql.connattrs.value.length": within(),
	"mysql.auth_switch_request.name": text("plugin_name"), "mysql.auth_switch_request.data": octets("plugin_provided_data"),
	"mysql.auth_switch_response.data": octets(),

	"mysql.affected_rows": number("affected_rows"), "mysql.insert_id": number("last_insert_id"), "mysql.warnings": number("warnings", "warning_count"),
	"mysql.server_status": named(statusName, "status_flags"), "mysql.message": text("info", "text"),
	"mysql.error_code": number("error_code"), "mysql.sqlstate": text("sql_state"), "mysql.error.message": text("error_message"),
	"mysql.session_track.data.length": number("session_state_length"), "mysql.session_track.data": ends("session_state"),
	"mysql.session_track.type": named(func(n uint64) string { return trackTypes[n] }, "type"),

	"mysql.query": text("query"), "mysql.query_attrs_count": number("parameter_count"),
	"mysql.query_attrs_send_types_to_server": number("new_params_bind_flag"), "mysql.query_attr_name_type": swapped(typeName, "parameter_type"),
	"mysql.query_attr_name": within("parameter_name"), "mysql.query_attr_value": within(),
	"mysql.table_name": text("table"), "mysql.option": within("option_operation"),
	"mysql.refresh": within("sub_command"), "mysql.shutdown": within("shutdown_type"),
	"mysql.stmt_id": number("statement_id"), "mysql.num_params": number("num_params"), "mysql.num_rows": number("num_rows"), "mysql.param": number("param_id"),
	"mysql.exec_flags": within("flags"), "mysql.exec_iter": number("iteration_count"), "mysql.new_parameter_bound_flag": number("new_params_bind_flag"),
	"mysql.extra": number("metadata_follows"), "mysql.num_fields": number("column_count", "num_columns"), "mysql.metadata_follows": number("metadata_follows"),

	"mysql.field.catalog": text("catalog"), "mysql.field.db": text("schema"), "mysql.field.table": text("table"), "mysql.field.org_table": text("org_table"),
	"mysql.field.name": text("name"), "mysql.field.org_name": text("org_name"), "mysql.field.charsetnr": number("collation"),
	"mysql.field.length": number("column_length"), "mysql.field.flags": number("flags"), "mysql.field.decimals": number("decimals"),
	"mysql.field.type": typed("type", "parameter_type"), "mysql.field.default": text("default"),
	"mysql.extmeta.length": within("extended_metadata"), "mysql.extmeta.key": within("extended_metadata"), "mysql.extmeta.format": within("extended_metadata"), "mysql.extmeta.type": within("extended_metadata"),
	"mysql.row.text": text(), "mysql.row.nullbuffer": within("null_bitmap"),

	"mysql.exec.unsigned": within("parameter_type", "parameter_flag"), "mysql.exec.field.string": ends(),
	"mysql.exec.field.longlong": last(), "mysql.exec.field.unsigned_longlong": last(), "mysql.exec.field.long": last(), "mysql.exec.field.unsigned_long": last(),
	"mysql.exec.field.short": last(), "mysql.exec.field.unsigned_short": last(), "mysql.exec.field.tiny": last(), "mysql.exec.field.unsigned_tiny": last(),
	"mysql.exec.field.double": float(), "mysql.exec.field.float": float(),
	"mysql.exec.field.year": part(1), "mysql.exec.field.month": part(2), "mysql.exec.field.day": part(3),
	"mysql.exec.field.hour": part(4), "mysql.exec.field.minute": part(5), "mysql.exec.field.second": part(6), "mysql.exec.field.secondb": within(),
	"mysql.exec.field.datetime.length": within(), "mysql.exec.field.time.length": within(), "mysql.exec.field.time.sign": within(), "mysql.exec.field.time.days": within(),
	"mariadb.bulk.flags":       named(func(n uint64) string { return mysqlwire.BulkFlags(n).String() }, "bulk_flags"),
	"mariadb.bulk.flag.autoid": flag("SEND_UNIT_RESULTS", "bulk_flags"), "mariadb.bulk.flag.sendtypes": flag("SEND_TYPES_TO_SERVER", "bulk_flags"),
	"mariadb.bulk.indicators": within("parameter_indicator"),

	"mysql.binlog.position": number("binlog_pos"), "mysql.binlog.flags": swapped(decimal, "flags"), "mysql.binlog.server_id": number("server_id"),
	"mysql.binlog.file_name": text("binlog_filename"), "mysql.binlog.slave_hostname_length": number("hostname_length"), "mysql.binlog.slave_hostname": text("hostname"),
	"mysql.binlog.slave_user_length": number("user_length"), "mysql.binlog.slave_user": text("user"), "mysql.binlog.slave_password_length": number("password_length"),
	"mysql.binlog.slave_password": ends("password"), "mysql.binlog.slave_mysql_port": number("port"), "mysql.binlog.replication_rank": number("replication_rank"),
	"mysql.binlog.master_id": number("master_id"), "mysql.binlog.event_header.timestamp": within("timestamp"), "mysql.binlog.event_header.event_type": within("event_type"),
	"mysql.binlog.event_header.server_id": number("server_id"), "mysql.binlog.event_header.event_size": number("event_length"),
	"mysql.binlog.event_header.log_position": number("end_position"), "mysql.binlog.event_header.flags": number("flags"),
}

func init() {
	for name, word := range map[string]string{
		"lp": "LONG_PASSWORD", "fr": "FOUND_ROWS", "lf": "LONG_FLAG", "cd": "CONNECT_WITH_DB", "ns": "NO_SCHEMA", "cp": "COMPRESS", "ob": "ODBC",
		"li": "LOCAL_FILES", "is": "IGNORE_SPACE", "cu": "PROTOCOL_41", "ia": "INTERACTIVE", "sl": "SSL", "ii": "IGNORE_SIGPIPE", "ta": "TRANSACTIONS",
		"rs": "RESERVED", "sc": "SECURE_CONNECTION", "ms": "MULTI_STATEMENTS", "mr": "MULTI_RESULTS", "pm": "PS_MULTI_RESULTS", "pa": "PLUGIN_AUTH",
		"ca": "CONNECT_ATTRS", "ep": "CAN_HANDLE_EXPIRED_PASSWORDS", "session_track": "SESSION_TRACK", "deprecate_eof": "DEPRECATE_EOF",
		"optional_metadata": "OPTIONAL_RESULTSET_METADATA", "compress_zsd": "ZSTD_COMPRESSION_ALGORITHM", "query_attrs": "QUERY_ATTRIBUTES",
		"mf_auth": "MULTI_FACTOR_AUTHENTICATION", "cap_ext": "CAPABILITY_EXTENSION",
	} {
		rules["mysql.caps."+name] = flag(word, clientFlags...)
	}
	for name, word := range map[string]string{
		"pr": "MARIADB_PROGRESS", "cm": "MARIADB_COM_MULTI", "bo": "MARIADB_STMT_BULK_OPERATIONS", "em": "MARIADB_EXTENDED_METADATA", "me": "MARIADB_CACHE_METADATA",
	} {
		rules["mariadb.caps."+name] = flag(word, ownFlags...)
	}
	for name, word := range map[string]string{
		"it": "IN_TRANS", "ac": "AUTOCOMMIT", "mr": "MORE_RESULTS_EXISTS", "bi": "NO_GOOD_INDEX_USED", "ni": "NO_INDEX_USED", "cr": "CURSOR_EXISTS",
		"lr": "LAST_ROW_SENT", "dr": "DB_DROPPED", "bs": "NO_BACKSLASH_ESCAPES", "mc": "METADATA_CHANGED", "query_was_slow": "QUERY_WAS_SLOW",
		"ps_out_params": "PS_OUT_PARAMS", "trans_readonly": "IN_TRANS_READONLY", "session_state_changed": "SESSION_STATE_CHANGED",
	} {
		rules["mysql.stat."+name] = flag(word, "status_flags")
	}
	for name, n := range map[string]int{
		"not_null": 0, "primary_key": 1, "unique_key": 2, "multiple_key": 3, "blob": 4, "unsigned": 5, "zero_fill": 6, "enum": 8, "auto_increment": 9, "timestamp": 10, "set": 11,
	} {
		rules["mysql.field.flags."+name] = bit(n, "flags")
	}
	for name, word := range map[string]string{
		"grants": "GRANT", "log": "LOG", "tables": "TABLES", "hosts": "HOSTS", "status": "STATUS", "threads": "THREADS", "slave": "REPLICA", "master": "MASTER",
	} {
		rules["mysql.rfsh."+name] = flag(word, "sub_command")
	}
	for _, name := range []string{
		"length", "sysvar.length", "sysvar.name", "sysvar.value", "schema.length", "schema", "state_change", "gtids.encoding", "gtids.length", "gtids",
		"transaction_characteristics.length", "transaction_characteristics", "transaction_state.length", "transaction_state",
	} {
		rules["mysql.session_track."+name] = within()
	}
}

var trackTypes = map[uint64]string{0: "SYSTEM_VARIABLES", 1: "SCHEMA", 2: "STATE_CHANGE", 3: "GTIDS", 4: "TRANSACTION_CHARACTERISTICS", 5: "TRANSACTION_STATE"}

// groups are tshark's own: titles, notes, and wrappers of fields that are compared.
var groups = []string{
	"", "mysql.request", "mysql.login_request", "mysql.server_greeting", "mysql.connattrs", "mysql.connattrs.attr", "mysql.session_track", "mysql.query_attrs",
	"mysql.exec_param", "mysql.extmeta_data", "mysql.extmeta", "mariadb.length", "mariadb.prefix", "mariadb.bulk.paramtypesg", "mariadb.bulk.row_nr",
	"mysql.exec.field.null", "mysql.streamed_param",
	"mysql.payload", // what tshark leaves undecoded
}

// TestTsharkReadsTheSame compares every field that tshark shows of the corpus with ours.
func TestTsharkReadsTheSame(t *testing.T) {
	for _, server := range []string{"mariadb", "mariadb11", "mysql", "mysql56"} {
		t.Run(server, func(t *testing.T) {
			c := newCapture()
			for i, name := range Files() {
				if strings.HasPrefix(name, server+"/") {
					c.conversation(name, uint16(20000+i), shownToTshark(t, name))
				}
			}
			total, differ := 0, 0
			tshark(t, c, func(w *wanted, mysql []field) {
				for _, p := range mysql {
					n, wrong := compareFields(w, p.Fields)
					total += n
					for _, d := range wrong {
						if differ++; differ <= 60 {
							t.Errorf("%s packet %d, %s: %s", w.file, w.n, w.e.Kind, d)
						}
					}
				}
			})
			t.Logf("%d fields were compared, %d differ", total, differ)
			if total < 10_000 {
				t.Errorf("only %d fields were compared", total)
			}
		})
	}
	for i, d := range differences {
		if used[i] == 0 {
			t.Errorf("the difference in %s of %s is no longer there: %s", d.field, d.kind, d.why)
		}
	}
}

// shownToTshark are the packets of a conversation that tshark is shown.
func shownToTshark(t *testing.T, name string) (list []*wanted) {
	n := 0
	for e := range load(t, name).Explain() {
		n++
		if len(e.Payload) < huge {
			list = append(list, &wanted{file: name, n: n, e: e})
		}
	}
	return list
}

// payloadAt is where a MySQL payload begins in a frame.
const payloadAt = ipHeaders + mysqlwire.HeaderLen

func compareFields(w *wanted, theirs []field) (n int, wrong []string) {
	tree, err := mysqlwire.Dissect(w.e.Kind, w.e.Payload, w.e.Context)
	if err != nil {
		return 0, []string{err.Error()}
	}
	var walk func(list []field)
	walk = func(list []field) {
		for _, f := range list {
			if strings.HasPrefix(f.Name, "_ws.") {
				continue
			}
			if d := compareField(w, tree, f); d != "" && !explained(w, f) {
				wrong = append(wrong, fmt.Sprintf("%s %q at byte %d: %s", f.Name, f.Show, f.Pos-payloadAt, d))
			}
			if !slices.Contains(groups, f.Name) {
				n++
			}
			walk(f.Fields)
		}
	}
	walk(theirs)
	return n, wrong
}

func compareField(w *wanted, tree []mysqlwire.Field, f field) string {
	switch f.Name {
	case "mysql.packet_length":
		return differ(f.Show, strconv.Itoa(len(w.e.Payload)))
	case "mysql.packet_number":
		return differ(f.Show, strconv.Itoa(int(w.e.Seq)))
	}
	if slices.Contains(groups, f.Name) {
		return ""
	}
	r, ok := rules[f.Name]
	if !ok {
		return "nobody compares it"
	}
	ours, ok := owner(tree, f, r.ours)
	if !ok {
		return fmt.Sprintf("no field %q of ours has its bytes", r.ours)
	}
	if d := r.same(f, ours); d != "" {
		return fmt.Sprintf("%s, ours is %s %q at byte %d", d, ours.Name, ours.Value, ours.Off)
	}
	return ""
}

// owner is the smallest field of ours, with one of the names, that has the bytes of theirs.
func owner(tree []mysqlwire.Field, f field, names []string) (found mysqlwire.Field, ok bool) {
	from := f.Pos - payloadAt
	to := from + f.Size
	if f.Size == 0 { // tshark gives what is empty the place behind its length, if it has one
		if length, inside := owner(tree, field{Pos: f.Pos - 1, Size: 1}, names); inside {
			return length, true
		}
	}
	for _, o := range tree {
		if from < o.Off || to > o.Off+o.Len {
			continue
		}
		if o.Children != nil {
			if c, inside := owner(o.Children, f, names); inside {
				return c, true
			}
		}
		if len(names) == 0 || slices.Contains(names, o.Name) {
			found, ok = o, true
		}
	}
	return found, ok
}

// A difference is one that there may be, and why.
type difference struct {
	kind  mysqlwire.Kind
	field string // of tshark's; a * at the end stands for any rest
	file  string // a topic, or a server with its slash; "" for any
	why   string
}

const (
	noName     = "MySQL has not used this bit since 4.1, and we have no name for it"
	asRequest  = "tshark takes it for a command"
	oneSwitch  = "tshark expects one AuthSwitchRequest and takes the second for an OK"
	attributes = "tshark does not know that executes have a count of parameters under QUERY_ATTRIBUTES"
)

var differences = []difference{
	{mysqlwire.KindGreeting, "mysql.salt", "", "tshark counts the filler behind the first part of the scramble as its end"},
	{mysqlwire.KindGreeting, "mysql.stat.mu", "", noName},
	{mysqlwire.KindOK, "mysql.stat.mu", "", noName},
	{mysqlwire.KindEOF, "mysql.stat.mu", "", noName},
	{mysqlwire.KindSSLRequest, "mysql.user", "", "tshark reads a login behind it"},
	{mysqlwire.KindAuthMore, "mysql.*", "", "tshark takes it for an AuthSwitchRequest"},
	{mysqlwire.KindAuthSwitch, "mysql.affected_rows", "login-multi", oneSwitch},
	{mysqlwire.KindAuthSwitch, "mysql.insert_id", "login-multi", oneSwitch},
	{mysqlwire.KindAuthSwitch, "mysql.server_status", "login-multi", oneSwitch},
	{mysqlwire.KindAuthSwitch, "mysql.warnings", "login-multi", oneSwitch},
	{mysqlwire.KindAuthSwitch, "mysql.message", "login-multi", oneSwitch},
	{mysqlwire.KindAuthSwitch, "mysql.stat.*", "login-multi", oneSwitch},
	{mysqlwire.KindAuthData, "mysql.auth_switch_response.data", "", "tshark reads up to the first zero byte"},
	{mysqlwire.KindAuthData, "mysql.command", "", "tshark takes what follows the first round for a command"},
	{mysqlwire.KindAuthData, "mysql.schema", "", "tshark takes what follows the first round for a command"},
	{mysqlwire.KindOK, "mysql.message", "", "without SESSION_TRACK tshark does not expect a length in front of the text"},
	{mysqlwire.KindProgress, "mysql.error.message", "", "tshark takes it for an error"},
	{mysqlwire.KindQuery, "mysql.*", "attributes", "tshark reads attributes that are strings only"},
	{mysqlwire.KindQuery, "mysql.query", "queries", "an empty statement has no bytes, and no field of ours"},
	{mysqlwire.KindOtherCommand, "mysql.schema", "", "no server knows COM_CREATE_DB and COM_DROP_DB any longer: we keep their bytes"},
	{mysqlwire.KindBinlogDumpGTID, "mysql.binlog.*", "", "tshark takes it for COM_BINLOG_DUMP"},
	{mysqlwire.KindBinlogEvent, "mysql.binlog.event_checksum", "", "tshark takes the last four bytes for a checksum, although the client asked for none"},
	{mysqlwire.KindStmtExecute, "mysql.new_parameter_bound_flag", "mysql/", attributes},
	{mysqlwire.KindStmtExecute, "mysql.exec.*", "mysql/", attributes},
	{mysqlwire.KindStmtExecute, "mysql.field.type", "mysql/", attributes},
	{mysqlwire.KindStmtExecute, "mysql.exec.field.long", "long-data", "tshark goes on taking parameters for streamed when their data was used up"},
	{mysqlwire.KindBinaryRow, "mysql.*", "cursors", "tshark does not know that COM_STMT_FETCH is answered with rows"},
	{mysqlwire.KindTextRow, "mysql.field.*", "no-metadata", "tshark waits for the definitions that OPTIONAL_RESULTSET_METADATA leaves out"},
	{mysqlwire.KindBinaryRow, "mysql.*", "no-metadata", "tshark waits for the definitions that OPTIONAL_RESULTSET_METADATA leaves out"},
	{mysqlwire.KindLocalInfile, "mysql.num_fields", "", "tshark takes it for a column count"},
	{mysqlwire.KindLocalInfile, "mysql.metadata_follows", "", "tshark takes it for a column count"},
	{mysqlwire.KindLocalInfile, "mysql.extra", "", "tshark takes it for a column count"},
	{mysqlwire.KindFileData, "mysql.command", "", asRequest},
}

// used counts how often each explanation was needed.
var used = make([]int, len(differences))

// explained finds the explanation of what tshark makes of a field.
func explained(w *wanted, f field) bool {
	_, topic, _ := strings.Cut(w.file, "/")
	for i, d := range differences {
		prefix, any := strings.CutSuffix(d.field, "*")
		if d.kind == w.e.Kind && (d.field == f.Name || any && strings.HasPrefix(f.Name, prefix)) &&
			(strings.HasPrefix(topic, d.file) || strings.HasPrefix(w.file, d.file)) {
			used[i]++
			return true
		}
	}
	return false
}
