package intercepttest

import (
	"bytes"
	"runtime"
	"testing"
)

// NoLeaks fails the test if goroutines of the proxy's sessions are left. Call it when every proxy is
// closed: Close waits for them, so there is nothing to wait for here but their last instructions.
func NoLeaks(t testing.TB) {
	t.Helper()
	for range 10_000 {
		left := sessions()
		if len(left) == 0 {
			return
		}
		runtime.Gosched()
	}
	t.Errorf("left behind:\n%s", bytes.Join(sessions(), []byte("\n\n")))
}

// sessions are the stacks of goroutines that run a session.
func sessions() [][]byte {
	buf := make([]byte, 1<<20)
	buf = buf[:runtime.Stack(buf, true)]
	var left [][]byte
	for _, stack := range bytes.Split(buf, []byte("\n\n")) {
		if bytes.Contains(stack, []byte("intercept.(*session)")) || bytes.Contains(stack, []byte("intercept.(*leg)")) {
			left = append(left, stack)
		}
	}
	return left
}
