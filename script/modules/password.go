package modules

import (
	"crypto/sha1"
	"crypto/subtle"

	lua "github.com/yuin/gopher-lua"
)

// scrambleLen is how many random bytes a server challenges with.
const scrambleLen = 20

func (s *set) password() map[string]lua.LGFunction {
	return map[string]lua.LGFunction{
		"hash": func(l *lua.LState) int {
			l.Push(lua.LString(hash(stringArg(l, 1))))
			return 1
		},
		"scramble": func(l *lua.LState) int {
			challenge, hashed := stringArg(l, 1), stringArg(l, 2)
			if len(challenge) == scrambleLen+1 {
				challenge = challenge[:scrambleLen]
			}
			l.Push(lua.LString(s.mask(l, "scramble", challenge, hashed, hash(hashed))))
			return 1
		},
		"unscramble": func(l *lua.LState) int {
			l.Push(lua.LString(s.mask(l, "unscramble", stringArg(l, 1), stringArg(l, 2), stringArg(l, 3))))
			return 1
		},
		"check": s.checkPassword,
	}
}

func (s *set) checkPassword(l *lua.LState) int {
	challenge, response, stored := stringArg(l, 1), stringArg(l, 2), stringArg(l, 3)
	if len(challenge) == scrambleLen+1 {
		challenge = challenge[:scrambleLen]
	}
	hashed := s.mask(l, "check", challenge, response, stored)
	same := subtle.ConstantTimeCompare([]byte(hash(hashed)), []byte(stored)) == 1
	l.Push(lua.LBool(hashed != "" && same))
	return 1
}

func hash(text string) string {
	sum := sha1.Sum([]byte(text))
	return string(sum[:])
}

// mask is secret XOR SHA1(challenge .. double), which both hides and recovers a hashed password; "" and
// a line in the log where the lengths are wrong.
func (s *set) mask(l *lua.LState, name, challenge, secret, double string) string {
	for _, in := range []struct{ what, text string }{{"challenge", challenge}, {"hashed password", secret}, {"stored password", double}} {
		if len(in.text) != scrambleLen {
			s.Log(l, "critical", "password."+name+": the "+in.what+" has to be 20 bytes long")
			return ""
		}
	}
	out := []byte(hash(challenge + double))
	subtle.XORBytes(out, out, []byte(secret))
	return string(out)
}
