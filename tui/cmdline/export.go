package cmdline

import (
	"fmt"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"mydbg/intercept/rule"
	"mydbg/sessions"
	"mydbg/sessions/export"
	"mydbg/sessions/redact"
)

// NewExport is the command that writes a recording in another form.
func NewExport() *cobra.Command {
	var to, output, filter, mask, key string
	var rows bool
	var port uint16
	var formats strings.Builder
	for _, f := range export.Formats {
		fmt.Fprintf(&formats, "  %-8s %s\n", f.Name, f.What)
	}
	cmd := &cobra.Command{
		Use: "export FILE --to FORMAT", Short: "Write a recording in another form", Args: cobra.ExactArgs(1),
		Long: "Reads a recording, or any pcap or pcapng of MySQL traffic, and writes it as\n\n" + formats.String() + `
--redact masks the cells, parameters and literals of the columns for which an expression over
column, table, db and type is true. A value gets the same mask wherever it stands.`,
		Example: "  mydbg export session.pcapng --to sql > session.sql\n" +
			"  mydbg export session.pcapng --to jsonl --filter 'ms > 200 or error.code > 0'\n" +
			"  mydbg export session.pcapng --to sqlite --rows --output session.db\n" +
			`  mydbg export session.pcapng --to csv --redact 'column in ["email", "phone"]'`,
		RunE: func(cmd *cobra.Command, args []string) error {
			o := export.Options{Rows: rows}
			var err error
			if filter != "" {
				if o.Filter, err = rule.Compile(filter); err != nil {
					return Wrong("--filter: %w", err)
				}
			}
			if mask != "" {
				if o.Redact, err = redact.Compile(mask, []byte(key)); err != nil {
					return Wrong("--redact: %w", err)
				}
			}
			if to == "" {
				return Wrong("--to is missing: one of %s", strings.Join(export.Names(), ", "))
			}
			if !slices.Contains(export.Names(), to) {
				return Wrong("unknown format %q, known are %s%s", to, strings.Join(export.Names(), ", "), suggestion("", to, export.Names()))
			}
			r, err := sessions.Open(args[0], sessions.Options{Port: port})
			if err != nil {
				return Broken(err)
			}
			t, err := export.To(to, r, output, o)
			if closing := r.Close(); err == nil {
				err = closing
			}
			if err != nil {
				return Broken(err)
			}
			for _, p := range t.Problem {
				fmt.Fprintf(cmd.ErrOrStderr(), "mydbg: left out: %s\n", p)
			}
			if more := t.Problems - len(t.Problem); more > 0 {
				fmt.Fprintf(cmd.ErrOrStderr(), "mydbg: left out: %d more\n", more)
			}
			fmt.Fprintf(cmd.ErrOrStderr(), "mydbg: %s\n", summary(r, t))
			return nil
		},
	}
	f := cmd.Flags()
	f.StringVar(&to, "to", "", "`FORMAT`: "+strings.Join(export.Names(), ", "))
	f.StringVarP(&output, "output", "o", "", "`FILE` to write; standard output without")
	f.StringVar(&filter, "filter", "", "only exchanges for which this `CONDITION` is true")
	f.StringVar(&mask, "redact", "", "mask the columns for which this `EXPRESSION` is true")
	f.StringVar(&key, "redact-key", "", "`TEXT` that masks are made with, for the same ones in several exports; drawn by lot without")
	f.BoolVar(&rows, "rows", false, "sqlite: write the rows of results too")
	f.Uint16Var(&port, "port", 0, "server's `PORT` beside 3306, for captures that begin in the middle of connections")
	return cmd
}

func summary(r *sessions.Reader, t export.Totals) string {
	s := fmt.Sprintf("%d exchanges written", t.Written)
	if t.Written == 1 {
		s = "1 exchange written"
	}
	if t.Left > 0 {
		s += fmt.Sprintf(", %d left out by --filter", t.Left)
	}
	switch p := r.Progress(); {
	case p.Err != nil:
		s += fmt.Sprintf("; the file could be read up to byte %d of %d: %v", p.Read, p.Size, p.Err)
	case p.Cut:
		s += "; the file ends in the middle of a block"
	}
	return s
}
