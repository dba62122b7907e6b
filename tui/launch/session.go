// Package launch runs what the command line asked for: the servers, the proxy with its scripts and rules, the recording,
// and the screen or the lines in front of it; and ends it all in good order.
package launch

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime/debug"
	"strings"
	"sync"

	"github.com/charmbracelet/x/term"
	"github.com/spf13/cobra"

	"mydbg/intercept"
	"mydbg/script"
	"mydbg/sessions"
	"mydbg/sessions/demo"
	"mydbg/sessions/demo/shop"
	"mydbg/sessions/serve"
	"mydbg/tui/cmdline"
	"mydbg/tui/replays"
)

// errShutdown is why a run ends that a script ends.
var errShutdown = errors.New("a script called chassis.set_shutdown")

// Interrupted is why a run ends that a signal ended.
type Interrupted struct{ os.Signal }

func (i Interrupted) Error() string { return "ended by a signal: " + i.String() }

// Session is one run of the proxy, with or without a screen.
type Session struct {
	*cmdline.Settings
	Shop         bool          // the shop sends traffic
	Serve        cmdline.Serve // flags of serving; its zero value for backends that are recordings
	ServeOptions serve.Options
	recordings   []*serve.Server
	readers      []*sessions.Reader // theirs
	replay       *replays.Log       // of traffic; nil where that is none
	// traffic sends traffic of its own through the proxy until ctx ends; nil for none.
	traffic  func(ctx context.Context)
	replayed bool // it is a replay

	proxy     *intercept.Proxy
	engines   []*script.Engine
	scripting script.Options // of engines
	console   *script.Console
	logFile   *logFile // nil where lines go to standard output
	listen    []string // where clients connect
	tcp       string   // the first of them that is TCP
	servers   []*demo.Server
	record    *sessions.Recorder // nil when nothing can be recorded

	beside sync.WaitGroup // what runs beside the proxy, see goes
	stop   context.CancelCauseFunc
}

// Run starts everything, shows it until the person, a signal or a reader that leaves ends it, and closes
// everything.
func (s *Session) Run(cmd *cobra.Command, screen bool) (err error) {
	if err := s.Read(cmd, os.Getenv); err != nil {
		return err
	}
	ctx, stop := context.WithCancelCause(cmd.Context())
	s.stop = stop
	if screen && !term.IsTerminal(os.Stdout.Fd()) {
		tell("standard output is no terminal: running as mydbg proxy does, one line per event")
		screen = false
	}
	defer s.beside.Wait()
	defer s.close()
	if err := s.start(ctx, screen); err != nil {
		return err
	}
	s.watch(ctx)
	events, failed := s.log(ctx, screen)
	if screen {
		err = s.screen(ctx)
	} else {
		s.introduce()
		select {
		case <-ctx.Done():
		case <-events: // its reader left
		}
	}
	s.close()
	defer func() {
		if s.logFile != nil {
			_ = s.logFile.Close() // its lines have been written
		}
		if s.MySQLProxy.VerboseShutdown {
			status := 0
			if f := (*cmdline.Failure)(nil); errors.As(err, &f) {
				status = f.Status
			}
			tell("shutting down normally, exit code is: %d", status)
		}
	}()
	if failed() {
		return &cmdline.Failure{Status: cmdline.Matched}
	}
	return errors.Join(err, Ended(ctx))
}

// Ended is the failure that the cause of a run's end means.
func Ended(ctx context.Context) error {
	var signal Interrupted
	var bug *panicked
	switch cause := context.Cause(ctx); {
	case errors.As(cause, &bug):
		return cmdline.Broken(bug)
	case errors.As(cause, &signal) && signal.Signal == os.Interrupt:
		return &cmdline.Failure{Status: cmdline.Interrupted}
	}
	return nil
}

