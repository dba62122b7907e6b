package intercept_test

import (
	"path/filepath"
	"strings"
	"testing"

	"mydbg/intercept/intercepttest"
)

func TestConversations(t *testing.T) {
	files, err := filepath.Glob("testdata/conversations/*.txtar")
	if err != nil || len(files) == 0 {
		t.Fatalf("no conversations: %v", err)
	}
	for _, f := range files {
		t.Run(strings.TrimSuffix(filepath.Base(f), ".txtar"), func(t *testing.T) { intercepttest.Conversation(t, f) })
	}
}
