package demo

import (
	"slices"
	"testing"
)

func TestHint(t *testing.T) {
	want := []string{
		"mysql -h 127.0.0.1 -P 4040 -u app -papp-pw shop",
		"mysql -h 127.0.0.1 -P 4040 -u root shop",
		"go    app:app-pw@tcp(127.0.0.1:4040)/shop",
		"url   mysql://app:app-pw@127.0.0.1:4040/shop",
		"jdbc  jdbc:mysql://127.0.0.1:4040/shop?user=app&password=app-pw&sslMode=DISABLED",
	}
	if got := Hint("127.0.0.1:4040"); !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
}
