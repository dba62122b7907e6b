package launch

import (
	"context"
	"os"
	"os/signal"
	"sync"
	"syscall"

	"mydbg/intercept"
)

// logFile is where lines go in place of standard output. Once it has been renamed, reopen begins a new
// one of the old name: this is how logs are rotated.
type logFile struct {
	path string
	mu   sync.Mutex
	f    *os.File
}

func openLog(path string) (*logFile, error) {
	f, err := appendTo(path)
	return &logFile{path: path, f: f}, err
}

func appendTo(path string) (*os.File, error) {
	return os.OpenFile(path, os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o660)
}

func (l *logFile) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.f.Write(p)
}

// reopen closes the file and opens the one that now has its name. With an error it goes on as it was.
func (l *logFile) reopen() error {
	f, err := appendTo(l.path)
	if err != nil {
		return err
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.f, f = f, l.f
	return f.Close()
}

// Close is called when nothing more is written.
func (l *logFile) Close() error { return l.f.Close() }

// reopenOnHangup reopens the log file at each SIGHUP until ctx ends, as MySQL Proxy does.
func (s *Session) reopenOnHangup(ctx context.Context) {
	hangups := make(chan os.Signal, 1)
	signal.Notify(hangups, syscall.SIGHUP)
	s.goes(func() {
		defer signal.Stop(hangups)
		for {
			select {
			case <-ctx.Done():
				return
			case <-hangups:
			}
			if err := s.logFile.reopen(); err != nil {
				tell("%v. The lines go on where they went", err)
				s.proxy.Journal.Note(intercept.Error, 0, 0, "reopen the log file: %v", err)
				continue
			}
			tell("reopened %s", s.logFile.path)
			s.proxy.Journal.Note(intercept.Info, 0, 0, "the log file was reopened")
		}
	})
}
