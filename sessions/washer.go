package sessions

import (
	"bytes"
	"slices"

	"mydbg/intercept"
	"mydbg/intercept/sqltext"
	"mydbg/mysqlwire"
)

// washer takes out of a leg's bytes what is not to be recorded: the request for TLS, which would make
// readers take the rest for ciphertext; the bits of TLS and compression, which are undone; proofs and
// passwords. Everything else passes as it is, without being copied.
type washer struct {
	keep  bool // secrets
	ready bool // the login is over

	// The login.
	dec   mysqlwire.Tracker
	in    [2][]byte // bytes of a packet that is not there whole
	shift byte      // packets left out
	blind bool      // it cannot be followed: nothing of the client's is recorded

	// The command phase, of the client's bytes.
	caps     mysqlwire.Caps
	left     int      // bytes to come of a frame that passes
	gathered []byte   // a frame that is looked at whole, as far as it has come
	change   bool     // a COM_CHANGE_USER is under way
	secrets  [][]byte // of the statement under way: a server's error repeats parts of it
	asleep   bool     // bytes were lost: until a command can be recognised
}

// clean reports whether nothing is held back or under way.
func (w *washer) clean() bool { return w.left == 0 && len(w.gathered) == 0 }

// resume goes on in the command phase.
func (w *washer) resume(info intercept.ConnInfo) {
	*w = washer{keep: w.keep, ready: true, caps: info.Caps}
}

// lose is told that bytes of one direction are missing.
func (w *washer) lose(dir mysqlwire.Direction) {
	if w.ready && dir == mysqlwire.ToClient {
		return
	}
	w.asleep, w.left, w.gathered = true, 0, nil
	w.in = [2][]byte{}
}

// rest is what was held back of one direction when the connection ends, unless it could be a secret.
func (w *washer) rest(d mysqlwire.Direction) []byte {
	if d == mysqlwire.ToServer || w.ready {
		return nil
	}
	return w.in[d]
}

// wash passes bytes on, washed.
func (w *washer) wash(dir mysqlwire.Direction, b []byte, pass func([]byte)) {
	switch {
	case !w.ready:
		w.login(dir, b, pass)
	case dir == mysqlwire.ToClient:
		pass(w.hush(b))
	default:
		w.client(b, pass)
	}
}

// login handles the packets before the first command.
func (w *washer) login(dir mysqlwire.Direction, b []byte, pass func([]byte)) {
	if w.blind || w.asleep {
		if dir == mysqlwire.ToClient {
			pass(b)
		} else {
			pass(make([]byte, len(b)))
		}
		return
	}
	w.in[dir] = append(w.in[dir], b...)
	for {
		in := w.in[dir]
		if w.ready { // the rest belongs to the command phase
			w.in[dir] = nil
			if len(in) > 0 {
				w.wash(dir, in, pass)
			}
			return
		}
		if len(in) < mysqlwire.HeaderLen {
			return
		}
		h := mysqlwire.ParseHeader(in)
		size := mysqlwire.HeaderLen + h.Len
		if len(in) < size {
			return
		}
		payload := in[mysqlwire.HeaderLen:size]
		f, err := w.dec.Next(dir, mysqlwire.Header{Len: h.Len, Seq: h.Seq}, payload[:min(len(payload), mysqlwire.HeadLen)])
		w.in[dir] = in[size:]
		if err != nil || f.Kind == mysqlwire.KindOpaque {
			w.blind = true
			w.in = [2][]byte{}
			if dir == mysqlwire.ToServer {
				clear(in)
			}
			pass(in)
			return
		}
		if f.Kind == mysqlwire.KindSSLRequest {
			w.shift++
			w.in[dir] = nil // what follows is TLS
			return
		}
		w.packet(f, h.Seq-w.shift, payload, pass)
		w.ready = w.dec.State() == mysqlwire.StateIdle
	}
}

