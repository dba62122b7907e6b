package sessions

import (
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"mydbg/intercept"
	"mydbg/intercept/intercepttest"
	"mydbg/mysqlwire"
)

// TestKilled kills a process that records, at no particular moment, and opens what it leaves.
func TestKilled(t *testing.T) {
	if path := os.Getenv("MYDBG_TEST_RECORD"); path != "" {
		recordForEver(path)
	}
	for range 5 {
		path := filepath.Join(t.TempDir(), "killed.pcapng")
		cmd := exec.Command(os.Args[0], "-test.run", "^TestKilled$")
		cmd.Env = append(os.Environ(), "MYDBG_TEST_RECORD="+path)
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		late := time.Now().Add(intercepttest.Patience)
		for { // there is nothing to wait on but the file
			if info, err := os.Stat(path); err == nil && info.Size() > 1<<20 {
				break
			}
			if time.Now().After(late) {
				t.Error("nothing is written")
				break
			}
		}
		_ = cmd.Process.Kill()
		_ = cmd.Wait() // it was killed
		r, err := Open(path, Options{})
		if err != nil {
			t.Fatal(err)
		}
		if p := r.Progress(); p.Err != nil || r.Len() < 1000 {
			t.Errorf("%d exchanges of %+v", r.Len(), p)
		}
		whole := 0
		for x, err := range r.Exchanges(0) {
			if err != nil {
				t.Fatal(err)
			}
			if x.State == intercept.Done {
				whole++
			}
		}
		if whole < r.Len()-1 {
			t.Errorf("of %d exchanges %d are whole", r.Len(), whole)
		}
		if err := r.Close(); err != nil {
			t.Fatal(err)
		}
	}
}

// recordForEver records until it is killed.
func recordForEver(path string) {
	rec, err := NewRecorder(RecordOptions{Path: path, Lossless: true})
	if err != nil {
		panic(err)
	}
	c := &intercept.Conn{ID: 1}
	rec.Opened(c)
	say := func(dir mysqlwire.Direction, seq byte, payload []byte) {
		b, _ := mysqlwire.AppendPacket(nil, payload, seq)
		rec.Bytes(c, intercept.ClientLeg, dir, b)
	}
	say(mysqlwire.ToClient, 0, must(synthGreeting().Encode(nil, nil)))
	say(mysqlwire.ToServer, 1, must((&mysqlwire.Login{Caps: synthCaps, User: "u"}).Encode(nil, nil)))
	say(mysqlwire.ToClient, 2, okPayload(0))
	for {
		say(mysqlwire.ToServer, 0, []byte("\x03UPDATE t SET v = 1"))
		say(mysqlwire.ToClient, 1, okPayload(1))
	}
}
