package auth

import (
	"crypto/sha256"
	"crypto/subtle"
)

// CachingSHA2 is the client's first answer for caching_sha2_password: empty without a
// password, else 32 bytes. Full authentication, should the server ask for it, sends the
// password itself, or [EncryptPassword] of it.
func CachingSHA2(password, scramble []byte) []byte {
	if len(password) == 0 {
		return nil
	}
	once := sha256.Sum256(password)
	twice := sha256.Sum256(once[:])
	mask := sha2Mask(twice[:], scramble)
	subtle.XORBytes(mask, mask, once[:])
	return mask
}

// CachingSHA2Hash is what a server keeps in its cache: SHA256(SHA256(password)), or nothing
// without a password.
func CachingSHA2Hash(password []byte) []byte {
	if len(password) == 0 {
		return nil
	}
	once := sha256.Sum256(password)
	twice := sha256.Sum256(once[:])
	return twice[:]
}

// CheckCachingSHA2 says whether a client's first answer fits the cached hash.
func CheckCachingSHA2(stored, scramble, answer []byte) bool {
	if len(stored) == 0 {
		return noPassword(answer)
	}
	if len(stored) != sha256.Size || len(answer) != sha256.Size {
		return false
	}
	once := sha2Mask(stored, scramble)
	subtle.XORBytes(once, once, answer)
	twice := sha256.Sum256(once)
	return subtle.ConstantTimeCompare(twice[:], stored) == 1
}

func sha2Mask(stored, scramble []byte) []byte {
	h := sha256.New()
	h.Write(stored)
	h.Write(trimScramble(scramble))
	return h.Sum(nil)
}
