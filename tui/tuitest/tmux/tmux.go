// Package tmux drives a program in a real terminal: it types keys and reads the screen, as a person
// would. Each Terminal is a tmux server of its own, so nothing of the user's is touched.
package tmux

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"
)

// ErrMissing means that tmux is not installed.
var ErrMissing = errors.New("tmux is not installed")

// Terminal is a running program and its screen.
type Terminal struct {
	socket string
	dir    string
}

// Start runs a program with its arguments in a terminal of so many cells. env is added to the
// environment, KEY=value.
func Start(cols, rows int, env []string, program string, args ...string) (*Terminal, error) {
	if _, err := exec.LookPath("tmux"); err != nil {
		return nil, ErrMissing
	}
	dir, err := os.MkdirTemp("", "mydbg-tmux-")
	if err != nil {
		return nil, err
	}
	t := &Terminal{socket: filepath.Join(dir, "s"), dir: dir}
	words := append([]string{"env"}, env...)
	words = append(append(words, program), args...)
	for i, w := range words {
		words[i] = "'" + strings.ReplaceAll(w, "'", `'\''`) + "'"
	}
	// What the program leaves on the screen stays to be read when it has ended.
	command := strings.Join(words, " ") + `; printf '\nexit status %s\n' $?; exec cat`
	if _, err := t.tmux("-f", "/dev/null", "new-session", "-d", "-x", fmt.Sprint(cols), "-y", fmt.Sprint(rows), command, ";",
		"set-option", "-g", "status", "off", ";", "set-option", "-g", "escape-time", "0", ";", "set-option", "-g", "default-terminal", "tmux-256color"); err != nil {
		_ = os.RemoveAll(dir)
		return nil, err
	}
	return t, nil
}

// Close ends the program and its terminal.
func (t *Terminal) Close() error {
	_, err := t.tmux("kill-server")
	return errors.Join(err, os.RemoveAll(t.dir))
}

// Keys types keys by tmux's names (Enter, Escape, C-r, Down, a), one after the other, as slowly as a
// fast typist, so that they are not taken for pasted text.
func (t *Terminal) Keys(keys ...string) error {
	for _, k := range keys {
		if _, err := t.tmux("send-keys", k); err != nil {
			return err
		}
		<-time.After(80 * time.Millisecond) // a typist's pace is the point
	}
	return nil
}

// Type types text into a field.
func (t *Terminal) Type(text string) error {
	_, err := t.tmux("send-keys", "-l", text)
	return err
}

// Resize changes the terminal's size.
func (t *Terminal) Resize(cols, rows int) error {
	_, err := t.tmux("resize-window", "-x", fmt.Sprint(cols), "-y", fmt.Sprint(rows))
	return err
}

// Screen is the text on the screen.
func (t *Terminal) Screen() (string, error) { return t.tmux("capture-pane", "-p") }

// Styled is the screen with its escape sequences.
func (t *Terminal) Styled() (string, error) { return t.tmux("capture-pane", "-e", "-p") }

// Wait looks at the screen until found reports true and returns it. When ctx ends first, the error
// shows the last screen; what says what was waited for.
func (t *Terminal) Wait(ctx context.Context, what string, found func(screen string) bool) (string, error) {
	for {
		s, err := t.Screen()
		if err != nil {
			return "", err
		}
		if found(s) {
			return s, nil
		}
		select {
		case <-ctx.Done():
			return s, fmt.Errorf("waited for %s: %w\n%s", what, ctx.Err(), s)
		case <-time.After(50 * time.Millisecond): // a terminal has no bell to wait on
		}
	}
}

// WaitText waits until all the texts are on the screen.
func (t *Terminal) WaitText(ctx context.Context, texts ...string) (string, error) {
	return t.Wait(ctx, strings.Join(texts, " and "), func(s string) bool {
		for _, want := range texts {
			if !strings.Contains(s, want) {
				return false
			}
		}
		return true
	})
}

func (t *Terminal) tmux(args ...string) (string, error) {
	out, err := exec.Command("tmux", append([]string{"-S", t.socket}, args...)...).CombinedOutput()
	if err != nil {
		return "", fmt.Errorf("tmux %s: %w: %s", args[0], err, strings.TrimSpace(string(out)))
	}
	return string(out), nil
}