// packet passes a packet of the login.
func (w *washer) packet(f mysqlwire.Frame, seq byte, payload []byte, pass func([]byte)) {
	switch f.Kind {
	case mysqlwire.KindGreeting:
		var m mysqlwire.Greeting
		if m.Decode(payload, nil) == nil {
			w.caps = m.Caps
			w.dec.Agree(m.Caps, m.MariaDB())
		}
	case mysqlwire.KindLogin:
		payload = w.loginPacket(payload)
	case mysqlwire.KindAuthData:
		if f.Dir == mysqlwire.ToServer && !w.keep {
			payload = make([]byte, len(payload))
		}
	}
	b, _ := mysqlwire.AppendPacket(nil, payload, seq)
	pass(b)
}

func (w *washer) loginPacket(payload []byte) []byte {
	if !w.keep {
		payload = mysqlwire.BlankPayload(mysqlwire.KindLogin, payload, nil)
	}
	var m mysqlwire.Login
	if m.Decode(payload, nil) != nil {
		return payload
	}
	w.caps &= m.Caps &^ hiddenCaps
	w.dec.Agree(w.caps, w.dec.MariaDB())
	m.Caps &^= hiddenCaps
	m.ZstdLevel = 0
	b, err := m.Encode(nil, nil)
	if err != nil {
		return payload
	}
	return b
}

// secretHead is how much of a command is needed to know whether it can hold a secret.
const secretHead = mysqlwire.HeaderLen + 64

// client passes the client's bytes of the command phase.
func (w *washer) client(b []byte, pass func([]byte)) {
	if w.asleep {
		if !isCommand(b) {
			pass(make([]byte, len(b))) // nobody knows what it is
			return
		}
		w.asleep = false
	}
	for len(b) > 0 {
		if w.left == 0 && len(w.gathered) == 0 {
			n := w.run(b)
			if n > 0 {
				pass(b[:n])
				b = b[n:]
				continue
			}
		}
		if w.left > 0 {
			n := min(w.left, len(b))
			pass(b[:n])
			b, w.left = b[n:], w.left-n
			continue
		}
		b = w.gather(b, pass)
	}
}

// run is how many bytes can pass as they are: whole frames that need not be looked at, and the
// beginning of another.
func (w *washer) run(b []byte) (n int) {
	for n < len(b) {
		at := b[n:]
		if len(at) < mysqlwire.HeaderLen {
			return n
		}
		h := mysqlwire.ParseHeader(at)
		need := mysqlwire.HeaderLen + min(h.Len, secretHead-mysqlwire.HeaderLen)
		if len(at) < need || w.secret(h, at[mysqlwire.HeaderLen:need]) {
			return n
		}
		w.count(h, at[mysqlwire.HeaderLen:need])
		if size := mysqlwire.HeaderLen + h.Len; size > len(at) {
			w.left = size - len(at)
			return len(b)
		}
		n += mysqlwire.HeaderLen + h.Len
	}
	return n
}

func (w *washer) count(h mysqlwire.Header, head []byte) {
	if h.Seq == 0 {
		w.secrets = nil
		w.change = len(head) > 0 && mysqlwire.Command(head[0]) == mysqlwire.ComChangeUser
	}
}

// secret reports whether a frame that begins so may hold a secret.
func (w *washer) secret(h mysqlwire.Header, head []byte) bool {
	switch {
	case w.keep || len(head) == 0:
		return false
	case h.Seq != 0:
		return w.change
	}
	switch mysqlwire.Command(head[0]) {
	case mysqlwire.ComChangeUser, mysqlwire.ComRegisterSlave:
		return true
	case mysqlwire.ComStmtPrepare:
		return aboutAccounts(head[1:])
	case mysqlwire.ComQuery:
		if w.caps.Has(mysqlwire.QueryAttributes) {
			if len(head) < 3 || head[1] != 0 {
				return true
			}
			return aboutAccounts(head[3:])
		}
		return aboutAccounts(head[1:])
	}
	return false
}

