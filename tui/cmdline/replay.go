package cmdline

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strconv"
	"strings"
	"sync/atomic"
	"time"

	"github.com/charmbracelet/bubbles/progress"
	"github.com/charmbracelet/x/term"
	"github.com/spf13/cobra"

	"mydbg/intercept/rule"
	"mydbg/sessions"
	"mydbg/sessions/compare"
	"mydbg/sessions/replay"
)

// Replay are the flags of the command that sends a recording again.
type Replay struct {
	Settings
	Step bool // through the proxy and its screen

	user, password, speed, ignore, output string
	users, without                        []string
	serial, writes, same                  bool
	latency                               time.Duration
	port                                  uint16
}

// Add gives cmd the flags.
func (r *Replay) Add(cmd *cobra.Command) {
	r.AddServer(cmd)
	r.Settings.Add(cmd, "127.0.0.1:0")
	f := cmd.Flags()
	f.StringVar(&r.user, "user", "", "`USER` to log in as, in place of all recorded ones; the recorded one without")
	f.StringVar(&r.password, "password", "", "`PASSWORD`; better say it with MYSQL_PWD in the environment, where others do not see it")
	f.StringArrayVar(&r.users, "user-map", nil, "log in as another in place of one recorded user: `RECORDED=USER:PASSWORD`")
	f.StringVar(&r.speed, "speed", "1", "`PACE`: 1 as recorded, 2 twice as fast, max as fast as the server goes")
	f.BoolVar(&r.serial, "serial", false, "one statement at a time, in the order of the recording")
	f.BoolVar(&r.writes, "writes", false, "send what changes data, definitions or accounts too")
	f.BoolVar(&r.same, "same-server", false, "the server may be the one that was recorded")
	f.StringVar(&r.ignore, "ignore", "", "differences do not count where this `CONDITION` is true")
	f.StringArrayVar(&r.without, "without", nil, "this `KIND` of difference does not count: "+strings.Join(replay.KindNames(), ", "))
	f.DurationVar(&r.latency, "latency", 100*time.Millisecond, "an answer ten times slower or faster is a difference from this `DURATION` on; 0 for never")
	f.StringVarP(&r.output, "output", "o", "", "`FILE` for the report; - is standard output, and no screen")
	f.BoolVar(&r.Step, "step", false, "send it through the screen, where breakpoints, edits and scripts work as on live traffic")
	f.Uint16Var(&r.port, "port", 0, "server's `PORT` beside 3306, for captures that begin in the middle of connections")
}

// stepOnly are the flags that say something of the proxy that --step runs.
var stepOnly = []string{"listen", "client-tls", "client-compress", "backend-compress", "backend-cert", "backend-key", "backend-ro", "script", "break", "rules", "fail-if", "read-only", "record", "state-dir"}

// Open understands the flags and opens the recording.
func (r *Replay) Open(cmd *cobra.Command, path string) (*sessions.Reader, replay.Options, error) {
	var o replay.Options
	if err := r.Read(cmd, os.Getenv); err != nil {
		return nil, o, err
	}
	if !r.Step {
		for _, name := range stepOnly {
			if cmd.Flags().Changed(name) {
				return nil, o, Wrong("--%s is for replaying through the screen: add --step", name)
			}
		}
	}
	if !cmd.Flags().Changed("backend") {
		return nil, o, Wrong("--backend is missing: the server to send the recording to")
	}
	if len(r.Backend) > 1 {
		return nil, o, Wrong("one --backend is enough: a recording is sent to one server")
	}
	o = replay.Options{
		Address: r.Backend[0], User: r.user, Password: r.password, TLS: r.BackendTLS, CA: r.BackendCA,
		Serial: r.serial, Writes: r.writes, SameServer: r.same, Filter: r.Filter, Latency: r.latency,
	}
	if o.Password == "" {
		o.Password = os.Getenv("MYSQL_PWD")
	}
	switch speed, err := strconv.ParseFloat(r.speed, 64); {
	case r.speed == "max":
	case err != nil || speed <= 0:
		return nil, o, Wrong("--speed %s: use a number above 0, or max", r.speed)
	default:
		o.Speed = speed
	}
	var err error
	if r.ignore != "" {
		if o.Ignore, err = rule.Compile(r.ignore); err != nil {
			return nil, o, Wrong("--ignore: %w", err)
		}
	}
	for _, name := range r.without {
		i := slices.Index(replay.KindNames(), name)
		if i < 0 {
			return nil, o, Wrong("--without %s: use one of %s%s", name, strings.Join(replay.KindNames(), ", "), suggestion("", name, replay.KindNames()))
		}
		o.Without = append(o.Without, compare.Kind(i))
	}
	for _, m := range r.users {
		was, is, ok := strings.Cut(m, "=")
		user, password, _ := strings.Cut(is, ":")
		if !ok || user == "" {
			return nil, o, Wrong("--user-map %s: write RECORDED=USER:PASSWORD", m)
		}
		if o.Users == nil {
			o.Users = map[string]replay.Account{}
		}
		o.Users[was] = replay.Account{User: user, Password: password}
	}
	rd, err := sessions.Open(path, sessions.Options{Port: r.port})
	if err != nil {
		return nil, o, Broken(err)
	}
	if !r.same && replay.Recorded(rd, o.Address) {
		_ = rd.Close() // only read
		return nil, o, Wrong("%w", &replay.SameServerError{Address: o.Address})
	}
	o.SameServer = true
	return rd, o, nil
}

