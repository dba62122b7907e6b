package sqltext

import (
	"bufio"
	"os"
	"strings"
	"testing"
)

// recorded are pairs of a statement and the real server's digest text.
func recorded(t testing.TB) (pairs [][2]string) {
	t.Helper()
	f, err := os.Open("testdata/digests.txt")
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	s := bufio.NewScanner(f)
	for s.Scan() {
		line := s.Text()
		if text, ok := strings.CutPrefix(line, "\t"); ok {
			pairs[len(pairs)-1][1] = text
		} else if !strings.HasPrefix(line, "#") {
			pairs = append(pairs, [2]string{line, ""})
		}
	}
	if len(pairs) == 0 || s.Err() != nil {
		t.Fatal("nothing recorded", s.Err())
	}
	return pairs
}

func TestDigestTextIsTheServers(t *testing.T) {
	for _, p := range recorded(t) {
		if _, got := Digest(p[0]); got != p[1] {
			t.Errorf("%s\n got %s\nwant %s", p[0], got, p[1])
		}
	}
}
