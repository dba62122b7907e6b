package pcapng

import (
	"encoding/binary"
)

// Writer appends blocks to Buf, little-endian. Each method appends one whole block.
type Writer struct {
	Buf []byte
}

// Section begins a section; application says who writes it.
func (w *Writer) Section(application string) {
	start := w.begin(blockSection)
	w.uint32(byteOrder)
	w.Buf = append(w.Buf, 1, 0, 0, 0) // version 1.0
	w.Buf = append(w.Buf, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff)
	w.option(optUserAppl, application)
	w.endOptions()
	w.end(start)
}

// Interface describes the section's next interface, whose packets' times are in nanoseconds.
func (w *Writer) Interface(name string, link LinkType) {
	start := w.begin(blockInterface)
	w.uint16(uint16(link))
	w.uint16(0)
	w.uint32(0) // no limit on the length of packets
	w.option(optName, name)
	w.option(optTSResol, "\x09")
	w.endOptions()
	w.end(start)
}

// Packet appends a packet that is in two parts, headers and data. at is in nanoseconds since 1970.
// An empty comment is left out.
func (w *Writer) Packet(iface int, at int64, dir Direction, head, data []byte, comment string) {
	start := w.begin(blockEnhanced)
	n := len(head) + len(data)
	w.uint32(uint32(iface))
	w.uint32(uint32(uint64(at) >> 32))
	w.uint32(uint32(at))
	w.uint32(uint32(n))
	w.uint32(uint32(n))
	w.Buf = append(w.Buf, head...)
	w.Buf = append(w.Buf, data...)
	w.pad(n)
	if comment != "" {
		const most = 0xfffc
		w.option(optComment, comment[:min(len(comment), most)])
	}
	if dir != Unknown {
		w.Buf = append(w.Buf, optFlags, 0, 4, 0, byte(dir), 0, 0, 0)
	}
	if comment != "" || dir != Unknown {
		w.endOptions()
	}
	w.end(start)
}

// Custom appends a block of a private enterprise that tools may copy.
func (w *Writer) Custom(enterprise uint32, data []byte) {
	start := w.begin(blockCustom)
	w.uint32(enterprise)
	w.Buf = append(w.Buf, data...)
	w.pad(len(data))
	w.end(start)
}

func (w *Writer) begin(kind uint32) (start int) {
	start = len(w.Buf)
	w.uint32(kind)
	w.uint32(0) // total length, known at the end
	return start
}

func (w *Writer) end(start int) {
	n := uint32(len(w.Buf) - start + 4)
	w.uint32(n)
	binary.LittleEndian.PutUint32(w.Buf[start+4:], n)
}

func (w *Writer) option(code uint16, value string) {
	w.uint16(code)
	w.uint16(uint16(len(value)))
	w.Buf = append(w.Buf, value...)
	w.pad(len(value))
}

func (w *Writer) endOptions() { w.uint32(optEnd) }

func (w *Writer) pad(n int) {
	for ; n%4 != 0; n++ {
		w.Buf = append(w.Buf, 0)
	}
}

func (w *Writer) uint16(v uint16) { w.Buf = binary.LittleEndian.AppendUint16(w.Buf, v) }
func (w *Writer) uint32(v uint32) { w.Buf = binary.LittleEndian.AppendUint32(w.Buf, v) }
