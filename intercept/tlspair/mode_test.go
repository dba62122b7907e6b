package tlspair

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestParseMode(t *testing.T) {
	for _, tt := range []struct {
		s    string
		want Mode
	}{
		{"mirror", Mirror},
		{"disabled", Disabled},
		{"PREFERRED", Preferred},
		{"Required", Required},
		{"verify_ca", VerifyCA},
		{"VERIFY-IDENTITY", VerifyIdentity},
	} {
		got, err := ParseMode(tt.s)
		if err != nil || got != tt.want {
			t.Errorf("%s: got %s, %v, want %s", tt.s, got, err, tt.want)
		}
		text, err := got.MarshalText()
		if err != nil {
			t.Fatal(err)
		}
		var again Mode
		if err := again.UnmarshalText(text); err != nil || again != got {
			t.Errorf("%s: got %s, %v after a round trip", tt.s, again, err)
		}
	}
	if got := Mode(99).String(); got != "Mode(99)" {
		t.Errorf("got %s", got)
	}
}

func TestUnknownModeListsTheKnown(t *testing.T) {
	m := Required
	err := m.UnmarshalText([]byte("on"))
	want := `unknown TLS mode "on": use one of mirror, disabled, preferred, required, verify_ca, verify_identity`
	if err == nil || err.Error() != want {
		t.Errorf("got %v, want %s", err, want)
	}
	if m != Required {
		t.Errorf("the mode became %s", m)
	}
}

func TestUse(t *testing.T) {
	const no, yes, fails = 0, 1, 2
	for _, tt := range []struct {
		mode Mode
		want [4]int // client plain, TLS when not offered; the same when offered
	}{
		{Mirror, [4]int{no, fails, no, yes}},
		{Disabled, [4]int{no, no, no, no}},
		{Preferred, [4]int{no, no, yes, yes}},
		{Required, [4]int{fails, fails, yes, yes}},
		{VerifyCA, [4]int{fails, fails, yes, yes}},
		{VerifyIdentity, [4]int{fails, fails, yes, yes}},
	} {
		for i, want := range tt.want {
			clientTLS, offered := i&1 == 1, i&2 == 2
			use, err := tt.mode.Use(clientTLS, offered)
			got := no
			if err != nil {
				got = fails
				var problem *Error
				if !errors.Is(err, ErrNotOffered) || !errors.As(err, &problem) || problem.Hint == "" {
					t.Errorf("%s: got error %#v", tt.mode, err)
				}
			} else if use {
				got = yes
			}
			if got != want {
				t.Errorf("%s, client TLS %t, offered %t: got %d, want %d", tt.mode, clientTLS, offered, got, want)
			}
		}
	}
}

func TestClientConfigErrors(t *testing.T) {
	dir := t.TempDir()
	missing := filepath.Join(dir, "missing.pem")
	empty := filepath.Join(dir, "empty.pem")
	if err := os.WriteFile(empty, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct {
		name                string
		mode                Mode
		ca, host, cert, key string
		want                string
	}{
		{"missing authorities", VerifyCA, missing, "", "", "", missing},
		{"no authority in the file", VerifyCA, empty, "", "", "", empty + ": no certificate in it"},
		{"no host name", VerifyIdentity, "", "", "", "", "host name is not known"},
		{"certificate without key", Required, "", "", empty, "", "both needed"},
		{"key without certificate", Required, "", "", "", empty, "both needed"},
		{"unusable certificate", Required, "", "", empty, empty, empty},
	} {
		t.Run(tt.name, func(t *testing.T) {
			_, err := ClientConfig(tt.mode, tt.ca, tt.host, tt.cert, tt.key)
			if err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("got %v, want %s", err, tt.want)
			}
		})
	}
	if cfg, err := ClientConfig(Disabled, missing, "", "", ""); cfg != nil || err != nil {
		t.Errorf("disabled: got %v, %v", cfg, err)
	}
}
