package launch

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"

	"github.com/charmbracelet/x/term"
	"github.com/spf13/cobra"

	"mydbg/intercept"
	"mydbg/intercept/tlspair"
	"mydbg/sessions"
	"mydbg/sessions/replay"
	"mydbg/tui"
	"mydbg/tui/cmdline"
	"mydbg/tui/replays"
)

// Replay sends a recording to a server: through the proxy and its screen with --step, else beside a screen of what
// comes of it where somebody sits at a terminal, else without one.
func Replay(cmd *cobra.Command, r *cmdline.Replay, rd *sessions.Reader, o replay.Options) error {
	switch {
	case r.Step:
		return step(cmd, r, rd, o)
	case r.Screen() && term.IsTerminal(os.Stdout.Fd()) && term.IsTerminal(os.Stdin.Fd()):
		return watched(cmd, r, rd, o)
	}
	return r.Run(cmd.Context(), cmd, rd, o)
}

// step sends a recording through the proxy, so that the screen can stop it.
func step(cmd *cobra.Command, r *cmdline.Replay, rd *sessions.Reader, o replay.Options) error {
	report, finish, err := late(cmd, r)
	if err != nil {
		return err
	}
	var totals replay.Totals
	s := &Session{Settings: &r.Settings}
	s.replay = replays.NewLog(rd.Len(), o.Address, nil) // the traffic itself wakes the screen
	s.traffic = func(ctx context.Context) {
		o.Address, o.TLS, o.Lockstep = s.tcp, tlspair.Disabled, true
		o.Seen = func(res replay.Result) {
			report.Seen(res)
			s.replay.Seen(res)
		}
		var err error
		totals, err = replay.Run(ctx, rd, o)
		if ctx.Err() != nil {
			return
		}
		s.replay.Ended(totals, err)
		if err != nil {
			s.proxy.Journal.Note(intercept.Error, 0, 0, "replay: %v", err)
			return
		}
		s.proxy.Journal.Note(intercept.Info, 0, 0, "replay: %s", totals.String())
	}
	if err := s.Run(cmd, true); err != nil {
		return errors.Join(err, finish(nil))
	}
	if err := errors.Join(report.Close(totals), finish(cmd.OutOrStdout())); err != nil {
		return cmdline.Broken(err)
	}
	return cmdline.Outcome(cmd.Context(), totals)
}

// watched sends a recording to the server and shows the recording, with what differs as it comes. The report follows
// when the screen has gone; a replay that is not over then ends.
func watched(cmd *cobra.Command, r *cmdline.Replay, rd *sessions.Reader, o replay.Options) error {
	report, finish, err := late(cmd, r)
	if err != nil {
		return err
	}
	ctx, stop := context.WithCancel(cmd.Context())
	defer stop()
	bell := make(chan struct{}, 1)
	log := replays.NewLog(rd.Len(), o.Address, tui.Ring(bell))
	o.Seen = func(res replay.Result) {
		report.Seen(res)
		log.Seen(res)
	}
	var totals replay.Totals
	var failed error
	whole, done := false, make(chan struct{})
	go func() { // ends with the replay, or when the screen has gone
		defer close(done)
		totals, failed = replay.Run(ctx, rd, o)
		if whole = ctx.Err() == nil; whole {
			log.Ended(totals, failed)
		}
	}()
	screen := tui.Show(ctx, r.Rules, tui.Options{Theme: r.Theme, Recording: rd, Changed: bell, Replay: log})
	stop()
	<-done
	if err := errors.Join(report.Close(totals), finish(cmd.OutOrStdout())); err != nil {
		return cmdline.Broken(err)
	}
	switch {
	case screen != nil && cmd.Context().Err() == nil:
		return cmdline.Broken(screen)
	case failed != nil && whole:
		return cmdline.Broken(failed)
	case !whole:
		return &cmdline.Failure{Status: cmdline.Interrupted}
	}
	return cmdline.Outcome(cmd.Context(), totals)
}

// late is a report that is not written to the terminal before the screen has gone: finish does it, or, with nil, does not.
func late(cmd *cobra.Command, r *cmdline.Replay) (report *replay.Reporter, finish func(io.Writer) error, err error) {
	if r.ToFile() {
		report, done, err := r.Report(cmd.OutOrStdout())
		return report, func(io.Writer) error { return done() }, err
	}
	f, err := os.CreateTemp("", "mydbg-report-*") // with mode 0600
	if err != nil {
		return nil, nil, cmdline.Broken(fmt.Errorf("keep the report: %w", err))
	}
	if err := os.Remove(f.Name()); err != nil {
		return nil, nil, cmdline.Broken(errors.Join(fmt.Errorf("keep the report: %w", err), f.Close()))
	}
	return replay.NewReporter(f, r.JSON), func(out io.Writer) error {
		var err error
		if out != nil {
			_, err = io.Copy(out, io.NewSectionReader(f, 0, 1<<62))
		}
		return errors.Join(err, f.Close())
	}, nil
}
