package launch

import (
	"context"
	"errors"
	"strings"
	"testing"

	"mydbg/tui/cmdline"
)

func TestPanicEndsTheRun(t *testing.T) {
	ctx, stop := context.WithCancelCause(t.Context())
	s := &Session{stop: stop}
	s.goes(func() { panic("a bug") })
	s.beside.Wait()
	err := Ended(ctx)
	var f *cmdline.Failure
	if !errors.As(err, &f) || f.Status != cmdline.NotStarted || !strings.Contains(f.Error(), "internal error, please report: a bug") {
		t.Errorf("got %v", err)
	}
	if !strings.Contains(err.Error(), "TestPanicEndsTheRun") {
		t.Errorf("it does not say where:\n%v", err)
	}
}
