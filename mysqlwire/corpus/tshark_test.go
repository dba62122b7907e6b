package corpus

import (
	"encoding/binary"
	"encoding/xml"
	"errors"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"mydbg/mysqlwire"
	"mydbg/mysqlwire/wiretext"
)

// ipHeaders are those in front of the TCP payload, which is where tshark counts from.
const ipHeaders = 20 + 20

// segment is the largest payload of a made-up TCP segment.
const segment = 65000

// wanted is one frame of a capture: a packet of a conversation, or nil for what tshark should skip.
type wanted struct {
	file  string
	n     int // from 1
	e     wiretext.Explained
	whole bool
}

// capture is a pcap file that holds conversations as made-up TCP connections.
type capture struct {
	b      []byte
	frames []*wanted
}

func newCapture() *capture {
	c := &capture{}
	for _, v := range []uint32{0xa1b2c3d4, 2 | 4<<16, 0, 0, 1 << 18, 101} { // raw IP
		c.b = binary.LittleEndian.AppendUint32(c.b, v)
	}
	return c
}

// flow is one connection in a capture.
type flow struct {
	c    *capture
	port uint16
	sent [2]uint32 // next sequence numbers by direction
}

// add writes one IP packet.
func (f *flow) add(w *wanted, dir mysqlwire.Direction, flags byte, payload []byte) {
	const server = 3306
	from, to := f.port, uint16(server)
	src, dst := byte(1), byte(2)
	if dir == mysqlwire.ToClient {
		from, to, src, dst = to, from, dst, src
	}
	n := ipHeaders + len(payload)
	h := make([]byte, 0, 16+ipHeaders)
	i := uint32(len(f.c.frames))
	for _, v := range []uint32{i, 0, uint32(n), uint32(n)} {
		h = binary.LittleEndian.AppendUint32(h, v)
	}
	h = append(h, 0x45, 0, byte(n>>8), byte(n), 0, 0, 0, 0, 64, 6, 0, 0, 10, 0, 0, src, 10, 0, 0, dst)
	h = binary.BigEndian.AppendUint16(h, from)
	h = binary.BigEndian.AppendUint16(h, to)
	h = binary.BigEndian.AppendUint32(h, f.sent[dir])
	h = binary.BigEndian.AppendUint32(h, f.sent[1-dir])
	h = append(h, 5<<4, flags, 0xff, 0xff, 0, 0, 0, 0)
	f.c.b = append(append(f.c.b, h...), payload...)
	f.sent[dir] += uint32(len(payload))
	if flags&2 != 0 {
		f.sent[dir]++
	}
	f.c.frames = append(f.c.frames, w)
}

const syn, ack, push = 2, 16, 8

// conversation writes a conversation, a TCP segment for each packet. Payloads that need several are
// reassembled by tshark, which then counts from elsewhere: they are not compared.
func (c *capture) conversation(file string, port uint16, packets []*wanted) {
	f := &flow{c: c, port: port}
	f.add(nil, mysqlwire.ToServer, syn, nil)
	f.add(nil, mysqlwire.ToClient, syn|ack, nil)
	f.add(nil, mysqlwire.ToServer, ack, nil)
	for _, w := range packets {
		b, _ := mysqlwire.AppendPacket(nil, w.e.Payload, w.e.Seq)
		w.whole = len(b) <= segment
		for len(b) > 0 {
			n := min(len(b), segment)
			mark := w
			if !w.whole {
				mark = nil
			}
			f.add(mark, w.e.Dir, ack|push, b[:n])
			b = b[n:]
		}
	}
}

// field is an element of tshark's PDML.
type field struct {
	XMLName  xml.Name
	Name     string  `xml:"name,attr"`
	Show     string  `xml:"show,attr"`
	ShowName string  `xml:"showname,attr"`
	Value    string  `xml:"value,attr"`
	Size     int     `xml:"size,attr"`
	Pos      int     `xml:"pos,attr"`
	Fields   []field `xml:",any"`
}

// tshark returns what the dissector makes of every frame.
func tshark(t *testing.T, c *capture, each func(w *wanted, mysql []field)) {
	t.Helper()
	program, err := exec.LookPath("tshark")
	if err != nil {
		t.Skipf("%v: apt-get install tshark", err)
	}
	path := filepath.Join(t.TempDir(), "corpus.pcap")
	if err := os.WriteFile(path, c.b, 0o600); err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(t.Context(), program, "-n", "-r", path, "-T", "pdml", "-d", "tcp.port==3306,mysql")
	cmd.Env = append(os.Environ(), "HOME="+t.TempDir(), "LC_ALL=C.UTF-8") // nobody's preferences
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	var bad strings.Builder
	cmd.Stderr = &bad
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	d := xml.NewDecoder(out)
	d.Strict = false
	n := 0
	for {
		tok, err := d.Token()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			t.Fatalf("tshark's PDML: %v", err)
		}
		start, ok := tok.(xml.StartElement)
		if !ok || start.Name.Local != "packet" {
			continue
		}
		var packet field
		if err := d.DecodeElement(&packet, &start); err != nil {
			t.Fatalf("tshark's PDML: %v", err)
		}
		w := c.frames[n]
		n++
		if w == nil {
			continue
		}
		var mysql []field
		for _, p := range packet.Fields {
			if p.Name == "mysql" {
				mysql = append(mysql, p)
			}
		}
		each(w, mysql)
	}
	if err := cmd.Wait(); err != nil {
		t.Fatalf("tshark: %v: %s", err, &bad)
	}
	if n != len(c.frames) {
		t.Errorf("tshark saw %d frames of %d: %s", n, len(c.frames), &bad)
	}
}