// start makes the servers, the proxy, its hooks and its listeners.
func (s *Session) start(ctx context.Context, screen bool) error {
	backends, err := s.backends(ctx)
	if err != nil {
		return err
	}
	o := intercept.Options{
		Replayed: s.replayed,
		Backends: backends, ClientTLS: s.ClientTLS, BackendTLS: s.BackendTLS, BackendCA: s.BackendCA,
		BackendCert: s.BackendCert, BackendKey: s.BackendKey, StateDir: s.StateDir,
		AllowCleartext: s.AllowCleartext,
		ClientCompress: s.ClientCompress, BackendCompress: s.BackendCompress,
		ProxyProtocol: s.ProxyProtocol, ProxyFrom: s.ProxyFrom, BackendProxyProtocol: s.BackendProxyProtocol,
		PoolNoChangeUser: s.MySQLProxy.PoolNoChangeUser, ConnectTimeout: s.MySQLProxy.ConnectTimeout,
		ReadTimeout: s.MySQLProxy.ReadTimeout, WriteTimeout: s.MySQLProxy.WriteTimeout,
	}
	if screen || s.Recording.Path != "" {
		if err := s.recorder(screen); err != nil {
			return cmdline.Broken(err)
		}
		o.Tap = s.record
	}
	s.proxy, err = intercept.New(o)
	if err != nil {
		return cmdline.Broken(err)
	}
	if err := s.load(); err != nil {
		return err
	}
	rules, note := s.Rules, ""
	if !screen {
		var changed []string
		if rules, changed = s.Unattended(); len(changed) > 0 {
			note = "nobody is there to continue what these rules hold, so they log instead: " + strings.Join(changed, "; ")
		}
	}
	for _, r := range rules {
		s.proxy.Breakpoints.AddRule(r)
	}
	if note != "" {
		s.proxy.Journal.Note(intercept.Warning, 0, 0, "%s", note)
	}
	for _, address := range s.Listen {
		if s.MySQLProxy.NoProxy {
			break
		}
		at, err := s.proxy.Listen(address)
		if err != nil {
			return cmdline.Broken(err)
		}
		s.listening(at)
	}
	if err := s.asMySQLProxy(); err != nil {
		return err
	}
	if s.Shop {
		return s.open(ctx)
	}
	if s.traffic != nil {
		if s.tcp == "" {
			return cmdline.Wrong("the recording is sent over TCP: give --listen a host:port")
		}
		s.goes(func() { s.traffic(ctx) })
	}
	return nil
}

// recorder makes what keeps the traffic. Its trouble with the disk is no trouble of the traffic.
func (s *Session) recorder(screen bool) (err error) {
	o := s.Recording.Options(screen)
	o.Trouble = func(err error) {
		if err == nil {
			s.proxy.Journal.Note(intercept.Info, 0, 0, "recording goes on")
			return
		}
		s.proxy.Journal.Note(intercept.Error, 0, 0, "%v", err)
		if !screen {
			tell("%v", err)
		}
	}
	s.record, err = sessions.NewRecorder(o)
	return err
}

// load makes hooks of the scripts. What they print goes to the log.
func (s *Session) load() error {
	s.scripting = script.Options{Servers: s.proxy, Path: s.LuaPath, CPath: s.LuaCPath, Deadline: s.LuaDeadline, Sandbox: s.Sandbox, Shutdown: func() { s.stop(errShutdown) }, Output: func(l script.Line) {
		if !l.Level.Reaches(s.MySQLProxy.LogLevel) {
			return
		}
		if l.Err != nil && l.Err.Hook != "" { // the proxy tells it, with what becomes of the event
			return
		}
		level := intercept.Info
		switch l.Level {
		case script.Warning, script.Hint:
			level = intercept.Warning
		case script.Critical, script.Failure:
			level = intercept.Error
		}
		where := filepath.Base(l.Script)
		if l.Source > 0 {
			where = fmt.Sprintf("%s:%d", where, l.Source)
		}
		s.proxy.Journal.Note(level, l.Conn, l.Exchange, "%s: %s", where, l.Long())
	}}
	o := s.scripting
	if o.Deadline == 0 {
		o.Deadline, s.scripting.Deadline = -1, -1 // without limit
	}
	var hooks []intercept.Hook
	for _, path := range s.Scripts {
		e, err := loadScript(path, o)
		if err != nil {
			return err
		}
		s.engines, hooks = append(s.engines, e), append(hooks, e)
	}
	s.proxy.SetHooks(hooks...)
	s.console = script.NewConsole(o, s.engines...)
	return nil
}

