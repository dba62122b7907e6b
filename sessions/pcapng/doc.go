// Package pcapng reads and writes capture files block by block: pcapng, and for reading the older
// pcap as well, in either byte order. It knows nothing of networks or of MySQL.
//
// A Reader hands out one packet or custom block at a time, in memory that the next one reuses, with
// its place in the file, so that an index can be built of a file of any size and the bytes read again
// when they are wanted. A file that ends in the middle of a block is read up to the last whole one.
//
// A Writer appends whole blocks to a buffer; whoever owns it decides when that goes to disk. Formats:
// draft-ietf-opsawg-pcapng and draft-ietf-opsawg-pcap.
package pcapng

// Block types.
const (
	blockSection   = 0x0A0D0D0A
	blockInterface = 0x00000001
	blockPacket    = 0x00000002 // obsolete, written until about 2010
	blockSimple    = 0x00000003
	blockEnhanced  = 0x00000006
	blockCustom    = 0x00000BAD // may be copied
	blockCustomNo  = 0x40000BAD // may not
)

// Options of blocks.
const (
	optEnd       = 0
	optComment   = 1
	optName      = 2 // if_name
	optHardware  = 2 // shb_hardware
	optOS        = 3
	optUserAppl  = 4
	optFlags     = 2 // epb_flags
	optTSResol   = 9
	optTSOffset  = 14
	byteOrder    = 0x1A2B3C4D
	minimumBlock = 12
)

// maxBlock is the longest block that is believed. Packets have 256 KiB at most in practice.
const maxBlock = 64 << 20

// LinkType says what a packet begins with.
type LinkType uint16

// Link types that this program makes or decodes by itself.
const (
	LinkNull      LinkType = 0 // a protocol family in the capturing machine's byte order
	LinkEthernet  LinkType = 1
	LinkRaw       LinkType = 101 // IPv4 or IPv6
	LinkLoop      LinkType = 108 // a protocol family in network byte order
	LinkLinuxSLL  LinkType = 113
	LinkIPv4      LinkType = 228
	LinkIPv6      LinkType = 229
	LinkLinuxSLL2 LinkType = 276
)

// Direction of a packet as epb_flags has it.
type Direction uint8

const (
	Unknown Direction = iota
	Inbound
	Outbound
)
