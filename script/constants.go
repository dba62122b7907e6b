package script

import (
	lua "github.com/yuin/gopher-lua"

	"mydbg/intercept"
)

// What hooks return.
const (
	sendQuery    = 1
	sendResult   = 2
	sendInjected = 3 // not exported to scripts
	ignoreResult = 4
)

// What proxy.response.type says.
const (
	packetOK  = 0
	packetRaw = 250
	packetERR = 255
)

const (
	stateUnknown = 0
	stateUp      = 1
	stateDown    = 2
)

const proxyVersion = 0x000805

type constant struct {
	name  string
	value int
}

// constants are the fields of proxy, in the order that pairs shows them.
var constants = []constant{
	{"PROXY_VERSION", proxyVersion},
	{"PROXY_SEND_QUERY", sendQuery},
	{"PROXY_SEND_RESULT", sendResult},
	{"PROXY_IGNORE_RESULT", ignoreResult},
	{"MYSQLD_PACKET_OK", packetOK},
	{"MYSQLD_PACKET_ERR", packetERR},
	{"MYSQLD_PACKET_RAW", packetRaw},
	{"BACKEND_STATE_UNKNOWN", stateUnknown},
	{"BACKEND_STATE_UP", stateUp},
	{"BACKEND_STATE_DOWN", stateDown},
	{"BACKEND_TYPE_UNKNOWN", 0},
	{"BACKEND_TYPE_RW", 1},
	{"BACKEND_TYPE_RO", 2},
	{"COM_SLEEP", 0},
	{"COM_QUIT", 1},
	{"COM_INIT_DB", 2},
	{"COM_QUERY", 3},
	{"COM_FIELD_LIST", 4},
	{"COM_CREATE_DB", 5},
	{"COM_DROP_DB", 6},
	{"COM_REFRESH", 7},
	{"COM_SHUTDOWN", 8},
	{"COM_STATISTICS", 9},
	{"COM_PROCESS_INFO", 10},
	{"COM_CONNECT", 11},
	{"COM_PROCESS_KILL", 12},
	{"COM_DEBUG", 13},
	{"COM_PING", 14},
	{"COM_TIME", 15},
	{"COM_DELAYED_INSERT", 16},
	{"COM_CHANGE_USER", 17},
	{"COM_BINLOG_DUMP", 18},
	{"COM_TABLE_DUMP", 19},
	{"COM_CONNECT_OUT", 20},
	{"COM_REGISTER_SLAVE", 21},
	{"COM_STMT_PREPARE", 22},
	{"COM_STMT_EXECUTE", 23},
	{"COM_STMT_SEND_LONG_DATA", 24},
	{"COM_STMT_CLOSE", 25},
	{"COM_STMT_RESET", 26},
	{"COM_SET_OPTION", 27},
	{"COM_STMT_FETCH", 28},
	{"COM_DAEMON", 29},
	{"MYSQL_TYPE_DECIMAL", 0},
	{"MYSQL_TYPE_TINY", 1},
	{"MYSQL_TYPE_SHORT", 2},
	{"MYSQL_TYPE_LONG", 3},
	{"MYSQL_TYPE_FLOAT", 4},
	{"MYSQL_TYPE_DOUBLE", 5},
	{"MYSQL_TYPE_NULL", 6},
	{"MYSQL_TYPE_TIMESTAMP", 7},
	{"MYSQL_TYPE_LONGLONG", 8},
	{"MYSQL_TYPE_INT24", 9},
	{"MYSQL_TYPE_DATE", 10},
	{"MYSQL_TYPE_TIME", 11},
	{"MYSQL_TYPE_DATETIME", 12},
	{"MYSQL_TYPE_YEAR", 13},
	{"MYSQL_TYPE_NEWDATE", 14},
	{"MYSQL_TYPE_BIT", 16},
	{"MYSQL_TYPE_NEWDECIMAL", 246},
	{"MYSQL_TYPE_ENUM", 247},
	{"MYSQL_TYPE_SET", 248},
	{"MYSQL_TYPE_TINY_BLOB", 249},
	{"MYSQL_TYPE_MEDIUM_BLOB", 250},
	{"MYSQL_TYPE_LONG_BLOB", 251},
	{"MYSQL_TYPE_BLOB", 252},
	{"MYSQL_TYPE_VAR_STRING", 253},
	{"MYSQL_TYPE_STRING", 254},
	{"MYSQL_TYPE_GEOMETRY", 255},
}

// extras are constants MySQL Proxy has not, though scripts written for it name some of them. They can
// be read, and pairs does not show them.
var extras = []constant{
	{"MYSQLD_PACKET_EOF", 254},
	{"MYSQLD_PACKET_NULL", 251},
	{"MYSQL_TYPE_VARCHAR", 15},
	{"MYSQL_TYPE_JSON", 245},
	{"COM_BINLOG_DUMP_GTID", 30},
	{"COM_RESET_CONNECTION", 31},
}

// openProxy makes the proxy table.
func (u *universe) openProxy() {
	l := u.l
	u.makeKinds()
	u.global = l.NewTable()
	u.global.RawSetString("config", l.NewTable())
	u.shared = l.CreateTable(0, len(constants)+1)
	for _, c := range constants {
		u.shared.RawSetString(c.name, lua.LNumber(c.value))
	}
	u.shared.RawSetString("global", u.global)
	fall := l.NewTable()
	for _, c := range extras {
		fall.RawSetString(c.name, lua.LNumber(c.value))
	}
	u.extras = l.NewTable()
	u.extras.RawSetString("__index", fall)
	u.layer = l.NewTable()
	u.shared.Metatable = u.layer
	u.global.RawSetString("backends", u.userdata(u.kinds.backends, nil))
	l.SetGlobal("proxy", u.shared)
}

// private makes the part of proxy that belongs to one connection.
func (u *universe) private(c *conn) *lua.LTable {
	t := u.l.NewTable()
	t.Metatable = u.extras
	t.RawSetString("connection", u.userdata(u.kinds.connection, c))
	t.RawSetString("queries", u.userdata(u.kinds.queries, &c.queue))
	t.RawSetString("response", u.l.NewTable())
	return t
}

// use makes t the part of proxy that scripts see.
func (u *universe) use(t *lua.LTable, of *intercept.Conn) {
	u.current = of
	u.layer.RawSetString("__index", t)
	u.layer.RawSetString("__newindex", t)
}
