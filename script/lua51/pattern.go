package lua51

// Lua patterns over bytes. gopher-lua's matcher lacks %f and has positions, anchors and sets that
// differ from Lua 5.1.

const (
	maxCaptures = 32
	posCapture  = -1 // length of a () capture
	openCapture = -2 // length of a capture whose ) has not come
)

// matcher matches one pattern against one subject.
type matcher struct {
	src, pat string
	caps     []capture
	room     [maxCaptures]capture
	steps    uint
	// tick is called every few thousand steps and panics when the call's time is over.
	tick func()
	// fail panics with an error in the pattern.
	fail func(msg string)
}

type capture struct{ at, len int }

// matchAt matches the pattern from p on at s, and returns where the match ends; -1 without one.
func (m *matcher) matchAt(s, p int) int {
	m.caps = m.room[:0]
	return m.match(s, p)
}

func (m *matcher) match(s, p int) int {
	for p < len(m.pat) {
		if m.steps++; m.steps%4096 == 0 {
			m.tick()
		}
		switch m.pat[p] {
		case '(':
			if p+1 < len(m.pat) && m.pat[p+1] == ')' {
				return m.open(s, p+2, posCapture)
			}
			return m.open(s, p+1, openCapture)
		case ')':
			return m.shut(s, p+1)
		case '$':
			if p+1 == len(m.pat) {
				if s == len(m.src) {
					return s
				}
				return -1
			}
		case '%':
			if p+1 < len(m.pat) {
				switch c := m.pat[p+1]; {
				case c == 'b':
					if s = m.balance(s, p+2); s < 0 {
						return -1
					}
					p += 4
					continue
				case c == 'f':
					p += 2
					if p >= len(m.pat) || m.pat[p] != '[' {
						m.fail("missing '[' after '%f' in pattern")
					}
					end := m.itemEnd(p)
					if m.inSet(m.byteAt(s-1), p, end-1) || !m.inSet(m.byteAt(s), p, end-1) {
						return -1
					}
					p = end
					continue
				case c >= '0' && c <= '9':
					if s = m.again(s, c); s < 0 {
						return -1
					}
					p += 2
					continue
				}
			}
		}
		end := m.itemEnd(p)
		suffix := byte(0)
		if end < len(m.pat) {
			suffix = m.pat[end]
		}
		switch suffix {
		case '*':
			return m.greedy(s, p, end, 0)
		case '+':
			return m.greedy(s, p, end, 1)
		case '-':
			return m.lazy(s, p, end)
		case '?':
			if m.one(s, p, end) {
				if e := m.match(s+1, end+1); e >= 0 {
					return e
				}
			}
			p = end + 1
			continue
		}
		if !m.one(s, p, end) {
			return -1
		}
		s++
		p = end
	}
	return s
}

// byteAt is the byte at s; zero outside the subject.
func (m *matcher) byteAt(s int) byte {
	if s < 0 || s >= len(m.src) {
		return 0
	}
	return m.src[s]
}

// itemEnd is the end of the single item at p.
func (m *matcher) itemEnd(p int) int {
	c := m.pat[p]
	p++
	switch c {
	case '%':
		if p >= len(m.pat) {
			m.fail("malformed pattern (ends with '%')")
		}
		return p + 1
	case '[':
		if p < len(m.pat) && m.pat[p] == '^' {
			p++
		}
		for first := true; first || p >= len(m.pat) || m.pat[p] != ']'; first = false {
			if p >= len(m.pat) {
				m.fail("malformed pattern (missing ']')")
			}
			p++
			if m.pat[p-1] == '%' && p < len(m.pat) {
				p++
			}
		}
		return p + 1
	}
	return p
}

// one reports whether the item pat[p:end] matches the byte at s.
func (m *matcher) one(s, p, end int) bool {
	if s >= len(m.src) {
		return false
	}
	c := m.src[s]
	switch m.pat[p] {
	case '.':
		return true
	case '%':
		return inClass(c, m.pat[p+1])
	case '[':
		return m.inSet(c, p, end-1)
	}
	return m.pat[p] == c
}

