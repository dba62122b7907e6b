package mysqlwire

import (
	"encoding/binary"
	"time"
)

// BinlogEvent is one event of the stream that answers COM_BINLOG_DUMP: its header, and the rest as
// bytes.
type BinlogEvent struct {
	SemiSync  bool
	AckWanted uint8 // with SemiSync
	Timestamp uint32
	Type      EventType
	ServerID  uint32
	Length    uint32
	EndPos    uint32
	Flags     uint16
	Body      []byte
}

func (m *BinlogEvent) Kind() Kind { return KindBinlogEvent }
func (m *BinlogEvent) Decode(src []byte, cx *Context) error {
	*m = BinlogEvent{}
	return decode(m, src, cx)
}
func (m *BinlogEvent) fromServer() {}

const semiSyncMagic = 0xef

func (m *BinlogEvent) decode(c *cursor, _ *Context) {
	c.tag("header", 0)
	if hasSemiSync(c.b[min(c.off, len(c.b)):], len(c.b)-c.off) {
		m.SemiSync = true
		c.tag("semi_sync", semiSyncMagic)
		m.AckWanted = c.uint8("ack_wanted")
	}
	m.Timestamp = c.uint32("timestamp")
	c.note(func() string { return time.Unix(int64(m.Timestamp), 0).UTC().Format(time.DateTime + " UTC") })
	m.Type = EventType(c.uint8("event_type"))
	c.note(m.Type.String)
	m.ServerID = c.uint32("server_id")
	m.Length = c.uint32("event_length")
	m.EndPos = c.uint32("end_position")
	m.Flags = c.uint16("flags")
	m.Body = c.rest("body")
}

// Lengths in the header of an event.
const (
	eventHeader    = 19
	eventLengthOff = 9
)

// hasSemiSync tells two bytes in front of an event of n bytes from a timestamp that begins like them,
// by the length the event gives itself. b is the beginning of the event, its header at least.
func hasSemiSync(b []byte, n int) bool {
	if len(b) < eventHeader+2 || b[0] != semiSyncMagic {
		return false
	}
	le := binary.LittleEndian
	return uint64(le.Uint32(b[eventLengthOff:])) != uint64(n) && uint64(le.Uint32(b[2+eventLengthOff:])) == uint64(n-2)
}

func (m *BinlogEvent) Encode(dst []byte, _ *Context) ([]byte, error) {
	dst = append(dst, 0)
	if m.SemiSync {
		dst = append(dst, semiSyncMagic, m.AckWanted)
	}
	le := binary.LittleEndian
	dst = append(le.AppendUint32(dst, m.Timestamp), byte(m.Type))
	dst = le.AppendUint32(dst, m.ServerID)
	dst = le.AppendUint32(dst, m.Length)
	dst = le.AppendUint32(dst, m.EndPos)
	dst = le.AppendUint16(dst, m.Flags)
	return append(dst, m.Body...), nil
}

// EventType is the kind of a binlog event. MariaDB's own are from 160 on.
type EventType uint8

var eventTypeNames = map[EventType]string{
	0: "UNKNOWN_EVENT", 1: "START_EVENT_V3", 2: "QUERY_EVENT", 3: "STOP_EVENT", 4: "ROTATE_EVENT", 5: "INTVAR_EVENT",
	6: "LOAD_EVENT", 7: "SLAVE_EVENT", 8: "CREATE_FILE_EVENT", 9: "APPEND_BLOCK_EVENT", 10: "EXEC_LOAD_EVENT",
	11: "DELETE_FILE_EVENT", 12: "NEW_LOAD_EVENT",
	13: "RAND_EVENT", 14: "USER_VAR_EVENT", 15: "FORMAT_DESCRIPTION_EVENT", 16: "XID_EVENT",
	17: "BEGIN_LOAD_QUERY_EVENT", 18: "EXECUTE_LOAD_QUERY_EVENT", 19: "TABLE_MAP_EVENT",
	20: "PRE_GA_WRITE_ROWS_EVENT", 21: "PRE_GA_UPDATE_ROWS_EVENT", 22: "PRE_GA_DELETE_ROWS_EVENT",
	23: "WRITE_ROWS_EVENT_V1", 24: "UPDATE_ROWS_EVENT_V1", 25: "DELETE_ROWS_EVENT_V1", 26: "INCIDENT_EVENT",
	27: "HEARTBEAT_LOG_EVENT", 28: "IGNORABLE_LOG_EVENT", 29: "ROWS_QUERY_LOG_EVENT", 30: "WRITE_ROWS_EVENT",
	31: "UPDATE_ROWS_EVENT", 32: "DELETE_ROWS_EVENT", 33: "GTID_LOG_EVENT", 34: "ANONYMOUS_GTID_LOG_EVENT",
	35: "PREVIOUS_GTIDS_LOG_EVENT", 36: "TRANSACTION_CONTEXT_EVENT", 37: "VIEW_CHANGE_EVENT", 38: "XA_PREPARE_LOG_EVENT",
	39: "PARTIAL_UPDATE_ROWS_EVENT", 40: "TRANSACTION_PAYLOAD_EVENT", 41: "HEARTBEAT_LOG_EVENT_V2",
	42:  "GTID_TAGGED_LOG_EVENT",
	160: "ANNOTATE_ROWS_EVENT", 161: "BINLOG_CHECKPOINT_EVENT", 162: "GTID_EVENT", 163: "GTID_LIST_EVENT",
	164: "START_ENCRYPTION_EVENT", 165: "QUERY_COMPRESSED_EVENT", 166: "WRITE_ROWS_COMPRESSED_EVENT_V1",
	167: "UPDATE_ROWS_COMPRESSED_EVENT_V1", 168: "DELETE_ROWS_COMPRESSED_EVENT_V1", 169: "WRITE_ROWS_COMPRESSED_EVENT",
	170: "UPDATE_ROWS_COMPRESSED_EVENT", 171: "DELETE_ROWS_COMPRESSED_EVENT",
}

func (t EventType) String() string {
	if n, ok := eventTypeNames[t]; ok {
		return n
	}
	return "event " + itoa(int(t))
}
