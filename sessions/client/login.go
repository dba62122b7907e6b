package client

import (
	"bytes"
	"crypto/ed25519"
	"crypto/pbkdf2"
	"crypto/rand"
	"crypto/sha512"
	"fmt"

	"filippo.io/edwards25519"

	"mydbg/mysqlwire"
	"mydbg/mysqlwire/auth"
)

// prove is a plugin's first packet.
func (c *Conn) prove(plugin, password string) ([]byte, error) {
	switch plugin {
	case "mysql_native_password", "":
		if password == "" {
			return nil, nil
		}
		return auth.NativePassword([]byte(password), c.scramble), nil
	case "caching_sha2_password":
		if password == "" {
			return nil, nil
		}
		return auth.CachingSHA2([]byte(password), c.scramble), nil
	case "sha256_password":
		switch {
		case password == "":
			return []byte{0}, nil
		case c.secure:
			return append([]byte(password), 0), nil
		}
		return []byte{1}, nil // the key, please
	case "mysql_clear_password", "dialog":
		if !c.secure {
			return nil, fmt.Errorf("the server wants the password in clear text (%s), which needs TLS: try --backend-tls required", plugin)
		}
		return append([]byte(password), 0), nil
	case "client_ed25519":
		return signEd25519([]byte(password), c.scramble)
	case "parsec":
		return nil, nil // the salt, please
	}
	return nil, fmt.Errorf("the account logs in with %s, which is not known here: name another one with --user", plugin)
}

// authenticate goes through the rounds of a login.
func (c *Conn) authenticate(plugin, password string) error {
	for {
		p, err := c.read()
		if err != nil {
			return fmt.Errorf("log in with %s: %w", plugin, err)
		}
		var answer []byte
		switch {
		case len(p) == 0:
			return fmt.Errorf("log in with %s: empty packet", plugin)
		case p[0] == 0x00:
			return nil
		case p[0] == 0xff:
			return refusal(p)
		case p[0] == 0xfe:
			var m mysqlwire.AuthSwitch
			if err := m.Decode(p, nil); err != nil {
				return err
			}
			plugin, c.scramble = m.PluginName, m.Scramble()
			if answer, err = c.prove(plugin, password); err != nil {
				return err
			}
		case plugin == "caching_sha2_password" && bytes.Equal(p, []byte{1, 3}):
			continue
		case plugin == "caching_sha2_password" && bytes.Equal(p, []byte{1, 4}):
			if answer = []byte{2}; c.secure {
				answer = append([]byte(password), 0)
			}
		case plugin == "parsec":
			if p[0] == 1 {
				p = p[1:]
			}
			if answer, err = signParsec([]byte(password), c.scramble, p); err != nil {
				return err
			}
		case p[0] == 0x01:
			key, err := auth.ParsePublicKey(p[1:])
			if err != nil {
				return fmt.Errorf("log in with %s: %w", plugin, err)
			}
			if answer, err = auth.EncryptPassword([]byte(password), c.scramble, key); err != nil {
				return err
			}
		default:
			return fmt.Errorf("log in with %s: a packet that begins with 0x%02x", plugin, p[0])
		}
		if err := c.write(answer); err != nil {
			return err
		}
	}
}

// signEd25519 is the proof of MariaDB's ed25519: a signature whose key is made of the whole password, which the
// standard library has no function for.
func signEd25519(password, scramble []byte) ([]byte, error) {
	h := sha512.Sum512(password)
	s, err := edwards25519.NewScalar().SetBytesWithClamping(h[:32])
	if err != nil {
		return nil, err
	}
	public := (&edwards25519.Point{}).ScalarBaseMult(s).Bytes()
	reduce := func(parts ...[]byte) (*edwards25519.Scalar, error) {
		d := sha512.Sum512(bytes.Join(parts, nil))
		return edwards25519.NewScalar().SetUniformBytes(d[:])
	}
	r, err := reduce(h[32:], scramble)
	if err != nil {
		return nil, err
	}
	first := (&edwards25519.Point{}).ScalarBaseMult(r).Bytes()
	k, err := reduce(first, public, scramble)
	if err != nil {
		return nil, err
	}
	return append(first, k.MultiplyAdd(k, s, r).Bytes()...), nil
}

// signParsec is the proof of MariaDB's parsec. salt is the server's packet: P, the iterations, the salt.
func signParsec(password, scramble, salt []byte) ([]byte, error) {
	if len(salt) < 3 || salt[0] != 'P' || salt[1] > 3 {
		return nil, fmt.Errorf("log in with parsec: salt of a form that is not known: %x", salt)
	}
	seed, err := pbkdf2.Key(sha512.New, string(password), salt[2:], 1024<<salt[1], ed25519.SeedSize)
	if err != nil {
		return nil, err
	}
	own := make([]byte, 32)
	_, _ = rand.Read(own) // never fails
	signature := ed25519.Sign(ed25519.NewKeyFromSeed(seed), append(bytes.Clone(scramble), own...))
	return append(own, signature...), nil
}
