package cmdline

import (
	"context"
	"fmt"
	"maps"
	"os"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"mydbg/sessions"
	"mydbg/sessions/client"
	"mydbg/sessions/serve"
)

// Serve are the flags of the command that answers from a recording.
type Serve struct {
	Settings
	onMiss, auth string
	latency      choice
	port         uint16
}

// Add gives cmd the flags.
func (s *Serve) Add(cmd *cobra.Command) {
	s.Settings.Add(cmd, "127.0.0.1:4040")
	f := cmd.Flags()
	f.StringVar(&s.onMiss, "on-miss", "err", "what a statement that is not recorded gets: `err|empty|forward:ADDRESS`")
	f.StringVar(&s.auth, "auth", "", "let in only this `USER:PASSWORD`; anybody without")
	choose(cmd, &s.latency, "latency", "how long answers take: as long as they did, or no time", "none", "recorded")
	f.Uint16Var(&s.port, "port", 0, "server's `PORT` beside 3306, for captures that begin in the middle of connections")
}

// Options understands the flags.
func (s *Serve) Options() (serve.Options, error) {
	o := serve.Options{Latency: s.latency.value == "recorded"}
	if s.auth != "" {
		var ok bool
		if o.User, o.Password, ok = strings.Cut(s.auth, ":"); !ok || o.User == "" {
			return o, Wrong("--auth %s: write USER:PASSWORD", s.auth)
		}
	}
	address, forward := strings.CutPrefix(s.onMiss, "forward:")
	switch {
	case s.onMiss == "err":
	case s.onMiss == "empty":
		o.OnMiss = serve.MissEmpty
	case forward && address != "":
		o.OnMiss = serve.MissForward
		o.Forward = func(ctx context.Context, user, db string) (serve.Forwarder, error) {
			network, rest := "tcp", address
			if path, ok := strings.CutPrefix(address, "unix:"); ok {
				network, rest = "unix", path
			}
			return client.Dial(ctx, network, rest, client.Options{User: user, Password: os.Getenv("MYSQL_PWD"), DB: db})
		}
	default:
		return o, Wrong("--on-miss %s: use err, empty or forward:ADDRESS", s.onMiss)
	}
	return o, nil
}

// OpenServer makes a server of a recording. Close the reader when nobody asks any more.
func (s *Serve) OpenServer(path string, o serve.Options) (*serve.Server, *sessions.Reader, error) {
	r, err := sessions.Open(path, sessions.Options{Port: s.port})
	if err != nil {
		return nil, nil, Broken(err)
	}
	server, err := serve.New(r, o)
	if err != nil {
		_ = r.Close() // only read
		return nil, nil, Broken(fmt.Errorf("serve %s: %w", path, err))
	}
	return server, r, nil
}

// missesTold is how many different statements the report at the end names.
const missesTold = 20

// ServeReport is what is said at the end: how much was asked, and what was not there.
func ServeReport(t serve.Totals) string {
	var b strings.Builder
	fmt.Fprintf(&b, "%d connections, %d statements answered, %d not recorded; %d recorded ones were not asked for", t.Conns, t.Answered, t.Misses, t.Unused)
	forms := slices.SortedFunc(maps.Keys(t.Missed), func(a, b string) int {
		if n := t.Missed[b] - t.Missed[a]; n != 0 {
			return n
		}
		return strings.Compare(a, b)
	})
	for i, form := range forms {
		if i == missesTold {
			fmt.Fprintf(&b, "\n  and %d other statements", len(forms)-i)
			break
		}
		fmt.Fprintf(&b, "\n  %d times: %.200s", t.Missed[form], form)
	}
	return b.String()
}
