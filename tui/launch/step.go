package launch

import (
	"context"
	"errors"
	"strings"

	"github.com/spf13/cobra"

	"mydbg/intercept"
	"mydbg/intercept/tlspair"
	"mydbg/sessions"
	"mydbg/sessions/replay"
	"mydbg/tui/cmdline"
)

// Step sends a recording through the proxy, so that the screen can stop it.
func Step(cmd *cobra.Command, r *cmdline.Replay, rd *sessions.Reader, o replay.Options) error {
	report, closeReport, err := r.Report(cmd.OutOrStdout())
	if err != nil {
		return err
	}
	var results []replay.Result // written when the screen has gone
	var totals replay.Totals
	s := &Session{Settings: &r.Settings, replayed: true}
	s.traffic = func(ctx context.Context) {
		o.Address, o.TLS = s.tcp, tlspair.Disabled
		o.Seen = func(res replay.Result) {
			if res.Outcome == replay.Differs || res.Outcome == replay.Failed {
				results = append(results, res)
				s.proxy.Journal.Note(intercept.Warning, 0, 0, "replay: %s", strings.TrimSpace(replay.Text(&res)))
			}
		}
		var err error
		if totals, err = replay.Run(ctx, rd, o); err != nil && ctx.Err() == nil {
			s.proxy.Journal.Note(intercept.Error, 0, 0, "replay: %v", err)
			return
		}
		s.proxy.Journal.Note(intercept.Info, 0, 0, "replay: %s", totals.String())
	}
	if err := s.Run(cmd, true); err != nil {
		return errors.Join(err, closeReport())
	}
	for _, res := range results {
		report.Seen(res)
	}
	if err := errors.Join(report.Close(totals), closeReport()); err != nil {
		return cmdline.Broken(err)
	}
	return cmdline.Outcome(cmd.Context(), totals)
}
