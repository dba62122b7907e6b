package tui

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"strings"
	"sync"
	"time"

	"github.com/aymanbagabas/go-osc52/v2"
	tea "github.com/charmbracelet/bubbletea"

	"mydbg/intercept"
)

// screenWriter is the terminal. Everything goes through it one write at a time, so that what is not
// drawn (a copied text, a bell) cannot get into the middle of a frame.
type screenWriter struct {
	*os.File
	mu sync.Mutex
}

// Write writes all of b before anyone else writes.
func (w *screenWriter) Write(b []byte) (int, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.File.Write(b)
}

// WriteString is Write.
func (w *screenWriter) WriteString(s string) (int, error) { return w.Write([]byte(s)) }

// ring rings the terminal's bell.
func (m *Model) ring() tea.Cmd {
	out := m.out
	if out == nil {
		return nil
	}
	return func() tea.Msg {
		_, _ = out.WriteString("\a") // a terminal that is gone cannot ring
		return nil
	}
}

// oscLimit is the longest text that terminals take, encoded.
const oscLimit = 74_994

// copiedMsg says how copying went.
type copiedMsg struct {
	what, way string
	err       error
}

// copy puts what the inspector offers on the clipboard: with a tool of the desktop, else with the
// terminal's sequence.
func (m *Model) copy() tea.Cmd {
	text, what := m.inspector.Copy()
	if what == "" {
		m.say(intercept.Info, "there is nothing to copy here")
		return nil
	}
	return m.toClipboard(text, what)
}

// toClipboard puts a text on the clipboard. what names it in messages.
func (m *Model) toClipboard(text, what string) tea.Cmd {
	out, getenv := m.out, m.o.Getenv
	tool := clipboardTool(getenv)
	return func() tea.Msg {
		if tool != nil {
			ctx, cancel := context.WithTimeout(context.Background(), 2*time.Second)
			defer cancel()
			cmd := exec.CommandContext(ctx, tool[0], tool[1:]...)
			cmd.Stdin = strings.NewReader(text)
			if err := cmd.Run(); err == nil {
				return copiedMsg{what: what, way: tool[0]}
			}
		}
		seq := osc(text, getenv)
		if len(seq) > oscLimit {
			return copiedMsg{what: what, err: fmt.Errorf("%d bytes are too big for the terminal's clipboard", len(text))}
		}
		if out == nil {
			return copiedMsg{what: what, err: fmt.Errorf("there is no terminal")}
		}
		if _, err := out.WriteString(seq); err != nil {
			return copiedMsg{what: what, err: err}
		}
		return copiedMsg{what: what, way: "the terminal (OSC 52)"}
	}
}

// osc is the sequence that asks the terminal to copy, wrapped for what stands between.
func osc(text string, getenv func(string) string) string {
	seq := osc52.New(text)
	switch {
	case getenv("TMUX") != "":
		seq = seq.Tmux()
	case strings.HasPrefix(getenv("TERM"), "screen"):
		seq = seq.Screen()
	}
	return seq.String()
}

// clipboardTool is the desktop's own, nil where there is none or it is not the user's desktop.
func clipboardTool(getenv func(string) string) []string {
	if getenv("SSH_TTY") != "" || getenv("SSH_CONNECTION") != "" {
		return nil
	}
	var tools [][]string
	if getenv("WAYLAND_DISPLAY") != "" {
		tools = append(tools, []string{"wl-copy"})
	}
	if getenv("DISPLAY") != "" {
		tools = append(tools, []string{"xclip", "-selection", "clipboard"}, []string{"xsel", "--clipboard", "--input"})
	}
	if runtime.GOOS == "darwin" {
		tools = append(tools, []string{"pbcopy"})
	}
	for _, t := range tools {
		if _, err := exec.LookPath(t[0]); err == nil {
			return t
		}
	}
	return nil
}

func (m *Model) copied(c copiedMsg) {
	if c.err != nil {
		m.say(intercept.Error, "%s not copied: %v", c.what, c.err)
		return
	}
	if strings.Contains(c.way, "OSC 52") {
		m.say(intercept.Info, "%s sent to %s; a terminal does not say whether it took it", c.what, c.way)
		return
	}
	m.say(intercept.Info, "%s copied with %s", c.what, c.way)
}
