package launch

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	"mydbg/intercept"
	"mydbg/mysqlwire"
	"mydbg/script"
	"mydbg/tui"
	"mydbg/tui/cmdline"
	"mydbg/tui/scripts"
)

// snippets is the console as the screen knows it. The engines are in the order of the console's scripts.
type snippets struct {
	c       *script.Console
	engines []*script.Engine
}

// trialDeadline is how long a hook may run where no traffic waits for it.
const trialDeadline = 5 * time.Second

// Scripts loads scripts that only are tried: there is no traffic that they could be asked about.
func Scripts(paths []string) (tui.Snippets, error) {
	o := script.Options{Deadline: trialDeadline}
	var s snippets
	for _, path := range paths {
		e, err := loadScript(path, o)
		if err != nil {
			return nil, err
		}
		s.engines = append(s.engines, e)
	}
	s.c = script.NewConsole(o, s.engines...)
	return s, nil
}

// loadScript loads a script that a flag names.
func loadScript(path string, o script.Options) (*script.Engine, error) {
	e, err := script.Load(path, o)
	if _, unreadable := os.Stat(path); unreadable != nil {
		return nil, cmdline.Broken(fmt.Errorf("read the script: %w", unreadable))
	}
	if err != nil {
		return nil, cmdline.Wrong("--script: %w", err)
	}
	return e, nil
}

func (s snippets) Run(ctx context.Context, n int, ev *intercept.Event, code string) scripts.Result {
	r := s.c.RunIn(ctx, n, ev, code)
	return scripts.Result{Output: r.Output, Verdict: r.Verdict, Describe: r.Describe, Err: r.Err}
}

func (s snippets) Try(ctx context.Context, ev *intercept.Event) ([]scripts.Tried, error) {
	tried, err := s.c.Try(ctx, ev)
	var list []scripts.Tried
	for i := range tried {
		t := &tried[i]
		out := scripts.Tried{
			Script: filepath.Base(t.Script), Hook: t.Hook, Exists: t.Exists, Output: t.Output, Describe: t.Describe, Details: details(ev, &t.Would),
		}
		if t.Err != nil {
			out.Err = t.Err
		}
		list = append(list, out)
	}
	return list, err
}

// details are the statements that a verdict would send.
func details(ev *intercept.Event, v *intercept.Verdict) (list []string) {
	for i := range v.Queries {
		q := &v.Queries[i]
		if len(q.Packet) == 0 {
			list = append(list, "an empty command")
			continue
		}
		text := mysqlwire.Command(q.Packet[0]).String()
		switch m, err := mysqlwire.Decode(mysqlwire.Command(q.Packet[0]).Kind(), q.Packet, ev.Context); m := m.(type) {
		case *mysqlwire.Query:
			if err == nil {
				text += "  " + ev.Context.ClientText(m.SQL)
			}
		case *mysqlwire.StmtPrepare:
			if err == nil {
				text += "  " + ev.Context.ClientText(m.SQL)
			}
		}
		if q.Need {
			text += "  (its result goes to read_query_result)"
		}
		list = append(list, text)
	}
	return list
}

func (s snippets) Scripts() (list []scripts.Status) {
	for _, st := range s.c.Scripts() {
		out := scripts.Status{Name: filepath.Base(st.Path), Path: st.Path, OK: st.OK, Conns: st.Conns}
		if e := st.Err; e != nil {
			out.Err = &scripts.Failure{At: st.ErrAt, Text: e.Error(), Path: e.Script, Line: e.Line, Hook: e.Hook, Conn: e.Conn, Trace: e.Trace}
		}
		for _, h := range st.Hooks {
			out.Hooks = append(out.Hooks, scripts.Hook{Name: h.Name, Calls: h.Calls, Errors: h.Errors, Total: h.Total, Worst: h.Worst, Last: h.Last})
		}
		list = append(list, out)
	}
	return list
}

// levels are those of scripts as the screen knows them.
var levels = map[script.Level]scripts.Level{
	script.Hint: scripts.Hint, script.Message: scripts.Message, script.Warning: scripts.Warning,
	script.Critical: scripts.Failed, script.Failure: scripts.Failed,
}

func (s snippets) Lines() (list []scripts.Line) {
	for _, l := range s.c.Lines() {
		out := scripts.Line{
			At: l.At, Script: filepath.Base(l.Script), Source: l.Source, Exchange: l.Exchange, Conn: l.Conn, Hook: l.Hook,
			Level: levels[l.Level], Text: l.Text,
		}
		if l.Err != nil { // whose message begins with the place
			out.Script, out.Text, out.Trace = filepath.Base(l.Err.Script), l.Err.Msg, l.Err.Trace
		}
		list = append(list, out)
	}
	return list
}

// engine is the script of a number.
func (s snippets) engine(n int) (*script.Engine, error) {
	if n < 0 || n >= len(s.engines) {
		return nil, errors.New("there is no such script")
	}
	return s.engines[n], nil
}

func (s snippets) Source(n int) ([]byte, error) {
	e, err := s.engine(n)
	if err != nil {
		return nil, err
	}
	return e.Source()
}

func (s snippets) Save(ctx context.Context, n int, text []byte) ([]string, error) {
	e, err := s.engine(n)
	if err != nil {
		return nil, err
	}
	if err := e.Save(ctx, text); err != nil {
		return nil, err
	}
	report, err := script.Check(e.Path())
	if err != nil { // it has just been saved: somebody else is at it
		return nil, err
	}
	var findings []string
	for _, f := range report.Findings {
		findings = append(findings, strings.TrimSpace(fmt.Sprintf("%s:%d: %s", filepath.Base(e.Path()), f.Line, f.Text)))
	}
	return findings, nil
}

func (s snippets) Reload(ctx context.Context, n int) error {
	e, err := s.engine(n)
	if err != nil {
		return err
	}
	return e.Reload(ctx)
}
