package tmux

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"
)

func TestTerminalShowsWhatAProgramWritesAndReads(t *testing.T) {
	term, err := Start(40, 10, []string{"GREETING=it's me"}, "sh", "-c", `echo "$GREETING"; read line; echo "<$line>"`)
	if errors.Is(err, ErrMissing) {
		t.Skip(err)
	}
	if err != nil {
		t.Fatal(err)
	}
	defer term.Close()
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	if _, err := term.WaitText(ctx, "it's me"); err != nil {
		t.Fatal(err)
	}
	if err := term.Type("abc"); err != nil {
		t.Fatal(err)
	}
	if err := term.Keys("Enter"); err != nil {
		t.Fatal(err)
	}
	if _, err := term.WaitText(ctx, "<abc>", "exit status 0"); err != nil {
		t.Fatal(err)
	}
	if err := term.Resize(60, 12); err != nil {
		t.Fatal(err)
	}
	if s, err := term.Styled(); err != nil || !strings.Contains(s, "abc") {
		t.Errorf("%q, %v", s, err)
	}
	soon, stop := context.WithTimeout(ctx, 100*time.Millisecond)
	defer stop()
	if _, err := term.WaitText(soon, "never"); err == nil || !strings.Contains(err.Error(), "abc") {
		t.Errorf("an error that shows the screen is wanted, not %v", err)
	}
}
