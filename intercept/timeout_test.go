package intercept_test

import (
	"database/sql"
	"io"
	"net"
	"strings"
	"testing"
	"time"

	"mydbg/intercept"
	"mydbg/intercept/intercepttest"
)

// A connection on which nobody says anything ends, and says by which option.
func TestReadTimeout(t *testing.T) {
	for _, s := range intercepttest.Servers(t, nil) {
		t.Run(s.Name, func(t *testing.T) {
			p := intercepttest.NewProxy(t, intercept.Options{ReadTimeout: 100 * time.Millisecond}, s.Addr)
			c, err := net.Dial("tcp", p.Addr)
			if err != nil {
				t.Fatal(err)
			}
			defer c.Close()
			_ = c.SetReadDeadline(time.Now().Add(intercepttest.Patience))
			if _, err := io.ReadAll(c); err != nil { // the greeting, if it came in time, and the end
				t.Errorf("the connection did not end: %v", err)
			}
			p.Until("the connection says why it ended", func() bool { return endedFor(p, "--proxy-read-timeout") })
		})
	}
}

// A client that does not read its answer keeps its connection no longer than it may.
func TestWriteTimeout(t *testing.T) {
	for _, s := range intercepttest.Servers(t, nil) {
		t.Run(s.Name, func(t *testing.T) {
			p := intercepttest.NewProxy(t, intercept.Options{WriteTimeout: time.Second}, s.Addr)
			db, err := sql.Open("mysql", s.DSN(p.Addr))
			if err != nil {
				t.Fatal(err)
			}
			defer db.Close()
			// Some 100 MB, more than the sockets between here and there hold.
			rows, err := db.QueryContext(t.Context(), "select repeat('x', 100000) from information_schema.collations a, information_schema.collations b limit 1000")
			if err != nil {
				t.Fatal(err)
			}
			p.Until("the connection says why it ended", func() bool { return endedFor(p, "--proxy-write-timeout") })
			n := 0
			for rows.Next() {
				n++
			}
			if err := rows.Err(); err == nil || n == 1000 {
				t.Errorf("the client got %d rows, error %v", n, err)
			}
			_ = rows.Close()
		})
	}
}

// endedFor reports whether a connection ended for a reason with the text.
func endedFor(p *intercepttest.Proxy, text string) bool {
	for _, i := range p.Conns() {
		if i.Phase == intercept.Closed && strings.Contains(i.Cause, text) {
			return true
		}
	}
	return false
}
