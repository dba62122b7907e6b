package tlspair

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"
)

// testDir holds one authority for all tests that do not need one of their own.
var testDir string

func TestMain(m *testing.M) {
	if dir := os.Getenv("TLSPAIR_TEST_OPEN"); dir != "" {
		a, err := OpenAuthority(dir)
		if err != nil {
			os.Stderr.WriteString(err.Error())
			os.Exit(1)
		}
		os.Stdout.Write(a.cert.Raw)
		os.Exit(0)
	}
	var err error
	if testDir, err = os.MkdirTemp("", "tlspair"); err != nil {
		panic(err)
	}
	code := m.Run()
	os.RemoveAll(testDir)
	os.Exit(code)
}

func testAuthority(t *testing.T) *Authority {
	t.Helper()
	a, err := OpenAuthority(testDir)
	if err != nil {
		t.Fatal(err)
	}
	return a
}

func TestAuthorityIsKept(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "not", "there", "yet")
	first, err := OpenAuthority(dir)
	if err != nil {
		t.Fatal(err)
	}
	second, err := OpenAuthority(dir)
	if err != nil {
		t.Fatal(err)
	}
	if !first.cert.Equal(second.cert) || !first.key.Equal(second.key) {
		t.Error("the second opening gave another authority")
	}
	if got, want := first.CAFile(), filepath.Join(dir, "ca.pem"); got != want {
		t.Errorf("got %s, want %s", got, want)
	}
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, e := range entries {
		got = append(got, e.Name())
	}
	if want := []string{"ca-key.pem", "ca.pem"}; !slices.Equal(got, want) {
		t.Errorf("got files %q, want %q", got, want)
	}
	if runtime.GOOS == "windows" {
		return
	}
	for name, want := range map[string]fs.FileMode{"ca.pem": 0o644, "ca-key.pem": 0o600} {
		info, err := os.Stat(filepath.Join(dir, name))
		if err != nil {
			t.Fatal(err)
		}
		if got := info.Mode().Perm(); got != want {
			t.Errorf("%s: got mode %o, want %o", name, got, want)
		}
	}
}

func TestDefaultDir(t *testing.T) {
	home := t.TempDir()
	for _, name := range []string{"HOME", "XDG_CONFIG_HOME", "AppData"} {
		t.Setenv(name, home)
	}
	want, err := DefaultDir()
	if err != nil {
		t.Fatal(err)
	}
	a, err := OpenAuthority("")
	if err != nil {
		t.Fatal(err)
	}
	if got := filepath.Dir(a.CAFile()); got != want || filepath.Base(got) != "mydbg" || !strings.HasPrefix(got, home) {
		t.Errorf("got %s, want %s below %s", got, want, home)
	}
}

// Several processes and goroutines that start at once must agree on one authority.
func TestConcurrentFirstUse(t *testing.T) {
	exe, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	dir := filepath.Join(t.TempDir(), "state")
	got := make([][]byte, 8)
	errs := make([]error, len(got))
	var all sync.WaitGroup
	for i := range got {
		all.Go(func() {
			if i%2 == 0 {
				cmd := exec.Command(exe)
				cmd.Env = append(os.Environ(), "TLSPAIR_TEST_OPEN="+dir)
				got[i], errs[i] = cmd.Output()
				return
			}
			a, err := OpenAuthority(dir)
			if err != nil {
				errs[i] = err
				return
			}
			got[i] = a.cert.Raw
		})
	}
	all.Wait()
	for i := range got {
		if errs[i] != nil {
			t.Errorf("opening %d: %v", i, errs[i])
		}
		if !bytes.Equal(got[i], got[0]) {
			t.Errorf("opening %d gave another authority than opening 0", i)
		}
	}
}

