package sessions

import (
	"database/sql"
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"mydbg/intercept"
	"mydbg/intercept/intercepttest"
	"mydbg/sessions/pcapng"
)

var update = flag.Bool("update", false, "make the files of testdata anew that the tests make; testdata/make.sh makes the others")

// TestMakeFixtures makes what is in testdata: a recording of a real server, and captures.
func TestMakeFixtures(t *testing.T) {
	if !*update {
		t.Skip("only with -update")
	}
	server := intercepttest.Servers(t, nil)[0]
	_, _, path := record(t, &server, RecordOptions{}, func(p *intercepttest.Proxy) {
		p.Break(`do err 1213 if sql contains "deadlock"`)
		db, err := sql.Open("mysql", server.DSN(p.Addr))
		if err != nil {
			t.Fatal(err)
		}
		defer db.Close()
		db.SetMaxOpenConns(1)
		for _, q := range []string{"SELECT 1 AS one", "UPDATE deadlock SET v = 1", "SELECT nope"} {
			_, _ = db.Exec(q) // two fail
		}
		var n int
		if err := db.QueryRow("SELECT ? + 1", 41).Scan(&n); err != nil || n != 42 {
			t.Fatal(n, err)
		}
	})
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	capture := smallCapture(pcapng.LinkEthernet)
	for name, b := range map[string][]byte{"recording.pcapng": b, "capture.pcap": capture, "capture.pcap.gz": pack(capture)} {
		if err := os.WriteFile(filepath.Join("testdata", name), b, 0o644); err != nil {
			t.Fatal(err)
		}
	}
}

// TestFixtures reads files of every released format, and of other programs, as they were once read.
func TestFixtures(t *testing.T) {
	files, err := filepath.Glob("testdata/*cap*")
	if err != nil || len(files) < 3 {
		t.Fatal(files, err)
	}
	for _, file := range files {
		if strings.HasSuffix(file, ".txt") {
			continue
		}
		t.Run(filepath.Base(file), func(t *testing.T) {
			r, err := Open(file, Options{})
			if err != nil {
				t.Fatal(err)
			}
			defer r.Close()
			lines := describe(r)
			for rec, err := range r.Records(0) {
				if err != nil {
					t.Fatal(err)
				}
				m, err := rec.Message()
				if err != nil {
					t.Errorf("#%d: %v", rec.Seq, err)
				}
				if m != nil && rec.State == intercept.Done {
					if _, err := rec.Results(); err != nil {
						t.Errorf("#%d: %v", rec.Seq, err)
					}
				}
				for _, d := range r.Decisions(rec.Seq) {
					lines = append(lines, "decided "+d.String())
				}
			}
			got, golden := strings.Join(lines, "\n")+"\n", file+".txt"
			if *update {
				if err := os.WriteFile(golden, []byte(got), 0o644); err != nil {
					t.Fatal(err)
				}
			}
			want, err := os.ReadFile(golden)
			if err != nil {
				t.Fatal(err)
			}
			if d := cmp.Diff(string(want), got); d != "" {
				t.Error(d)
			}
		})
	}
}
