package mysqlwire

import "strconv"

// Kind says what a payload is. Commands have the kind of their Command byte (see Command.Kind).
type Kind uint8

const (
	KindUnknown Kind = iota

	// Connection phase.
	KindGreeting   // Protocol::HandshakeV10
	KindSSLRequest // Protocol::SSLRequest
	KindLogin      // Protocol::HandshakeResponse41
	KindAuthSwitch // Protocol::AuthSwitchRequest
	KindOldAuth    // Protocol::OldAuthSwitchRequest, one byte
	KindAuthMore   // Protocol::AuthMoreData
	KindNextFactor // Protocol::AuthNextFactor
	KindAuthData   // a plugin's bytes without header, either way

	// Answers.
	KindOK
	KindERR
	KindEOF
	KindProgress // MariaDB progress report
	KindColumnCount
	KindColumn // Protocol::ColumnDefinition41
	KindTextRow
	KindBinaryRow
	KindPrepareOK // COM_STMT_PREPARE_OK
	KindParam     // parameter definition after KindPrepareOK
	KindLocalInfile
	KindFileData    // client's bytes for LOCAL INFILE
	KindSemiSyncAck // a replica's, in the middle of the binary log
	KindStatistics
	KindBinlogEvent
	KindOpaque // a stream nobody follows any more

	// Commands.
	KindQuit
	KindInitDB
	KindQuery
	KindFieldList
	KindRefresh
	KindShutdown
	KindStatisticsCommand
	KindProcessInfo
	KindProcessKill
	KindDebug
	KindPing
	KindChangeUser
	KindBinlogDump
	KindRegisterSlave
	KindStmtPrepare
	KindStmtExecute
	KindStmtSendLongData
	KindStmtClose
	KindStmtReset
	KindSetOption
	KindStmtFetch
	KindBinlogDumpGTID
	KindResetConnection
	KindStmtBulkExecute
	KindOtherCommand // internal, removed or unknown commands

	kinds // count
)

var kindNames = [kinds]string{
	KindUnknown: "unknown", KindGreeting: "HandshakeV10", KindSSLRequest: "SSLRequest", KindLogin: "HandshakeResponse41",
	KindAuthSwitch: "AuthSwitchRequest", KindOldAuth: "OldAuthSwitchRequest", KindAuthMore: "AuthMoreData",
	KindNextFactor: "AuthNextFactor", KindAuthData: "auth data",
	KindOK: "OK", KindERR: "ERR", KindEOF: "EOF", KindProgress: "progress", KindColumnCount: "column count",
	KindColumn: "ColumnDefinition41", KindTextRow: "text row", KindBinaryRow: "binary row", KindPrepareOK: "COM_STMT_PREPARE_OK",
	KindParam: "parameter definition", KindLocalInfile: "LOCAL INFILE request", KindFileData: "LOCAL INFILE data",
	KindSemiSyncAck: "semi-sync acknowledgement",
	KindStatistics:  "statistics", KindBinlogEvent: "binlog event", KindOpaque: "opaque",
	KindQuit: "COM_QUIT", KindInitDB: "COM_INIT_DB", KindQuery: "COM_QUERY", KindFieldList: "COM_FIELD_LIST",
	KindRefresh: "COM_REFRESH", KindShutdown: "COM_SHUTDOWN", KindStatisticsCommand: "COM_STATISTICS",
	KindProcessInfo: "COM_PROCESS_INFO", KindProcessKill: "COM_PROCESS_KILL", KindDebug: "COM_DEBUG", KindPing: "COM_PING",
	KindChangeUser: "COM_CHANGE_USER", KindBinlogDump: "COM_BINLOG_DUMP", KindRegisterSlave: "COM_REGISTER_SLAVE",
	KindStmtPrepare: "COM_STMT_PREPARE", KindStmtExecute: "COM_STMT_EXECUTE", KindStmtSendLongData: "COM_STMT_SEND_LONG_DATA",
	KindStmtClose: "COM_STMT_CLOSE", KindStmtReset: "COM_STMT_RESET", KindSetOption: "COM_SET_OPTION",
	KindStmtFetch: "COM_STMT_FETCH", KindBinlogDumpGTID: "COM_BINLOG_DUMP_GTID", KindResetConnection: "COM_RESET_CONNECTION",
	KindStmtBulkExecute: "COM_STMT_BULK_EXECUTE", KindOtherCommand: "command",
}

func (k Kind) String() string {
	if k < kinds {
		return kindNames[k]
	}
	return "kind " + strconv.Itoa(int(k))
}

// IsCommand reports whether k is a client's command.
func (k Kind) IsCommand() bool { return k >= KindQuit && k < kinds }

// IsRow reports whether k is a row of a result set.
func (k Kind) IsRow() bool { return k == KindTextRow || k == KindBinaryRow }
