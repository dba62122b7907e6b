package intercept_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"runtime"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"mydbg/intercept"
	"mydbg/intercept/intercepttest"
	"mydbg/intercept/rule"
	"mydbg/mysqlwire"
)

// meddler is a hook that does something else each time, as its bytes say.
type meddler struct {
	script []byte
	n      int
}

func (m *meddler) Name() string { return "meddler" }
func (m *meddler) Interest() intercept.Points {
	return intercept.At(rule.ReadQuery, rule.ReadQueryResult)
}

func (m *meddler) Handle(_ context.Context, ev *intercept.Event) (intercept.Verdict, error) {
	if len(m.script) == 0 {
		return intercept.Verdict{}, nil
	}
	b := m.script[m.n%len(m.script)]
	m.n++
	if m.n > 100 {
		return intercept.Verdict{}, nil
	}
	v := intercept.Verdict{CloseAfter: b&0x80 != 0, Action: intercept.Action(b & 7)}
	if v.Action == intercept.Hold {
		v.Action = intercept.Pass
	}
	if v.Action == intercept.Reply {
		v.Answer = mysqlwire.ERRAnswer(1105, "", "meddled")
		if b&8 != 0 {
			v.Answer = mysqlwire.OKAnswer(1, 2, 2, 0, "")
		}
	}
	if b&16 != 0 {
		q := intercept.QueryText("do 1", intercept.FromScript)
		q.Show, q.Need, q.Join, q.LastPrepared = b&32 != 0, b&64 != 0, b&8 != 0, b&9 == 9
		v.Queries = []intercept.Query{q, {Packet: ev.Packet, Show: true, Need: b&64 != 0}}
	}
	return v, nil
}

// FuzzSession has both sides say anything. The session must end when they have left, whatever they
// said: synctest notices a deadlock, and nothing may panic.
func FuzzSession(f *testing.F) {
	f.Add([]byte{}, uint8(0), []byte("\x00\x00\x03select 1\x01\x01\x00\x00\x00\x02\x00\x00\x00"))
	f.Add([]byte{0x10, 0x33, 0x05}, uint8(1), []byte("\x04\x09\x00\x03select 1\x05\x07\x01\x00\x00\x00\x02\x00\x00\x00\x04\x05\x00\x16do 1"))
	f.Add([]byte{0x1b}, uint8(2), []byte("\x04\x01\x00\x0e\x05\x01\x01\x01\x05\x05\x02\xfe\x00\x00\x02\x00"))
	f.Add([]byte{}, uint8(3), []byte("\x04\x05\x00\x19\x01\x00\x00\x00\x04\x0a\x00\x17\x01\x00\x00\x00\x00\x01\x00\x00\x00"))
	f.Add([]byte{3}, uint8(0), []byte("\x04\x03\x00\x03dox\x05\x06\x01\xfb/tmp\x04\x00\x02\x05\x07\x03\x00\x00\x00\x02\x00\x00\x00"))
	f.Add([]byte{}, uint8(0), []byte("\x02\xff\xff\xff\x00\x03\x03"))
	f.Fuzz(func(t *testing.T, script []byte, capabilities uint8, traffic []byte) {
		if len(traffic) > 4096 {
			return
		}
		caps := intercepttest.ClientCaps
		if capabilities&1 != 0 {
			caps &^= mysqlwire.DeprecateEOF
		}
		if capabilities&2 != 0 {
			caps |= mysqlwire.QueryAttributes | mysqlwire.OptionalResultsetMetadata
		}
		if capabilities&4 != 0 {
			caps = caps&^mysqlwire.LongPassword | mysqlwire.MariaDBCacheMetadata | mysqlwire.MariaDBProgress
		}
		synctest.Test(t, func(t *testing.T) {
			e := intercepttest.NewEnds(t, intercept.Options{}, caps, capabilities&4 != 0)
			if len(script) > 0 {
				e.Proxy.SetHooks(&meddler{script: script})
			}
			var heard [2]bytes.Buffer
			var ears sync.WaitGroup
			for i, end := range []*intercepttest.End{e.Client, e.Server} {
				ears.Go(func() { _, _ = io.Copy(&heard[i], end.Conn) }) // ends when the session closes its side
			}
			var before, after runtime.MemStats
			runtime.ReadMemStats(&before)
			said := play(t, e, traffic)
			runtime.ReadMemStats(&after)
			if n := after.TotalAlloc - before.TotalAlloc; n > 64<<20 {
				t.Errorf("%d bytes of traffic took %d bytes of memory", len(traffic), n)
			}
			if err := e.Close(); err != nil {
				t.Error(err)
			}
			ears.Wait()
			// Without hooks every byte crosses as it is, whether it can be explained or not.
			if len(script) == 0 && (!bytes.HasPrefix(said[0], heard[1].Bytes()) || !bytes.HasPrefix(said[1], heard[0].Bytes())) {
				t.Errorf("the client said %q, the server heard %q; it said %q, the client heard %q", said[0], heard[1].Bytes(), said[1], heard[0].Bytes())
			}
			for _, n := range e.Proxy.Journal.Notices(0, nil) {
				if n.Level == intercept.Error && len(n.Text) > 14 && n.Text[:14] == "internal error" {
					t.Error(n.Text)
				}
			}
		})
	})
}

// play sends what the bytes say, and returns what client and server have said: the first byte of each
// step tells the side and the form.
func play(t *testing.T, e *intercepttest.Ends, traffic []byte) (said [2][]byte) {
	t.Helper()
	take := func(n int) []byte {
		b := traffic[:min(n, len(traffic))]
		traffic = traffic[len(b):]
		return b
	}
	for len(traffic) > 0 {
		how := take(1)[0]
		end := e.Client
		if how&1 != 0 {
			end = e.Server
		}
		var b []byte
		switch {
		case how&2 != 0: // as it is
			b = take(int(how >> 2))
		case how&4 != 0: // a packet with its length and number
			if head := take(2); len(head) == 2 {
				payload := take(int(head[0]))
				b, _ = mysqlwire.AppendPacket(nil, payload, head[1])
			}
		default: // a packet in what is left, number by number
			payload := take(int(how >> 3))
			b, end.Seq = mysqlwire.AppendPacket(nil, payload, end.Seq)
		}
		said[how&1] = append(said[how&1], b...)
		_ = end.SetWriteDeadline(time.Now().Add(time.Second))
		if _, err := end.Conn.Write(b); err != nil && errors.Is(err, io.ErrClosedPipe) {
			return said
		}
	}
	synctest.Wait()
	return said
}