// ToFile reports whether the report goes to a file.
func (r *Replay) ToFile() bool { return r.output != "" && r.output != "-" }

// Screen reports whether nothing speaks against showing the replay on a screen.
func (r *Replay) Screen() bool { return r.output != "-" && !r.JSON }

// Report opens where the report goes.
func (r *Replay) Report(out io.Writer) (*replay.Reporter, func() error, error) {
	if r.output == "" || r.output == "-" {
		return replay.NewReporter(out, r.JSON), func() error { return nil }, nil
	}
	f, err := os.Create(r.output)
	if err != nil {
		return nil, nil, Broken(err)
	}
	return replay.NewReporter(f, r.JSON), f.Close, nil
}

// Run sends the recording, reports, and shows how far it has come where somebody watches.
func (r *Replay) Run(ctx context.Context, cmd *cobra.Command, rd *sessions.Reader, o replay.Options) (err error) {
	report, closeReport, err := r.Report(cmd.OutOrStdout())
	if err != nil {
		return err
	}
	var done, different atomic.Int64
	o.Seen = func(res replay.Result) {
		done.Add(1)
		if res.Outcome == replay.Differs || res.Outcome == replay.Failed {
			different.Add(1)
		}
		report.Seen(res)
	}
	stop := func() {}
	if term.IsTerminal(os.Stderr.Fd()) && (r.output != "" || !term.IsTerminal(os.Stdout.Fd())) {
		stop = bar(rd.Len(), &done, &different)
	}
	totals, err := replay.Run(ctx, rd, o)
	stop()
	if err != nil && ctx.Err() == nil {
		return errors.Join(Broken(err), closeReport())
	}
	if err := errors.Join(report.Close(totals), closeReport()); err != nil {
		return Broken(err)
	}
	return Outcome(ctx, totals)
}

// Outcome is the exit status that a replay means.
func Outcome(ctx context.Context, t replay.Totals) error {
	switch {
	case ctx.Err() != nil:
		return &Failure{Status: Interrupted}
	case t.Different():
		return &Failure{Status: Matched}
	}
	return nil
}

// bar shows how far it has come on standard error until stop is called.
func bar(all int, done, different *atomic.Int64) (stop func()) {
	p := progress.New(progress.WithWidth(30), progress.WithoutPercentage(), progress.WithColorProfile(0))
	show := func() {
		n := done.Load()
		fmt.Fprintf(os.Stderr, "\r%s %d of %d, %d different ", p.ViewAs(float64(n)/float64(max(all, 1))), n, all, different.Load())
	}
	ended, gone := make(chan struct{}), make(chan struct{})
	go func() { // ends with stop
		defer close(gone)
		tick := time.NewTicker(100 * time.Millisecond)
		defer tick.Stop()
		for {
			select {
			case <-tick.C:
				show()
			case <-ended:
				show()
				fmt.Fprintln(os.Stderr)
				return
			}
		}
	}()
	return func() {
		close(ended)
		<-gone
	}
}
