package intercepttest

import (
	"os"
	"path/filepath"
	"testing"
)

// stateDir is one for all tests of a process, so that there is one authority to make.
func stateDir(t testing.TB) string {
	t.Helper()
	dir := filepath.Join(os.TempDir(), "mydbg-test-authority")
	if err := os.MkdirAll(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	return dir
}