// inSet reports whether c is in the set that begins at p and whose ] is at end.
func (m *matcher) inSet(c byte, p, end int) bool {
	in := true
	p++
	if m.pat[p] == '^' {
		in = false
		p++
	}
	for ; p < end; p++ {
		switch {
		case m.pat[p] == '%':
			p++
			if inClass(c, m.pat[p]) {
				return in
			}
		case p+2 < end && m.pat[p+1] == '-':
			if m.pat[p] <= c && c <= m.pat[p+2] {
				return in
			}
			p += 2
		case m.pat[p] == c:
			return in
		}
	}
	return !in
}

// inClass reports whether c is in the class %k. Letters are those of ASCII.
func inClass(c, k byte) bool {
	var in bool
	switch k | 0x20 {
	case 'a':
		in = isLetter(c)
	case 'c':
		in = c < 0x20 || c == 0x7f
	case 'd':
		in = isDigit(c)
	case 'l':
		in = c >= 'a' && c <= 'z'
	case 'p':
		in = c > 0x20 && c < 0x7f && !isLetter(c) && !isDigit(c)
	case 's':
		in = c == ' ' || c >= '\t' && c <= '\r'
	case 'u':
		in = c >= 'A' && c <= 'Z'
	case 'w':
		in = isLetter(c) || isDigit(c)
	case 'x':
		in = isDigit(c) || c|0x20 >= 'a' && c|0x20 <= 'f'
	case 'z':
		in = c == 0
	default:
		return k == c
	}
	if !isLetter(k) {
		return k == c
	}
	return in == (k >= 'a')
}

func isLetter(c byte) bool { return c|0x20 >= 'a' && c|0x20 <= 'z' }
func isDigit(c byte) bool  { return c >= '0' && c <= '9' }

func (m *matcher) greedy(s, p, end, least int) int {
	n := 0
	for m.one(s+n, p, end) {
		n++
	}
	for ; n >= least; n-- {
		if e := m.match(s+n, end+1); e >= 0 {
			return e
		}
	}
	return -1
}

func (m *matcher) lazy(s, p, end int) int {
	for {
		if e := m.match(s, end+1); e >= 0 {
			return e
		}
		if !m.one(s, p, end) {
			return -1
		}
		s++
	}
}

func (m *matcher) open(s, p, what int) int {
	if len(m.caps) == maxCaptures {
		m.fail("too many captures")
	}
	n := len(m.caps)
	m.caps = append(m.caps, capture{s, what})
	e := m.match(s, p)
	if e < 0 {
		m.caps = m.caps[:n]
	}
	return e
}

func (m *matcher) shut(s, p int) int {
	n := len(m.caps) - 1
	for n >= 0 && m.caps[n].len != openCapture {
		n--
	}
	if n < 0 {
		m.fail("invalid pattern capture")
	}
	m.caps[n].len = s - m.caps[n].at
	e := m.match(s, p)
	if e < 0 {
		m.caps[n].len = openCapture
	}
	return e
}

// again matches what capture c has matched.
func (m *matcher) again(s int, c byte) int {
	n := int(c) - '1'
	if n < 0 || n >= len(m.caps) || m.caps[n].len == openCapture {
		m.fail("invalid capture index")
	}
	have := m.src[m.caps[n].at:][:max(m.caps[n].len, 0)]
	if len(m.src)-s < len(have) || m.src[s:s+len(have)] != have {
		return -1
	}
	return s + len(have)
}

// balance matches %bxy.
func (m *matcher) balance(s, p int) int {
	if p+1 >= len(m.pat) {
		m.fail("unbalanced pattern")
	}
	if s >= len(m.src) || m.src[s] != m.pat[p] {
		return -1
	}
	open, shut, depth := m.pat[p], m.pat[p+1], 1
	for s++; s < len(m.src); s++ {
		switch m.src[s] {
		case shut:
			if depth--; depth == 0 {
				return s + 1
			}
		case open:
			depth++
		}
	}
	return -1
}