// asMySQLProxy does what only options of MySQL Proxy ask for.
func (s *Session) asMySQLProxy() error {
	m := &s.MySQLProxy
	for _, line := range m.Ignored {
		tell("%s", line)
		s.proxy.Journal.Note(intercept.Warning, 0, 0, "%s", line)
	}
	if m.Admin.On {
		o := script.AdminOptions{User: m.Admin.User, Password: m.Admin.Password, Path: m.Admin.Script}
		if len(s.engines) > 0 {
			o.With = s.engines[0]
		}
		admin, err := script.NewAdmin(s.scripting, o)
		if err != nil {
			return cmdline.Wrong("--admin-lua-script: %w", err)
		}
		at, err := s.proxy.ListenWith(m.Admin.Address, admin)
		if err != nil {
			return cmdline.Broken(err)
		}
		tell("admin listener on %s", at)
	}
	if m.PIDFile != "" {
		if err := os.WriteFile(m.PIDFile, fmt.Appendf(nil, "%d\n", os.Getpid()), 0o600); err != nil {
			return cmdline.Broken(fmt.Errorf("write the process id: %w", err))
		}
	}
	if m.User != "" {
		return cmdline.Become(m.User)
	}
	return nil
}

// open has the shop send its traffic through the proxy.
func (s *Session) open(ctx context.Context) error {
	if s.tcp == "" {
		return cmdline.Wrong("the shop connects over TCP: give --listen a host:port")
	}
	s.goes(func() { // ends with ctx
		err := shop.Run(ctx, shop.Options{Addr: s.tcp, Log: func(line string) {
			s.proxy.Journal.Note(intercept.Info, 0, 0, "shop: %s", line)
		}})
		if err != nil {
			s.proxy.Journal.Note(intercept.Error, 0, 0, "shop: %v", err)
		}
	})
	return nil
}

// goes runs f beside the proxy; run waits for it. A panic in it ends the run instead of the process,
// so that the screen can give the terminal back.
func (s *Session) goes(f func()) {
	s.beside.Go(func() {
		defer func() {
			if v := recover(); v != nil {
				s.stop(&panicked{v, debug.Stack()})
			}
		}()
		f()
	})
}

// panicked is a bug found by running into it.
type panicked struct {
	value any
	stack []byte
}

func (p *panicked) Error() string {
	return fmt.Sprintf("internal error, please report: %v\n%s", p.value, p.stack)
}

// close ends everything, in the order in which nobody loses an answer. What is held goes on unchanged.
func (s *Session) close() {
	s.stop(nil)
	if s.proxy != nil {
		if err := s.proxy.Close(); err != nil {
			tell("%v", err)
		}
	}
	if s.record != nil {
		_ = s.record.Close() // its trouble has been told
	}
	for _, server := range s.servers {
		if err := server.Close(); err != nil {
			tell("%v", err)
		}
	}
	s.servers = nil
	for i, server := range s.recordings {
		tell("%s: %s", s.readers[i].Path(), cmdline.ServeReport(server.Totals()))
		_ = s.readers[i].Close() // only read
	}
	s.recordings, s.readers = nil, nil
}

// tell writes a line for the person at the keyboard.
func tell(format string, args ...any) { fmt.Fprintf(os.Stderr, "mydbg: "+format+"\n", args...) }
