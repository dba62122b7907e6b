// Command mydbg is an interactive terminal debugger for MySQL and MariaDB traffic: a proxy that
// stops at every step of a connection and shows a person what is there to decide.
//
// This file says which commands there are; what they do is in the packages intercept (the proxy), script
// (Lua), sessions (recordings, the demo server) and tui (the command line, the screen, and what runs them).
//
// Exit status: 0 done, 1 a --fail-if matched, 2 wrong usage or configuration, 3 could not start,
// 130 interrupted from the keyboard. Being told to end (SIGTERM) is an ordinary end.
package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"runtime/debug"
	"syscall"

	"github.com/charmbracelet/x/term"
	"github.com/spf13/cobra"

	"mydbg/intercept/tlspair"
	"mydbg/tui"
	"mydbg/tui/cmdline"
	"mydbg/tui/launch"
)

func main() { os.Exit(run(os.Args[1:])) }

// run is the program. The first SIGINT or SIGTERM ends it in good order, the second at once.
func run(args []string) int {
	ctx, cancel := context.WithCancelCause(context.Background())
	signals := make(chan os.Signal, 1)
	signal.Notify(signals, os.Interrupt, syscall.SIGTERM)
	go func() { // ends with the process
		s := <-signals
		signal.Stop(signals)
		cancel(launch.Interrupted{Signal: s})
	}()
	// A reader of our lines that leaves is an error of write, not the end of the clients' traffic.
	signal.Notify(make(chan os.Signal, 1), syscall.SIGPIPE)

	root := commands()
	root.SetArgs(args)
	cmd, err := root.ExecuteContextC(ctx)
	if err == nil {
		return 0
	}
	if readerLeft(err) {
		return 0
	}
	var f *cmdline.Failure
	if !errors.As(err, &f) {
		f = &cmdline.Failure{Status: cmdline.Misused, Err: err} // cobra's own
	}
	if f.Err != nil {
		fmt.Fprintf(os.Stderr, "mydbg: %s\n", cmdline.Explain(f.Err))
	}
	if f.Status == cmdline.Misused {
		fmt.Fprintf(os.Stderr, "See %s --help\n", cmd.CommandPath())
	}
	return f.Status
}

// readerLeft reports whether a command ended because nobody reads its output any more, as behind head.
func readerLeft(err error) bool {
	var out *os.PathError
	return errors.As(err, &out) && out.Path == os.Stdout.Name() && errors.Is(out, syscall.EPIPE)
}

const about = `mydbg sits between an application and its MySQL or MariaDB server, shows what passes, stops it
where you say, and lets you change it.

Point the application at the address of --listen instead of the server's. Clients that ask for
TLS get it; those that verify certificates should trust
%s
which is made when it is first needed.

Addresses are host:port, :port (on 127.0.0.1) or unix:/path; as a backend also "demo". The names
that MySQL Proxy gave its options work too: --proxy-address, --proxy-backend-addresses,
--proxy-read-only-backend-addresses, --proxy-lua-script, and -P, -b, -r, -s.`

// commands are all there are.
func commands() *cobra.Command {
	dir, err := tlspair.DefaultDir()
	if err != nil {
		dir = "the directory of --state-dir"
	}
	plain, ofDemo, ofProxy := &cmdline.Settings{}, &cmdline.Settings{Backend: []string{"demo"}}, &cmdline.Settings{}
	root := &cobra.Command{
		Use: "mydbg", Short: "An interactive debugger for MySQL and MariaDB traffic", Long: fmt.Sprintf(about, filepath.Join(dir, "ca.pem")),
		Example: "  mydbg --backend 127.0.0.1:3306\n  mydbg --break 'stock if verb == \"UPDATE\" and \"stock\" in tables'",
		Version: version(), SilenceErrors: true, SilenceUsage: true,
		RunE: func(cmd *cobra.Command, _ []string) error { return (&launch.Session{Settings: plain}).Run(cmd, true) },
	}
	plain.AddServer(root)
	plain.Add(root, "127.0.0.1:4040")

	demonstration := &cobra.Command{
		Use: "demo", Short: "Try it on an embedded server with a small shop that sends traffic", Args: cobra.NoArgs,
		Long: "The screen in front of an embedded server with sample data, and a small shop application that\n" +
			"sends traffic through it. Nothing needs to be installed and nothing is kept.",
		Example: "  mydbg demo\n  mydbg demo --log json | head -n 20",
		RunE: func(cmd *cobra.Command, _ []string) error {
			return (&launch.Session{Settings: ofDemo, Shop: true}).Run(cmd, true)
		},
	}
	ofDemo.Add(demonstration, "127.0.0.1:0")

	proxy := &cobra.Command{
		Use: "proxy", Short: "The same without a screen: one line per event on standard output", Args: cobra.NoArgs, Version: version(),
		Long: "Relays, runs scripts and rules, and writes one line for each exchange and each notice.\n" +
			"Nobody is there to continue what a breakpoint holds: rules that would hold are logged instead.",
		Example: "  mydbg proxy --backend db.example:3306 --log json --filter 'ms > 200'\n" +
			"  mydbg proxy --fail-if 'error.code == 1213'\n  mydbg proxy -P :4040 -b 127.0.0.1:3306 -s rw.lua",
		RunE: func(cmd *cobra.Command, _ []string) error {
			return (&launch.Session{Settings: ofProxy}).Run(cmd, false)
		},
	}
	ofProxy.AddServer(proxy)
	ofProxy.AddMySQLProxy(proxy)
	ofProxy.Add(proxy, "127.0.0.1:4040")

	root.AddCommand(demonstration, proxy, opening(), replaying(), serving(), &cobra.Command{
		Use: "check FILE-or-EXPR", Short: "Say what a condition, a rule, a file of rules or a Lua script means", Args: cobra.ExactArgs(1),
		Example: "  mydbg check 'ms > 200 and not chatter'\n  mydbg check 'at query do err 1142 if verb == \"DROP\"'\n  mydbg check rw.lua",
		RunE:    func(cmd *cobra.Command, args []string) error { return cmdline.Check(cmd.OutOrStdout(), args[0]) },
	}, cmdline.NewExport(), cmdline.NewDiff(), &cobra.Command{
		Use: "version", Short: "Print the version", Args: cobra.NoArgs, Example: "  mydbg version",
		Run: func(cmd *cobra.Command, _ []string) { fmt.Fprintln(cmd.OutOrStdout(), "mydbg version", version()) },
	})
	root.SetFlagErrorFunc(cmdline.FlagError)
	root.InitDefaultHelpCmd()
	root.InitDefaultCompletionCmd()
	for _, c := range root.Commands() {
		switch c.Name() {
		case "help":
			c.Example = "  mydbg help proxy"
		case "completion":
			c.Example = "  source <(mydbg completion bash)"
			for _, shell := range c.Commands() {
				shell.Example = "  mydbg completion " + shell.Name()
			}
		}
	}
	return root
}

