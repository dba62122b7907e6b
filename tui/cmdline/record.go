package cmdline

import (
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"mydbg/sessions"
)

// Recording says what is kept of the traffic.
type Recording struct {
	Path                  string // "" for no recording
	NoSpool               bool
	KeepSecrets, Lossless bool

	size, spool Bytes
	every       time.Duration
}

// Bytes is a flag for a number of bytes: 500M, 2G.
type Bytes int64

var byteUnits = []struct {
	suffix string
	bytes  Bytes
}{{"K", 1 << 10}, {"M", 1 << 20}, {"G", 1 << 30}, {"T", 1 << 40}}

func (b *Bytes) String() string {
	for i := len(byteUnits) - 1; i >= 0; i-- {
		if u := byteUnits[i]; *b >= u.bytes && *b%u.bytes == 0 {
			return strconv.FormatInt(int64(*b/u.bytes), 10) + u.suffix
		}
	}
	return strconv.FormatInt(int64(*b), 10)
}

// Type is what the help calls the value.
func (b *Bytes) Type() string { return "SIZE" }

// Set reads a number of bytes.
func (b *Bytes) Set(s string) error {
	digits, unit := strings.TrimSuffix(strings.ToUpper(strings.TrimSpace(s)), "B"), Bytes(1)
	for _, u := range byteUnits {
		if d, ok := strings.CutSuffix(strings.TrimSuffix(digits, "I"), u.suffix); ok {
			digits, unit = d, u.bytes
		}
	}
	n, err := strconv.ParseInt(strings.TrimSpace(digits), 10, 64)
	if err != nil || n < 0 || Bytes(n) > 1<<62/unit {
		return fmt.Errorf("want a number of bytes such as 500M or 2G, not %q", s)
	}
	*b = Bytes(n) * unit
	return nil
}

// add gives cmd the flags.
func (r *Recording) add(cmd *cobra.Command) {
	f := cmd.Flags()
	f.StringVar(&r.Path, "record", "", "write the traffic to `FILE`, a pcapng that mydbg open and Wireshark read")
	f.Var(&r.size, "record-size", "begin another file (FILE-2.pcapng) after `SIZE` bytes, such as 500M; 0 never")
	f.DurationVar(&r.every, "record-time", 0, "begin another file after `DURATION`, such as 1h; 0 never")
	f.BoolVar(&r.KeepSecrets, "keep-secrets", false, "record logins and passwords in statements as they are")
	f.BoolVar(&r.Lossless, "lossless", false, "let traffic wait for the disk rather than leave anything out of the recording")
	f.BoolVar(&r.NoSpool, "no-spool", false, "keep no private file of the traffic for the screen's history and the key W")
	r.spool = 1 << 30
	f.Var(&r.spool, "spool-size", "largest `SIZE` of that private file, the oldest of which goes first")
}

// check finds what makes no sense.
func (r *Recording) check() error {
	switch {
	case r.every < 0:
		return Wrong("--record-time: %v is no time to wait", r.every)
	case r.Path == "" && r.every+time.Duration(r.size) > 0:
		return Wrong("--record-size and --record-time are about a recording: add --record FILE")
	}
	return nil
}

// Options are the recorder's. The spool is for a screen only.
func (r *Recording) Options(screen bool) sessions.RecordOptions {
	o := sessions.RecordOptions{
		Path: r.Path, Size: int64(r.size), Time: r.every, KeepSecrets: r.KeepSecrets, Lossless: r.Lossless,
	}
	if screen && !r.NoSpool {
		o.Spool = int64(r.spool)
	}
	return o
}
