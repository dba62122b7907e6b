package launch

import (
	"context"
	"fmt"
	"io"
	"net"
	"os"
	"strings"

	"mydbg/intercept"
	"mydbg/intercept/eventlog"
	"mydbg/sessions/demo"
	"mydbg/tui"
	"mydbg/tui/cmdline"
)

// listening notes where clients connect, and warns when others than this machine's can.
func (s *Session) listening(at net.Addr) {
	tcp, ok := at.(*net.TCPAddr)
	if !ok {
		s.listen = append(s.listen, "unix:"+at.String())
		return
	}
	s.listen = append(s.listen, at.String())
	if s.tcp == "" {
		s.tcp = at.String()
	}
	if !tcp.IP.IsLoopback() {
		const warning = "WARNING: %s can be reached from other machines. Whoever connects there gets to the server " +
			"as if from this one, and you see what they send. Listen on 127.0.0.1 unless you want that"
		tell(warning, at)
		s.proxy.Journal.Note(intercept.Warning, 0, 0, warning, at)
	}
}

// introduce says how to use what has been started, where there is no screen to do so.
func (s *Session) introduce() {
	if len(s.listen) > 0 {
		tell("listening on %s, server %s", strings.Join(s.listen, ", "), strings.Join(s.Backend, ", "))
	}
	if s.Shop {
		tell("connect a client of your own, or watch the shop:")
		for _, line := range s.hint() {
			fmt.Fprintln(os.Stderr, "  "+line)
		}
		return
	}
	if _, port, err := net.SplitHostPort(s.tcp); err == nil {
		tell("point the application at port %s of 127.0.0.1; the name localhost may mean a socket", port)
	}
}

func (s *Session) hint() []string { return demo.Hint(s.tcp) }

// log writes the events of a run. The channel closes when it has ended, failed waits for that and says whether a
// --fail-if matched.
func (s *Session) log(run context.Context, screen bool) (ended <-chan struct{}, failed func() bool) {
	o := eventlog.Options{Out: os.Stdout, JSON: s.JSON, Filter: s.Filter, FailIf: s.FailIf, Trouble: func(err error) { tell("%v", err) }}
	if screen {
		if s.FailIf == nil {
			return nil, func() bool { return false }
		}
		o.Out = io.Discard
	}
	if path := s.MySQLProxy.LogFile; path != "" {
		f, err := openLog(path)
		if err != nil {
			tell("%v. The lines go to standard output", err)
		} else {
			o.Out, s.logFile = f, f
			s.reopenOnHangup(run)
		}
	}
	log := eventlog.New(s.proxy, o)
	ctx, stop := context.WithCancel(context.Background())
	done := make(chan struct{})
	s.goes(func() {
		defer close(done)
		_ = log.Run(ctx) // the reader left, which ends the run
	})
	return done, func() bool {
		stop()
		<-done
		if n := log.Totals().Lost; n > 0 && s.FailIf != nil {
			tell("%d exchanges were lost before --fail-if could be asked about them", n)
		}
		x := log.Failed()
		if x != nil {
			tell("--fail-if was true of %d exchanges, first of #%d on connection %d: %.200q", log.Totals().Failing, x.Seq, x.Conn, x.SQL)
		}
		return x != nil
	}
}

// screen shows the debugger.
func (s *Session) screen(ctx context.Context) error {
	o := tui.Options{
		Proxy: s.proxy, Listen: s.listen, Backend: strings.Join(s.Backend, ", "), Theme: s.Theme, ReadOnly: s.ReadOnly, Snippets: snippets{s.console, s.engines},
	}
	o.Replay = s.replay
	if s.record != nil {
		o.Recorder = s.record
	}
	if s.Filter != nil {
		o.Filter = s.Filter.String()
	}
	if s.Shop {
		o.Demo = &tui.DemoInfo{Title: "Demo: a small shop on an embedded server", Lines: s.hint()}
	}
	if err := tui.Run(ctx, o); err != nil && ctx.Err() == nil {
		return cmdline.Broken(err)
	}
	return nil
}
