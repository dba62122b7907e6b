package lua51

import "testing"

func FuzzPattern(f *testing.F) {
	f.Add("hello", "l+")
	f.Add("(a(b)c)", "%b()")
	f.Add("x", "[^%s]-()$")
	f.Fuzz(func(t *testing.T, src, pat string) {
		if len(src) > 64 || len(pat) > 16 {
			return
		}
		type failure string
		defer func() {
			if p := recover(); p != nil {
				if _, ok := p.(failure); !ok {
					panic(p)
				}
			}
		}()
		m := &matcher{src: src, pat: pat, fail: func(msg string) { panic(failure(msg)) }, tick: func() { panic(failure("long")) }}
		for s := 0; s <= len(src); s++ {
			if e := m.matchAt(s, 0); e != -1 && (e < s || e > len(src)) {
				t.Fatalf("%q matches %q at %d to %d", pat, src, s, e)
			}
			for _, c := range m.caps {
				if c.at < 0 || c.at+max(c.len, 0) > len(src) {
					t.Fatalf("%q: capture %+v of %q", pat, c, src)
				}
			}
		}
	})
}
