package mysqlwire

import "fmt"

// Command is the first byte of a client's packet in the command phase.
type Command uint8

const (
	ComSleep                           Command = 0x00
	ComQuit                            Command = 0x01
	ComInitDB                          Command = 0x02
	ComQuery                           Command = 0x03
	ComFieldList                       Command = 0x04
	ComCreateDB                        Command = 0x05
	ComDropDB                          Command = 0x06
	ComRefresh                         Command = 0x07
	ComShutdown                        Command = 0x08
	ComStatistics                      Command = 0x09
	ComProcessInfo                     Command = 0x0a
	ComConnect                         Command = 0x0b
	ComProcessKill                     Command = 0x0c
	ComDebug                           Command = 0x0d
	ComPing                            Command = 0x0e
	ComTime                            Command = 0x0f
	ComDelayedInsert                   Command = 0x10
	ComChangeUser                      Command = 0x11
	ComBinlogDump                      Command = 0x12
	ComTableDump                       Command = 0x13
	ComConnectOut                      Command = 0x14
	ComRegisterSlave                   Command = 0x15
	ComStmtPrepare                     Command = 0x16
	ComStmtExecute                     Command = 0x17
	ComStmtSendLongData                Command = 0x18
	ComStmtClose                       Command = 0x19
	ComStmtReset                       Command = 0x1a
	ComSetOption                       Command = 0x1b
	ComStmtFetch                       Command = 0x1c
	ComDaemon                          Command = 0x1d
	ComBinlogDumpGTID                  Command = 0x1e
	ComResetConnection                 Command = 0x1f
	ComClone                           Command = 0x20
	ComSubscribeGroupReplicationStream Command = 0x21
	ComStmtBulkExecute                 Command = 0xfa // MariaDB
	ComMulti                           Command = 0xfe // MariaDB, removed
)

var commands = map[Command]struct {
	name  string // after COM_
	short string // in conditions and lists
	kind  Kind
}{
	ComSleep:                           {"SLEEP", "sleep", KindOtherCommand},
	ComQuit:                            {"QUIT", "quit", KindQuit},
	ComInitDB:                          {"INIT_DB", "init_db", KindInitDB},
	ComQuery:                           {"QUERY", "query", KindQuery},
	ComFieldList:                       {"FIELD_LIST", "field_list", KindFieldList},
	ComCreateDB:                        {"CREATE_DB", "create_db", KindOtherCommand},
	ComDropDB:                          {"DROP_DB", "drop_db", KindOtherCommand},
	ComRefresh:                         {"REFRESH", "refresh", KindRefresh},
	ComShutdown:                        {"SHUTDOWN", "shutdown", KindShutdown},
	ComStatistics:                      {"STATISTICS", "statistics", KindStatisticsCommand},
	ComProcessInfo:                     {"PROCESS_INFO", "process_info", KindProcessInfo},
	ComConnect:                         {"CONNECT", "connect", KindOtherCommand},
	ComProcessKill:                     {"PROCESS_KILL", "process_kill", KindProcessKill},
	ComDebug:                           {"DEBUG", "debug", KindDebug},
	ComPing:                            {"PING", "ping", KindPing},
	ComTime:                            {"TIME", "time", KindOtherCommand},
	ComDelayedInsert:                   {"DELAYED_INSERT", "delayed_insert", KindOtherCommand},
	ComChangeUser:                      {"CHANGE_USER", "change_user", KindChangeUser},
	ComBinlogDump:                      {"BINLOG_DUMP", "binlog_dump", KindBinlogDump},
	ComTableDump:                       {"TABLE_DUMP", "table_dump", KindOtherCommand},
	ComConnectOut:                      {"CONNECT_OUT", "connect_out", KindOtherCommand},
	ComRegisterSlave:                   {"REGISTER_SLAVE", "register_slave", KindRegisterSlave},
	ComStmtPrepare:                     {"STMT_PREPARE", "prepare", KindStmtPrepare},
	ComStmtExecute:                     {"STMT_EXECUTE", "execute", KindStmtExecute},
	ComStmtSendLongData:                {"STMT_SEND_LONG_DATA", "long_data", KindStmtSendLongData},
	ComStmtClose:                       {"STMT_CLOSE", "stmt_close", KindStmtClose},
	ComStmtReset:                       {"STMT_RESET", "stmt_reset", KindStmtReset},
	ComSetOption:                       {"SET_OPTION", "set_option", KindSetOption},
	ComStmtFetch:                       {"STMT_FETCH", "fetch", KindStmtFetch},
	ComDaemon:                          {"DAEMON", "daemon", KindOtherCommand},
	ComBinlogDumpGTID:                  {"BINLOG_DUMP_GTID", "binlog_dump_gtid", KindBinlogDumpGTID},
	ComResetConnection:                 {"RESET_CONNECTION", "reset_connection", KindResetConnection},
	ComClone:                           {"CLONE", "clone", KindOtherCommand},
	ComSubscribeGroupReplicationStream: {"SUBSCRIBE_GROUP_REPLICATION_STREAM", "group_replication", KindOtherCommand},
	ComStmtBulkExecute:                 {"STMT_BULK_EXECUTE", "bulk_execute", KindStmtBulkExecute},
	ComMulti:                           {"MULTI", "multi", KindOtherCommand},
}

// String is MySQL's name, COM_QUERY for example, or the number of an unknown command.
func (c Command) String() string {
	if i, ok := commands[c]; ok {
		return "COM_" + i.name
	}
	return fmt.Sprintf("COM_0x%02X", uint8(c))
}

// Short is the lower-case name used in conditions and narrow lists: query, prepare, execute.
func (c Command) Short() string {
	if i, ok := commands[c]; ok {
		return i.short
	}
	return fmt.Sprintf("0x%02x", uint8(c))
}

// Kind is the kind of the command's packet.
func (c Command) Kind() Kind {
	if i, ok := commands[c]; ok {
		return i.kind
	}
	return KindOtherCommand
}

// Answered reports whether the server sends anything back.
func (c Command) Answered() bool {
	return c != ComQuit && c != ComStmtClose && c != ComStmtSendLongData
}
