package auth

import (
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha1"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
)

// EncryptPassword is the client's answer on a plain leg in the full authentication of
// caching_sha2_password and sha256_password: RSA-OAEP-SHA1 over the password and a NUL,
// XORed with the scramble, which is repeated as often as needed.
func EncryptPassword(password, scramble []byte, pub *rsa.PublicKey) ([]byte, error) {
	plain := make([]byte, len(password)+1)
	defer clear(plain)
	copy(plain, password)
	if err := xorScramble(plain, scramble); err != nil {
		return nil, fmt.Errorf("encrypt password: %w", err)
	}
	cipher, err := rsa.EncryptOAEP(sha1.New(), rand.Reader, pub, plain, nil)
	if err != nil {
		return nil, fmt.Errorf("encrypt password: %w", err)
	}
	return cipher, nil
}

// DecryptPassword undoes EncryptPassword. A result without the final NUL is an error: it was
// made with another scramble.
func DecryptPassword(cipher, scramble []byte, key *rsa.PrivateKey) ([]byte, error) {
	plain, err := rsa.DecryptOAEP(sha1.New(), nil, key, cipher, nil)
	if err != nil {
		return nil, fmt.Errorf("decrypt password: %w", err)
	}
	if err := xorScramble(plain, scramble); err != nil {
		return nil, fmt.Errorf("decrypt password: %w", err)
	}
	last := len(plain) - 1
	if last < 0 || plain[last] != 0 {
		clear(plain)
		return nil, errors.New("decrypt password: no final NUL, so another scramble was used")
	}
	return plain[:last], nil
}

// maxKeyBits bounds the work a server can cause. Servers make keys of 2048 bits.
const maxKeyBits = 16384

// ParsePublicKey reads the PEM text in which servers send their key.
func ParsePublicKey(text []byte) (*rsa.PublicKey, error) {
	pub, err := parsePublicKey(text)
	if err != nil {
		return nil, fmt.Errorf("parse public key: %w", err)
	}
	if bits := pub.N.BitLen(); bits > maxKeyBits {
		return nil, fmt.Errorf("parse public key: %d bits are too many", bits)
	}
	return pub, nil
}

func parsePublicKey(text []byte) (*rsa.PublicKey, error) {
	block, _ := pem.Decode(text)
	if block == nil {
		return nil, errors.New("no PEM block")
	}
	if block.Type == "RSA PUBLIC KEY" {
		return x509.ParsePKCS1PublicKey(block.Bytes)
	}
	key, err := x509.ParsePKIXPublicKey(block.Bytes)
	if err != nil {
		return nil, err
	}
	pub, ok := key.(*rsa.PublicKey)
	if !ok {
		return nil, fmt.Errorf("%T is not an RSA key", key)
	}
	return pub, nil
}

// MarshalPublicKey writes a key in the form servers send it.
func MarshalPublicKey(pub *rsa.PublicKey) ([]byte, error) {
	der, err := x509.MarshalPKIXPublicKey(pub)
	if err != nil {
		return nil, fmt.Errorf("marshal public key: %w", err)
	}
	return pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: der}), nil
}

func xorScramble(b, scramble []byte) error {
	scramble = trimScramble(scramble)
	if len(scramble) == 0 {
		return errors.New("no scramble")
	}
	for i := range b {
		b[i] ^= scramble[i%len(scramble)]
	}
	return nil
}
