package auth

import "crypto/rand"

// ScrambleLength is the length of the scramble in greetings and of the password plugins,
// without the NUL that follows it on the wire.
const ScrambleLength = 20

// NewScramble makes a scramble for a server's greeting: 7-bit bytes, no NUL, because clients
// read it as a string, and no '$', because caching_sha2_password separates fields with it.
func NewScramble() []byte {
	scramble := make([]byte, 0, ScrambleLength)
	var raw [2 * ScrambleLength]byte
	for {
		rand.Read(raw[:]) // never fails
		for _, b := range raw {
			b &= 0x7f
			if b == 0 || b == '$' {
				continue
			}
			if scramble = append(scramble, b); len(scramble) == ScrambleLength {
				return scramble
			}
		}
	}
}

// trimScramble drops the NUL that greetings and switches put behind the scramble.
func trimScramble(scramble []byte) []byte {
	if n := len(scramble); n == ScrambleLength+1 && scramble[n-1] == 0 {
		return scramble[:n-1]
	}
	return scramble
}
