package mysqlwire

import (
	"bytes"
	"context"
	"database/sql"
	"net"
	"reflect"
	"strconv"
	"sync"
	"testing"

	"github.com/go-sql-driver/mysql"

	"mydbg/mysqlwire/value"
)

// A driver reads every type from real servers. The packets it was sent must encode to the same
// bytes, and their cells must say what the driver says.

// recorded is what crossed one connection, in order.
type recorded struct {
	net.Conn
	mu     sync.Mutex
	chunks []chunk
}

type chunk struct {
	dir  Direction
	data []byte
}

func (r *recorded) add(dir Direction, b []byte) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.chunks = append(r.chunks, chunk{dir, bytes.Clone(b)})
}

func (r *recorded) Read(b []byte) (int, error) {
	n, err := r.Conn.Read(b)
	r.add(ToClient, b[:n])
	return n, err
}

func (r *recorded) Write(b []byte) (int, error) {
	r.add(ToServer, b)
	return r.Conn.Write(b)
}

// answered is an answer with what decodes it.
type answered struct {
	Answer
	cx *Context
}

// answers puts the packets together, and checks that each encodes to itself.
func (r *recorded) answers(t *testing.T) []answered {
	t.Helper()
	r.mu.Lock()
	defer r.mu.Unlock()
	var d Decoder
	d.KeepColumns = true
	var list []answered
	var cur *answered
	var buf [2][]byte
	for _, c := range r.chunks {
		buf[c.dir] = append(buf[c.dir], c.data...)
		for len(buf[c.dir]) >= HeaderLen {
			b := buf[c.dir]
			h := ParseHeader(b)
			if len(b) < HeaderLen+h.Len {
				break
			}
			payload := b[HeaderLen : HeaderLen+h.Len]
			buf[c.dir] = b[HeaderLen+h.Len:]
			f, err := d.Next(c.dir, h, payload[:min(h.Len, HeadLen)])
			if err != nil {
				t.Fatal(err)
			}
			if n := d.Need(f); n > 0 {
				d.Note(f, payload)
			}
			cx := d.Context()
			m, err := Decode(f.Kind, payload, cx)
			if err != nil {
				t.Fatalf("%x: %v", payload, err)
			}
			if out, err := m.Encode(nil, cx); err != nil || !bytes.Equal(out, payload) {
				t.Errorf("%s: got %x %v, want %x", f.Kind, out, err, payload)
			}
			if c.dir == ToServer {
				cur = &answered{Answer: Answer{Command: d.Command()}}
				continue
			}
			if cur == nil {
				continue
			}
			cur.Packets = append(cur.Packets, Packet{f.Kind, payload})
			if f.Ends {
				cur.cx = cx
				list = append(list, *cur)
				cur = nil
			}
		}
	}
	return list
}

func TestLabRows(t *testing.T) {
	for _, server := range []string{"MARIADB", "MYSQL"} {
		for _, prepared := range []bool{false, true} {
			t.Run(server+", prepared "+strconv.FormatBool(prepared), func(t *testing.T) {
				rec, said := readAllTypes(t, labVar(t, server+"_DSN"), prepared)
				for _, a := range rec.answers(t) {
					results, err := a.Results(a.cx)
					if err != nil {
						t.Fatal(err)
					}
					for i := range results {
						if results[i].Rows.Len() == len(said) && len(results[i].Columns) == len(said[0]) {
							checkCells(t, &results[i], said)
							checkRebuilt(t, a, &results[i])
							return
						}
					}
				}
				t.Error("the answer was not recorded")
			})
		}
	}
}

// readAllTypes is what the driver makes of the table, nil for NULL.
func readAllTypes(t *testing.T, dsn string, prepared bool) (*recorded, [][]sql.RawBytes) {
	t.Helper()
	cfg, err := mysql.ParseDSN(dsn)
	if err != nil {
		t.Fatal(err)
	}
	rec := &recorded{}
	cfg.DialFunc = func(ctx context.Context, network, addr string) (net.Conn, error) {
		conn, err := (&net.Dialer{}).DialContext(ctx, network, addr)
		rec.Conn = conn
		return rec, err
	}
	connector, err := mysql.NewConnector(cfg)
	if err != nil {
		t.Fatal(err)
	}
	db := sql.OpenDB(connector)
	defer db.Close()
	db.SetMaxOpenConns(1)
	query, args := "SELECT * FROM all_types ORDER BY id", []any{}
	if prepared {
		query, args = "SELECT * FROM all_types WHERE id > ? ORDER BY id", []any{0}
	}
	rows, err := db.Query(query, args...)
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	names, err := rows.Columns()
	if err != nil {
		t.Fatal(err)
	}
	var said [][]sql.RawBytes
	for rows.Next() {
		cells := make([]sql.RawBytes, len(names))
		targets := make([]any, len(names))
		for i := range cells {
			targets[i] = &cells[i]
		}
		if err := rows.Scan(targets...); err != nil {
			t.Fatal(err)
		}
		for i := range cells {
			cells[i] = bytes.Clone(cells[i])
		}
		said = append(said, cells)
	}
	if err := rows.Err(); err != nil {
		t.Fatal(err)
	}
	if len(said) == 0 {
		t.Fatal("all_types is empty")
	}
	return rec, said
}

func checkCells(t *testing.T, r *Result, said [][]sql.RawBytes) {
	t.Helper()
	for i := range r.Rows.Len() {
		row, err := r.Rows.Row(i)
		if err != nil {
			t.Fatal(err)
		}
		for j := range row.Len() {
			col := &r.Columns[j]
			got, want := row.Bytes(j), []byte(said[i][j])
			if (got == nil) != (want == nil) || !sameText(col.Type, got, want) {
				t.Errorf("row %d, %s %s: got %q, want %q", i+1, col.Name, col.TypeName(), got, want)
			}
			if row.Null(j) {
				continue
			}
			v, err := row.Value(j)
			if err != nil {
				t.Errorf("row %d, %s: %v", i+1, col.Name, err)
			}
			again, err := col.Spec().Parse(row.Text(j))
			if err != nil {
				t.Errorf("row %d, %s %s: what is shown does not parse: %v", i+1, col.Name, col.TypeName(), err)
			} else if !reflect.DeepEqual(again, v) {
				t.Errorf("row %d, %s %s: got %v from %q, want %v", i+1, col.Name, col.TypeName(), again, row.Text(j), v)
			}
		}
	}
}

// sameText allows for the driver's own spelling of numbers.
func sameText(t value.Type, a, b []byte) bool {
	switch t {
	case value.Float, value.Double, value.Tiny, value.Short, value.Int24, value.Long, value.LongLong, value.Year:
		x, err := strconv.ParseFloat(string(a), 64)
		y, err2 := strconv.ParseFloat(string(b), 64)
		if err == nil && err2 == nil && (x == y || t == value.Float && float32(x) == float32(y)) {
			return true
		}
	}
	return bytes.Equal(a, b)
}

// checkRebuilt makes the rows again from their typed values, as text and in binary.
func checkRebuilt(t *testing.T, a answered, r *Result) {
	t.Helper()
	rs, err := r.ResultSet()
	if err != nil {
		t.Fatal(err)
	}
	packets, err := rs.Packets(a.cx, r.Binary)
	if err != nil {
		t.Fatal(err)
	}
	built := packets[len(packets)-1-r.Rows.Len():]
	for i := range r.Rows.Len() {
		if !bytes.Equal(built[i].Payload, r.Rows.Raw(i)) {
			t.Errorf("row %d: got %x, want %x", i+1, built[i].Payload, r.Rows.Raw(i))
		}
	}
}
