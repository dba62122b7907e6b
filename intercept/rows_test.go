package intercept_test

import (
	"fmt"
	"strings"
	"testing"

	"mydbg/intercept"
	"mydbg/intercept/intercepttest"
	"mydbg/mysqlwire"
)

// TestTenMillionRowsTakeLittleMemory relays them between scripted ends.
func TestTenMillionRowsTakeLittleMemory(t *testing.T) {
	if testing.Short() {
		t.Skip("moves several hundred megabytes")
	}
	e := intercepttest.NewEnds(t, intercept.Options{}, intercepttest.ClientCaps, false)
	defer func() { _ = e.Close() }()
	p := intercepttest.Proxied(t, e.Proxy)
	e.Client.Seq, e.Server.Seq = 0, 0
	if err := e.Client.Send([]byte("\x03select n from numbers")); err != nil {
		t.Fatal(err)
	}
	if _, err := e.Server.Receive(); err != nil {
		t.Fatal(err)
	}
	const rows, perWrite = 10_000_000, 2048 // after which packet numbers are where they were
	column := mysqlwire.TextColumn("n")
	definition, err := column.Encode(nil, nil)
	if err != nil {
		t.Fatal(err)
	}
	head, seq := mysqlwire.AppendPacket(nil, []byte{1}, 1)
	head, seq = mysqlwire.AppendPacket(head, definition, seq)
	var batch []byte
	for range perWrite {
		batch, seq = mysqlwire.AppendPacket(batch, []byte("\x0812345678"), seq)
	}
	size := len(batch) / perWrite
	left := rows % perWrite
	tail, _ := mysqlwire.AppendPacket(batch[:left*size:left*size], []byte{0xfe, 0, 0, 2, 0, 0, 0}, 3+uint8(left%256))

	total := len(head) + rows*size + len(tail) - left*size
	read := make(chan int, 1)
	go func() { // ends when all has come, or with the session
		n, b := 0, make([]byte, 256<<10)
		for n < total {
			m, err := e.Client.Read(b)
			n += m
			if err != nil {
				break
			}
		}
		read <- n
	}()
	grown := mostLive(func() {
		for _, b := range append(append([][]byte{head}, slicesOf(batch, rows/perWrite)...), tail) {
			if err := e.Server.Write(b); err != nil {
				t.Error(err)
				return
			}
		}
		if got := <-read; got != total {
			t.Errorf("%d of %d bytes came", got, total)
		}
	})
	if x := p.Finished("select n from numbers"); x.Rows != rows || x.State != intercept.Done || x.BytesOut != uint64(total) {
		t.Errorf("the journal has %+v", x)
	}
	const most = 8 << 20
	if grown > most {
		t.Errorf("%d bytes of memory were in use, at most %d should", grown, most)
	}
}

// slicesOf is n times the same.
func slicesOf(b []byte, n int) [][]byte {
	list := make([][]byte, n)
	for i := range list {
		list[i] = b
	}
	return list
}

// TestAMillionRowsOfAServer in text and in binary, while nobody holds them.
func TestAMillionRowsOfAServer(t *testing.T) {
	if testing.Short() {
		t.Skip("moves several hundred megabytes")
	}
	const rows = 1_000_000
	eachReal(t, func(t *testing.T, s intercepttest.Server, p *intercepttest.Proxy) {
		from := fmt.Sprintf("seq_1_to_%d", rows)
		if !strings.HasPrefix(s.Name, "mariadb") { // five thousand times two hundred
			from = "(select 1 from order_items a cross join order_items b limit 1000000) x"
		}
		stmt := "select repeat('x', 100) from " + from
		for _, prepared := range []bool{false, true} {
			c := client(t, &s, p.Addr, 0)
			command := query(c, stmt)
			if prepared {
				command = execute(c, c.Prepare(stmt), 0)
			}
			grown := mostLive(func() {
				c.Send(command)
				if n := c.Drain(); n < rows*100 {
					t.Errorf("%d bytes came", n)
				}
			})
			const most = 16 << 20
			if grown > most {
				t.Errorf("prepared=%v: %d bytes of memory were in use, at most %d should", prepared, grown, most)
			}
			p.Until("the rows are counted", func() bool {
				list, _ := p.Journal.Since(0, nil)
				last := list[len(list)-1]
				return last.Rows == rows && last.State == intercept.Done
			})
		}
	})
}