// aboutAccounts reports whether a statement may be one that passwords are in. A comment in front may
// hide what it is.
func aboutAccounts(sql []byte) bool {
	sql = bytes.TrimLeft(sql, " \t\r\n(")
	if len(sql) == 0 {
		return false
	}
	switch sql[0] {
	case '/', '-', '#':
		return true
	}
	end := bytes.IndexFunc(sql, func(r rune) bool { return r|0x20 < 'a' || r|0x20 > 'z' })
	if end < 0 || end > len("CHANGE") {
		return false
	}
	word, after := sql[:end], bytes.TrimLeft(sql[end:], " \t\r\n")
	if len(word) == len("SET") {
		return bytes.EqualFold(word, []byte("SET")) && (len(after) == 0 || after[0]|0x20 == 'p' || after[0] == '/')
	}
	for _, verb := range []string{"CREATE", "ALTER", "GRANT", "CHANGE", "START"} {
		if len(word) == len(verb) && bytes.EqualFold(word, []byte(verb)) {
			return true
		}
	}
	return false
}

// gather collects a frame and passes it washed. It returns the bytes behind it.
func (w *washer) gather(b []byte, pass func([]byte)) []byte {
	for {
		want := mysqlwire.HeaderLen
		if len(w.gathered) >= want {
			want += mysqlwire.ParseHeader(w.gathered).Len
		}
		n := min(want-len(w.gathered), len(b))
		w.gathered = append(w.gathered, b[:n]...)
		b = b[n:]
		if len(w.gathered) < want {
			return b
		}
		if want > mysqlwire.HeaderLen || mysqlwire.ParseHeader(w.gathered).Len == 0 {
			break
		}
	}
	frame := w.gathered
	h := mysqlwire.ParseHeader(frame)
	payload := frame[mysqlwire.HeaderLen:]
	w.gathered, w.secrets = nil, nil
	if w.secret(h, payload[:min(len(payload), secretHead-mysqlwire.HeaderLen)]) {
		payload = w.masked(h, payload)
		frame = append(mysqlwire.Header{Len: len(payload), Seq: h.Seq}.Append(nil), payload...)
	}
	taken := w.secrets
	w.count(h, payload)
	w.secrets = taken
	pass(frame)
	return b
}

// mask takes the secrets out of a statement, and remembers them.
func (w *washer) mask(sql string) string {
	masked, secrets := sqltext.MaskSecrets(sql)
	w.secrets = nil
	for _, s := range secrets {
		if len(s) > 2 {
			w.secrets = append(w.secrets, []byte(s))
		}
	}
	return masked
}

// hush overwrites the secrets of the statement that is answered.
func (w *washer) hush(b []byte) []byte {
	for _, s := range w.secrets {
		if bytes.Contains(b, s) {
			b = bytes.ReplaceAll(b, s, bytes.Repeat([]byte{'*'}, len(s)))
		}
	}
	return b
}

// masked is a frame's payload without its secrets.
func (w *washer) masked(h mysqlwire.Header, payload []byte) []byte {
	cx := &mysqlwire.Context{Caps: w.caps}
	if h.Seq != 0 {
		return make([]byte, len(payload))
	}
	switch c := mysqlwire.Command(payload[0]); c {
	case mysqlwire.ComChangeUser, mysqlwire.ComRegisterSlave:
		return mysqlwire.BlankPayload(c.Kind(), payload, cx)
	case mysqlwire.ComStmtPrepare:
		sql := string(payload[1:])
		if m := w.mask(sql); m != sql {
			return append([]byte{payload[0]}, m...)
		}
	case mysqlwire.ComQuery:
		var m mysqlwire.Query
		if m.Decode(payload, cx) != nil {
			return payload
		}
		if masked := w.mask(m.SQL); masked != m.SQL {
			if b, err := m.WithSQL(masked).Encode(nil, cx); err == nil && len(b) < mysqlwire.MaxFrame {
				return b
			}
			return slices.Concat(payload[:1], []byte(masked))
		}
	}
	return payload
}
