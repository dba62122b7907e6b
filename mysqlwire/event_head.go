package mysqlwire

import (
	"encoding/binary"
	"fmt"
	"hash/crc32"
)

// Events that say where a binary log stands.
const (
	EventRotate      EventType = 4
	EventGTID        EventType = 33 // of MySQL
	EventMariaDBGTID EventType = 162
)

// EventHead is the fixed beginning of a binlog event, as it lies in the head of a frame.
type EventHead struct {
	Type      EventType
	ServerID  uint32
	EndPos    uint32 // where the next event begins in the file; 0 for events that are in none
	Flags     uint16
	SemiSync  bool // the packet has the two bytes of semi-synchronous replication
	AckWanted bool // and asks for an acknowledgement
	Data      int  // where the event's own data begin in the packet
}

// artificial events are made up by the server as it sends them: they lie in no file.
const artificial = 0x20

// Artificial reports whether the event lies in no file.
func (h *EventHead) Artificial() bool { return h.Flags&artificial != 0 }

// ReadEventHead reads the head of a KindBinlogEvent of n bytes in all, of which head has HeadLen or as
// many as there are. It does not allocate; ok is false where the packet is too short to be an event.
func ReadEventHead(head []byte, n int) (h EventHead, ok bool) {
	at := 1
	if len(head) > at && hasSemiSync(head[at:], n-at) {
		h.SemiSync, h.AckWanted = true, head[at+1] != 0
		at += 2
	}
	if len(head) < at+eventHeader {
		return EventHead{}, false
	}
	le := binary.LittleEndian
	e := head[at:]
	h.Type, h.ServerID = EventType(e[4]), le.Uint32(e[5:])
	h.EndPos, h.Flags = le.Uint32(e[13:]), le.Uint16(e[17:])
	h.Data = at + eventHeader
	return h, true
}

// Rotation reads an EventRotate: the file that the log goes on in and the position there. packet is
// the whole packet and h its head.
func (h *EventHead) Rotation(packet []byte) (file string, position uint64, ok bool) {
	if h.Type != EventRotate || len(packet) < h.Data+8 {
		return "", 0, false
	}
	name := packet[h.Data+8:]
	// The checksum behind it is there or not as the replica wished; it tells itself.
	if n := len(packet) - crc32.Size; len(name) > crc32.Size &&
		binary.LittleEndian.Uint32(packet[n:]) == crc32.ChecksumIEEE(packet[h.Data-eventHeader:n]) {
		name = name[:len(name)-crc32.Size]
	}
	return string(name), binary.LittleEndian.Uint64(packet[h.Data:]), true
}

// TransactionID names a transaction of a binary log. The zero value is none.
type TransactionID struct {
	source   [16]byte // MySQL's, a UUID
	domain   uint32   // MariaDB's
	server   uint32
	sequence uint64
	mariadb  bool
}

// Transaction reads the transaction that an EventGTID or EventMariaDBGTID begins. It does not allocate.
func (h *EventHead) Transaction(packet []byte) (id TransactionID, ok bool) {
	le := binary.LittleEndian
	data := packet[min(h.Data, len(packet)):]
	switch h.Type {
	case EventGTID: // flags, source, number
		if len(data) < 1+16+8 {
			return id, false
		}
		copy(id.source[:], data[1:])
		id.sequence = le.Uint64(data[17:])
	case EventMariaDBGTID:
		if len(data) < 12 {
			return id, false
		}
		id.sequence, id.domain, id.server, id.mariadb = le.Uint64(data), le.Uint32(data[8:]), h.ServerID, true
	default:
		return id, false
	}
	return id, true
}

// String is the id as its server writes it, "" for none.
func (id TransactionID) String() string {
	switch {
	case id == TransactionID{}:
		return ""
	case id.mariadb:
		return utoa(uint64(id.domain)) + "-" + utoa(uint64(id.server)) + "-" + utoa(id.sequence)
	}
	return uuid(id.source) + ":" + utoa(id.sequence)
}

// uuid is the usual form of 16 bytes.
func uuid(b [16]byte) string {
	return fmt.Sprintf("%x-%x-%x-%x-%x", b[:4], b[4:6], b[6:8], b[8:10], b[10:])
}
