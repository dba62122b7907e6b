package cmdline

import (
	"time"

	"github.com/spf13/cobra"

	"mydbg/intercept/rule"
	"mydbg/sessions"
	"mydbg/sessions/diff"
)

// NewDiff is the command that compares two recordings.
func NewDiff() *cobra.Command {
	var filter string
	var form choice
	var latency time.Duration
	var port uint16
	cmd := &cobra.Command{
		Use: "diff A B", Short: "Compare two recordings of the same work", Args: cobra.ExactArgs(2),
		Long: "Lines the statements of two recordings up, connection by connection, and says which were added, which are gone, and which\n" +
			"have other values, other answers or take longer. Exit status 1 means differences.",
		Example: "  mydbg diff before.pcapng after.pcapng\n  mydbg diff a.pcapng b.pcapng --filter 'not chatter' --log json",
		RunE: func(cmd *cobra.Command, args []string) error {
			o := diff.Options{Latency: latency}
			var err error
			if filter != "" {
				if o.Filter, err = rule.Compile(filter); err != nil {
					return Wrong("--filter: %w", err)
				}
			}
			var sides [2]*sessions.Reader
			for i, path := range args {
				if sides[i], err = sessions.Open(path, sessions.Options{Port: port}); err != nil {
					return Broken(err)
				}
				defer sides[i].Close() // only read
			}
			report := diff.NewReporter(cmd.OutOrStdout(), form.value == "json")
			totals, err := diff.Run(sides[0], sides[1], o, report.Step)
			if err != nil {
				return Broken(err)
			}
			if err := report.Close(totals); err != nil {
				return Broken(err)
			}
			if totals.Different() {
				return &Failure{Status: Matched}
			}
			return nil
		},
	}
	f := cmd.Flags()
	f.StringVar(&filter, "filter", "", "only exchanges for which this `CONDITION` is true")
	f.DurationVar(&latency, "latency", 0, "an answer ten times slower or faster is a difference from this `DURATION` on; 0 for never")
	f.Uint16Var(&port, "port", 0, "server's `PORT` beside 3306, for captures that begin in the middle of connections")
	choose(cmd, &form, "log", "form of the report", "text", "json")
	return cmd
}
