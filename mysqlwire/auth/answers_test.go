package auth

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/hex"
	"encoding/pem"
	"math/big"
	"strings"
	"sync"
	"testing"
)

var testScramble = []byte("0123456789abcdefghij")

// Two keys for the whole package: making one takes a while.
var (
	serverKey = sync.OnceValue(newKey)
	proxyKey  = sync.OnceValue(newKey)
)

func newKey() *rsa.PrivateKey {
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		panic(err)
	}
	return key
}

// The expected values were computed with another implementation of the hashes.
func TestAnswersHaveKnownValues(t *testing.T) {
	for _, tt := range []struct {
		name string
		got  []byte
		want string
	}{
		{"native hash", NativeHash([]byte("secret")), "14e65567abdb5135d0cfd9a70b3032c179a49ee7"},
		{"native answer", NativePassword([]byte("secret"), testScramble), "f5cac3f3b3df2133feb57db682c71e6ed433a988"},
		{"caching sha2 hash", CachingSHA2Hash([]byte("secret")), "3881219d087dd9c634373fd33dfa33a2cb6bfc6c520b64b8bb60ef2ceb534ae7"},
		{"caching sha2 answer", CachingSHA2([]byte("secret"), testScramble), "7e4adda2f2d5ef09b4147518becb0cee2939376203650a8c2bb2815959364bd0"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if got := hex.EncodeToString(tt.got); got != tt.want {
				t.Errorf("got %s, want %s", got, tt.want)
			}
		})
	}
}

func TestChecks(t *testing.T) {
	type algorithm struct {
		name   string
		hash   func([]byte) []byte
		answer func(password, scramble []byte) []byte
		check  func(stored, scramble, answer []byte) bool
	}
	for _, a := range []algorithm{
		{"native", NativeHash, NativePassword, CheckNative},
		{"caching sha2", CachingSHA2Hash, CachingSHA2, CheckCachingSHA2},
	} {
		right := a.answer([]byte("secret"), testScramble)
		for _, tt := range []struct {
			name             string
			stored           []byte
			scramble, answer []byte
			want             bool
		}{
			{"right password", a.hash([]byte("secret")), testScramble, right, true},
			{"scramble with its NUL", a.hash([]byte("secret")), append(bytes.Clone(testScramble), 0), right, true},
			{"wrong password", a.hash([]byte("secreT")), testScramble, right, false},
			{"other scramble", a.hash([]byte("secret")), []byte("9123456789abcdefghij"), right, false},
			{"short answer", a.hash([]byte("secret")), testScramble, right[1:], false},
			{"no answer", a.hash([]byte("secret")), testScramble, nil, false},
			{"no password, empty answer", a.hash(nil), testScramble, a.answer(nil, testScramble), true},
			{"no password, NUL answer", nil, testScramble, []byte{0}, true},
			{"no password, but an answer", nil, testScramble, right, false},
			{"broken hash", []byte("x"), testScramble, right, false},
		} {
			t.Run(a.name+": "+tt.name, func(t *testing.T) {
				if got := a.check(tt.stored, tt.scramble, tt.answer); got != tt.want {
					t.Errorf("got %t, want %t", got, tt.want)
				}
			})
		}
	}
}

func TestNewScrambleIsFitForGreetings(t *testing.T) {
	seen := map[string]bool{}
	for range 200 {
		s := NewScramble()
		if len(s) != ScrambleLength {
			t.Fatalf("got %d bytes, want %d", len(s), ScrambleLength)
		}
		for _, b := range s {
			if b == 0 || b == '$' || b > 0x7f {
				t.Fatalf("byte %#x in scramble %q", b, s)
			}
		}
		if seen[string(s)] {
			t.Fatalf("scramble %q came twice", s)
		}
		seen[string(s)] = true
	}
}

func TestEncryptedPasswordComesBack(t *testing.T) {
	key := serverKey()
	for _, password := range []string{"", "x", "secret", strings.Repeat("long ", 40), "ends with NUL\x00"} {
		cipher, err := EncryptPassword([]byte(password), testScramble, &key.PublicKey)
		if err != nil {
			t.Fatal(err)
		}
		got, err := DecryptPassword(cipher, append(bytes.Clone(testScramble), 0), key)
		if err != nil || string(got) != password {
			t.Errorf("got %q, %v, want %q", got, err, password)
		}
	}
}

func TestEncryptedPasswordErrors(t *testing.T) {
	key := serverKey()
	if _, err := EncryptPassword(make([]byte, 300), testScramble, &key.PublicKey); err == nil {
		t.Error("encrypted a password longer than the key")
	}
	if _, err := EncryptPassword([]byte("secret"), nil, &key.PublicKey); err == nil {
		t.Error("encrypted without a scramble")
	}
	cipher, err := EncryptPassword([]byte("secret"), testScramble, &key.PublicKey)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := DecryptPassword(cipher, testScramble, proxyKey()); err == nil {
		t.Error("decrypted with another key")
	}
	if got, err := DecryptPassword(cipher, []byte("zyxwvutsrqponmlkjihg"), key); err == nil {
		t.Errorf("decrypted %q with another scramble", got)
	}
	if _, err := DecryptPassword(cipher, []byte{0}, key); err == nil {
		t.Error("decrypted with a scramble of zeros")
	}
	if _, err := DecryptPassword(cipher[:len(cipher)-1], testScramble, key); err == nil {
		t.Error("decrypted a text cut short")
	}
}

func TestPublicKeys(t *testing.T) {
	pub := &serverKey().PublicKey
	text, err := MarshalPublicKey(pub)
	if err != nil {
		t.Fatal(err)
	}
	pkcs1 := pem.EncodeToMemory(&pem.Block{Type: "RSA PUBLIC KEY", Bytes: x509.MarshalPKCS1PublicKey(pub)})
	for _, text := range [][]byte{text, pkcs1, append(bytes.Clone(text), 0)} {
		got, err := ParsePublicKey(text)
		if err != nil || !got.Equal(pub) {
			t.Errorf("ParsePublicKey(%q): got %v, %v", text, got, err)
		}
	}

	ec, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	der, err := x509.MarshalPKIXPublicKey(&ec.PublicKey)
	if err != nil {
		t.Fatal(err)
	}
	for name, text := range map[string][]byte{
		"empty":          nil,
		"no PEM":         []byte("public key"),
		"broken":         pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: []byte{1, 2}}),
		"broken PKCS #1": pem.EncodeToMemory(&pem.Block{Type: "RSA PUBLIC KEY", Bytes: []byte{1, 2}}),
		"huge": pem.EncodeToMemory(&pem.Block{Type: "RSA PUBLIC KEY", Bytes: x509.MarshalPKCS1PublicKey(
			&rsa.PublicKey{N: new(big.Int).Lsh(big.NewInt(1), 20000), E: 65537})}),
		"elliptic curve": pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: der}),
	} {
		if _, err := ParsePublicKey(text); err == nil {
			t.Errorf("%s: no error", name)
		}
	}
}

func TestIsCertificateProof(t *testing.T) {
	digits := strings.Repeat("0123456789ABCDEF", 4)
	for _, tt := range []struct {
		info string
		want bool
	}{
		{"\x01" + digits, true},
		{digits, false},
		{"\x01" + digits[1:], false},
		{"\x01" + strings.ToLower(digits), false},
		{"\x01" + digits[:30] + "-" + digits[31:], false},
		{"", false},
	} {
		if got := IsCertificateProof([]byte(tt.info)); got != tt.want {
			t.Errorf("%q: got %t, want %t", tt.info, got, tt.want)
		}
	}
}