// opening is the command that shows a file.
func opening() *cobra.Command {
	settings, port := &cmdline.Settings{}, uint16(0)
	open := &cobra.Command{
		Use: "open FILE", Short: "Show a recorded session, or any pcap or pcapng of MySQL traffic", Args: cobra.ExactArgs(1),
		Long: "The same screens as for live traffic, without any: s and n step forwards, p back, c goes to the next\n" +
			"match of a breakpoint, f shows only what matches a condition. FILE may be packed with gzip. With --script, \\ asks\n" +
			"the script's hooks what they would make of an event, and | runs snippets on a copy of it.",
		Example: "  mydbg open session.pcapng\n  mydbg open --break 'if error.code == 1213' dump.pcap.gz\n" +
			"  mydbg open --script rewrite.lua session.pcapng",
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := settings.Read(cmd, os.Getenv); err != nil {
				return err
			}
			if !term.IsTerminal(os.Stdout.Fd()) {
				return cmdline.Broken(errors.New("mydbg open is a screen, and standard output is no terminal"))
			}
			snippets, err := launch.Scripts(settings.Scripts)
			if err != nil {
				return err
			}
			o := tui.Options{Theme: settings.Theme, Snippets: snippets}
			if settings.Filter != nil {
				o.Filter = settings.Filter.String()
			}
			if err := tui.Open(cmd.Context(), args[0], port, settings.Rules, o); err != nil && cmd.Context().Err() == nil {
				return cmdline.Broken(err)
			}
			return launch.Ended(cmd.Context())
		},
	}
	settings.AddScreen(open)
	open.Flags().StringArrayVarP(&settings.Scripts, "script", "s", nil, "Lua `FILE` to try on what was recorded")
	open.Flags().Uint16Var(&port, "port", 0, "`PORT` of the server beside 3306, where the beginning of connections was not captured")
	return open
}

// replaying is the command that sends a recording to a server.
func replaying() *cobra.Command {
	r := &cmdline.Replay{}
	cmd := &cobra.Command{
		Use: "replay FILE --backend ADDRESS", Short: "Send a recorded session to a server and compare its answers", Args: cobra.ExactArgs(1),
		Long: "Logs in afresh and sends what each recorded connection sent, in its order and at its pace; compares rows, values,\n" +
			"types, counts, errors and warnings. What writes is left out without --writes. Exit status 1 means differences.\n" +
			"At a terminal a screen shows how far it has come and what differs, beside the recording; the report follows when\n" +
			"it is left. --output - and --log json do without.",
		Example: "  mydbg replay session.pcapng --backend 127.0.0.1:3307 --user app\n" +
			"  mydbg replay session.pcapng --backend staging:3306 --speed max --log json --output differences.jsonl\n" +
			"  mydbg replay session.pcapng --backend 127.0.0.1:3307 --step --break 'if verb == \"UPDATE\"'",
		RunE: func(cmd *cobra.Command, args []string) (err error) {
			rd, o, err := r.Open(cmd, args[0])
			if err != nil {
				return err
			}
			defer rd.Close() // only read
			return launch.Replay(cmd, r, rd, o)
		},
	}
	r.Add(cmd)
	return cmd
}

// serving is the command that answers from a recording.
func serving() *cobra.Command {
	f := &cmdline.Serve{}
	cmd := &cobra.Command{
		Use: "serve FILE", Short: "Answer clients from a recorded session, without a server", Args: cobra.ExactArgs(1),
		Long: "Greets as the recorded server and answers each statement as it was answered, found by its digest and values, in the recorded\n" +
			"order. A statement that is not recorded gets an error that names the nearest one; a report at the end counts them.\n" +
			"With a screen: mydbg --backend replay:FILE.",
		Example: "  mydbg serve session.pcapng --listen 127.0.0.1:3306\n  mydbg serve session.pcapng --on-miss forward:127.0.0.1:3307 --latency recorded",
		RunE: func(cmd *cobra.Command, args []string) (err error) {
			s := &launch.Session{Settings: &f.Settings, Serve: *f}
			if s.ServeOptions, err = f.Options(); err != nil {
				return err
			}
			f.Backend = []string{"replay:" + args[0]}
			return s.Run(cmd, false)
		},
	}
	f.Add(cmd)
	return cmd
}

func version() string {
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return "unknown"
	}
	if info.Main.Version == "" {
		return "(devel) " + info.GoVersion
	}
	return info.Main.Version + " " + info.GoVersion
}
