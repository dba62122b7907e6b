package rule

import "strings"

// commands are the names the field cmd uses, by the first byte of a command.
var commands = map[byte]string{
	0x00: "sleep", 0x01: "quit", 0x02: "init_db", 0x03: "query", 0x04: "field_list", 0x05: "create_db", 0x06: "drop_db",
	0x07: "refresh", 0x08: "shutdown", 0x09: "statistics", 0x0a: "process_info", 0x0b: "connect", 0x0c: "process_kill",
	0x0d: "debug", 0x0e: "ping", 0x0f: "time", 0x10: "delayed_insert", 0x11: "change_user", 0x12: "binlog_dump",
	0x13: "table_dump", 0x14: "connect_out", 0x15: "register_slave", 0x16: "prepare", 0x17: "execute", 0x18: "long_data",
	0x19: "close", 0x1a: "reset", 0x1b: "set_option", 0x1c: "fetch", 0x1d: "daemon", 0x1e: "binlog_dump_gtid",
	0x1f: "reset_connection", 0x20: "clone", 0x21: "subscribe_group_replication_stream", 0xfa: "bulk_execute",
}

var commandNames = func() []string {
	var out []string
	for b := range 256 {
		if n, ok := commands[byte(b)]; ok {
			out = append(out, n)
		}
	}
	return out
}()

// CommandName is what the field cmd says for a command byte: query for 0x03, execute for 0x17;
// empty for bytes that are no command.
func CommandName(b byte) string { return commands[b] }

// parseCommand accepts the short name in any case, and COM_ names: COM_STMT_CLOSE is close.
func parseCommand(s string) (string, bool) {
	low := strings.TrimPrefix(strings.ToLower(s), "com_")
	low = strings.TrimPrefix(low, "stmt_")
	if low == "send_long_data" {
		low = "long_data"
	}
	for _, n := range commandNames {
		if n == low {
			return n, true
		}
	}
	return "", false
}
