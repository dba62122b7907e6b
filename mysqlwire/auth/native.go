package auth

import (
	"bytes"
	"crypto/sha1"
	"crypto/subtle"
)

// NativePassword is the client's answer for mysql_native_password: empty without a password,
// else 20 bytes. A final NUL on the scramble, as greetings carry it, is ignored.
func NativePassword(password, scramble []byte) []byte {
	if len(password) == 0 {
		return nil
	}
	once := sha1.Sum(password)
	twice := sha1.Sum(once[:])
	mask := nativeMask(twice[:], scramble)
	subtle.XORBytes(mask, mask, once[:])
	return mask
}

// NativeHash is what a server stores for mysql_native_password: SHA1(SHA1(password)), or
// nothing without a password.
func NativeHash(password []byte) []byte {
	if len(password) == 0 {
		return nil
	}
	once := sha1.Sum(password)
	twice := sha1.Sum(once[:])
	return twice[:]
}

// CheckNative says whether a client's answer fits the stored hash.
func CheckNative(stored, scramble, answer []byte) bool {
	if len(stored) == 0 {
		return noPassword(answer)
	}
	if len(stored) != sha1.Size || len(answer) != sha1.Size {
		return false
	}
	once := nativeMask(stored, scramble)
	subtle.XORBytes(once, once, answer)
	twice := sha1.Sum(once)
	return subtle.ConstantTimeCompare(twice[:], stored) == 1
}

func nativeMask(stored, scramble []byte) []byte {
	h := sha1.New()
	h.Write(trimScramble(scramble))
	h.Write(stored)
	return h.Sum(nil)
}

// noPassword recognises both ways of saying "no password".
func noPassword(answer []byte) bool {
	return len(answer) == 0 || bytes.Equal(answer, []byte{0})
}