func TestBrokenAuthorityNamesTheFile(t *testing.T) {
	a := testAuthority(t)
	ca, err := os.ReadFile(filepath.Join(testDir, caFile))
	if err != nil {
		t.Fatal(err)
	}
	key, err := os.ReadFile(filepath.Join(testDir, keyFile))
	if err != nil {
		t.Fatal(err)
	}
	asPEM := func(kind string, der []byte, err error) []byte {
		if err != nil {
			t.Fatal(err)
		}
		return pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der})
	}
	expiredDER, err := newCA(a.key, time.Now().Add(-48*time.Hour), 24*time.Hour)
	expired := asPEM("CERTIFICATE", expiredDER, err)
	futureDER, err := newCA(a.key, time.Now().Add(48*time.Hour), 24*time.Hour)
	future := asPEM("CERTIFICATE", futureDER, err)
	leafCert, err := a.issue(time.Now(), []string{"localhost"})
	if err != nil {
		t.Fatal(err)
	}
	leaf := asPEM("CERTIFICATE", leafCert.Certificate[0], nil)
	other, err := newKey()
	if err != nil {
		t.Fatal(err)
	}
	otherDER, err := x509.MarshalPKCS8PrivateKey(other)
	otherKey := asPEM("PRIVATE KEY", otherDER, err)
	curve, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	curveDER, err := x509.MarshalPKCS8PrivateKey(curve)
	curveKey := asPEM("PRIVATE KEY", curveDER, err)

	for _, tt := range []struct {
		name    string
		ca, key []byte
		file    string
		want    string
	}{
		{"empty certificate", []byte{}, key, caFile, "no PEM block"},
		{"cut certificate", ca[:200], key, caFile, "no PEM block"},
		{"key for a certificate", key, key, caFile, "no PEM block with a certificate"},
		{"broken certificate", asPEM("CERTIFICATE", []byte{1}, nil), key, caFile, "x509"},
		{"certificate of a server", leaf, key, caFile, "not one of an authority"},
		{"expired", expired, key, caFile, "has expired on " + time.Now().Add(-24*time.Hour).UTC().Format(time.DateOnly)},
		{"not valid yet", future, key, caFile, "valid only from"},
		{"key of another", ca, otherKey, caFile, "not that of the key in ca-key.pem"},
		{"empty key", ca, []byte{}, keyFile, "no PEM block"},
		{"broken key", ca, asPEM("PRIVATE KEY", []byte{1}, nil), keyFile, "asn1"},
		{"broken old key", ca, asPEM("RSA PRIVATE KEY", []byte{1}, nil), keyFile, "asn1"},
		{"key of another kind", ca, curveKey, keyFile, "not an RSA key"},
		{"missing key", ca, nil, keyFile, "missing"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			dir := t.TempDir()
			for name, text := range map[string][]byte{caFile: tt.ca, keyFile: tt.key} {
				if text == nil {
					continue
				}
				if err := os.WriteFile(filepath.Join(dir, name), text, 0o600); err != nil {
					t.Fatal(err)
				}
			}
			_, err := OpenAuthority(dir)
			var problem *Error
			if !errors.As(err, &problem) {
				t.Fatalf("got %v, want an *Error", err)
			}
			if s := err.Error(); !strings.Contains(s, filepath.Join(dir, tt.file)) || !strings.Contains(s, tt.want) {
				t.Errorf("got %s, want %s and %q", s, tt.file, tt.want)
			}
			if !strings.Contains(problem.Hint, filepath.Join(dir, caFile)) {
				t.Errorf("got hint %q", problem.Hint)
			}
			if left, err := os.ReadFile(filepath.Join(dir, caFile)); err != nil || !bytes.Equal(left, tt.ca) {
				t.Error("the certificate was touched")
			}
		})
	}
}

// An authority of one's own in the older format of openssl serves as well, and one whose
// certificate alone was removed gets a new one for the same key.
func TestGivenKeyIsUsed(t *testing.T) {
	key, err := newKey()
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	text := pem.EncodeToMemory(&pem.Block{Type: "RSA PRIVATE KEY", Bytes: x509.MarshalPKCS1PrivateKey(key)})
	if err := os.WriteFile(filepath.Join(dir, keyFile), text, 0o600); err != nil {
		t.Fatal(err)
	}
	a, err := OpenAuthority(dir)
	if err != nil {
		t.Fatal(err)
	}
	if !a.key.Equal(key) || !key.PublicKey.Equal(a.cert.PublicKey) {
		t.Error("another key was used")
	}
}

func TestUnusableDirectory(t *testing.T) {
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := OpenAuthority(file); err == nil || !strings.Contains(err.Error(), file) {
		t.Errorf("got %v, want an error that names %s", err, file)
	}
}

// CheckDir says beforehand what OpenAuthority would say, and leaves nothing behind.
func TestCheckDir(t *testing.T) {
	dir := t.TempDir()
	file := filepath.Join(dir, "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	for _, bad := range []string{file, filepath.Join(file, "below")} {
		if err := CheckDir(bad); err == nil || !strings.Contains(err.Error(), file) {
			t.Errorf("%s: got %v, want an error that names it", bad, err)
		}
	}
	fresh := filepath.Join(dir, "fresh")
	if err := CheckDir(fresh); err != nil {
		t.Error(err)
	}
	if left, err := os.ReadDir(fresh); err != nil || len(left) > 0 {
		t.Errorf("it left %v, %v", left, err)
	}
	if err := CheckDir(filepath.Dir(testAuthority(t).CAFile())); err != nil {
		t.Error(err)
	}
	if err := os.WriteFile(filepath.Join(fresh, caFile), []byte("broken"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := CheckDir(fresh); err == nil || !strings.Contains(err.Error(), caFile) {
		t.Errorf("a broken authority: got %v", err)
	}
}

func TestServerConfigRefusesNames(t *testing.T) {
	for _, name := range []string{"", "a b", "a..b", "*", "a.", strings.Repeat("a", 64), strings.Repeat("a.", 130) + "a", "host:3306"} {
		if _, err := testAuthority(t).ServerConfig("good.example", name); err == nil {
			t.Errorf("%q: no error", name)
		}
	}
}
