package modules

import (
	"fmt"
	"strconv"
	"strings"

	lua "github.com/yuin/gopher-lua"

	"mydbg/script/lua51"
)

// Capabilities that the layout of greetings and logins depends on.
const (
	connectWithDB    = 1 << 3
	protocol41       = 1 << 9
	secureConnection = 1 << 15
	pluginAuth       = 1 << 19
	usualCaps        = protocol41 | secureConnection
)

func (s *set) proto() map[string]lua.LGFunction {
	return map[string]lua.LGFunction{
		"from_err_packet": decoder("from_err_packet", fromERR), "to_err_packet": encoder(toERR),
		"from_ok_packet": decoder("from_ok_packet", fromOK), "to_ok_packet": encoder(toOK),
		"from_eof_packet": decoder("from_eof_packet", fromEOF), "to_eof_packet": encoder(toEOF),
		"from_challenge_packet": decoder("from_challenge_packet", fromChallenge), "to_challenge_packet": encoder(toChallenge),
		"from_response_packet": fromResponse, "to_response_packet": encoder(toResponse),
		"from_masterinfo_string": decoder("from_masterinfo_string", fromMasterInfo), "to_masterinfo_string": encoder(toMasterInfo),
		"from_stmt_prepare_packet":         decoder("from_stmt_prepare_packet", fromPrepare),
		"from_stmt_prepare_ok_packet":      decoder("from_stmt_prepare_ok_packet", fromPrepareOK),
		"from_stmt_execute_packet":         fromExecute,
		"stmt_id_from_stmt_execute_packet": executeID,
		"from_stmt_close_packet":           decoder("from_stmt_close_packet", fromClose),
	}
}

func decoder(name string, read func(*packet, result)) lua.LGFunction {
	return func(l *lua.LState) int {
		p, r := packet{rest: stringArg(l, 1)}, result{l.NewTable()}
		read(&p, r)
		p.done(l, name)
		l.Push(r.t)
		return 1
	}
}

func encoder(write func(*lua.LState, fields) []byte) lua.LGFunction {
	return func(l *lua.LState) int {
		l.Push(lua.LString(write(l, fields{l, tableArg(l, 1)})))
		return 1
	}
}

func fromERR(p *packet, r result) {
	p.tag(0xff, "it is no ERR packet")
	code := p.uint(2, "the code is missing")
	p.tag('#', "the SQL state is missing")
	r.str("sqlstate", p.bytes(5, "the SQL state is cut"))
	r.str("errmsg", p.upToNUL())
	r.num("errcode", code)
}

const (
	stateLen    = 5
	longestText = 512
)

func toERR(_ *lua.LState, f fields) []byte {
	state := "07000"
	if s, ok := lua51.Text(f.get("sqlstate")); ok {
		state = (s + "\x00\x00\x00\x00\x00")[:stateLen]
	}
	b := appendUint([]byte{0xff}, f.num("errcode", 0), 2)
	b = append(append(b, '#'), state...)
	text := f.str("errmsg")
	return append(b, text[:min(len(text), longestText)]...)
}

func fromOK(p *packet, r result) {
	p.tag(0, "it is no OK packet")
	r.num("affected_rows", p.lenenc("affected_rows is missing"))
	r.num("insert_id", p.lenenc("insert_id is missing"))
	r.num("server_status", p.uint(2, "server_status is missing"))
	r.num("warnings", p.uint(2, "warnings is missing"))
}

func toOK(_ *lua.LState, f fields) []byte {
	b := appendLenenc([]byte{0}, f.num("affected_rows", 0))
	b = appendLenenc(b, f.num("insert_id", 0))
	b = appendUint(b, f.num("server_status", 0), 2)
	return appendUint(b, f.num("warnings", 0), 2)
}

func fromEOF(p *packet, r result) {
	p.tag(0xfe, "it is no EOF packet")
	r.num("warnings", p.uint(2, "warnings is missing"))
	r.num("server_status", p.uint(2, "server_status is missing"))
}

func toEOF(_ *lua.LState, f fields) []byte {
	b := appendUint([]byte{0xfe}, f.num("warnings", 0), 2)
	return appendUint(b, f.num("server_status", 0), 2)
}

// The challenge of a greeting comes in two parts.
const (
	firstPart  = 8
	secondPart = 12
	usualFirst = "01234567"
	usualRest  = "890123456789"
)

func fromChallenge(p *packet, r result) {
	p.tag(10, "it is no greeting")
	version, ok := versionNumber(p.terminated("the version is missing"))
	if !ok {
		p.fail("the version is no number")
	}
	thread := p.uint(4, "thread_id is missing")
	challenge := p.bytes(firstPart, "the challenge is missing")
	p.bytes(1, "the capabilities are missing")
	caps := p.uint(2, "the capabilities are missing")
	charset, status := p.uint(1, "charset is missing"), p.uint(2, "server_status is missing")
	caps |= p.uint(2, "the capabilities are cut") << 16
	announced := int(p.uint(1, "the length of the challenge is missing"))
	p.bytes(10, "the filler is missing")
	switch {
	case caps&pluginAuth != 0:
		rest := announced - firstPart
		challenge += p.bytes(rest, "the challenge is cut")
		p.bytes(max(secondPart-rest, 0), "the challenge is cut")
		r.str("auth_plugin_name", p.upToNUL())
	case caps&secureConnection != 0:
		challenge += p.bytes(secondPart, "the challenge is cut")
		p.bytes(1, "the challenge does not end")
	}
	r.num("protocol_version", 0) // as in the original, which never sets it
	r.num("server_version", version)
	r.num("thread_id", thread)
	r.num("capabilities", caps)
	r.num("charset", charset)
	r.num("server_status", status)
	r.str("challenge", challenge)
}

// versionNumber is a.b.c as a*10000 + b*100 + c.
func versionNumber(s string) (uint64, bool) {
	var n uint64
	for i, part := range strings.SplitN(s, ".", 3) {
		end := strings.IndexFunc(part, func(c rune) bool { return c < '0' || c > '9' })
		if end < 0 {
			end = len(part)
		}
		v, err := strconv.ParseUint(part[:end], 10, 16)
		if err != nil || i < 2 && end < len(part) {
			return 0, false
		}
		n = n*100 + v
		if i == 2 {
			return n, true
		}
	}
	return 0, false
}

func versionText(n uint64) string {
	if n > 30000 && n < 100000 {
		return fmt.Sprintf("%d.%02d.%02d", n/10000, n/100%100, n%100)
	}
	return "5.0.99"
}

func toChallenge(l *lua.LState, f fields) []byte {
	version, caps, challenge := f.num("server_version", 0), f.num("capabilities", usualCaps), f.str("challenge")
	if n := len(challenge); n > 0 && n < firstPart {
		l.RaiseError(".challenge has to be at least %d bytes long, is %d", firstPart, n)
	}
	if challenge == "" {
		challenge = usualFirst
	}
	rest := challenge[firstPart:]
	if rest == "" {
		rest = usualRest
		if caps&pluginAuth != 0 {
			rest += "\x00"
		}
	}
	b := appendNUL([]byte{10}, versionText(version))
	b = appendUint(b, f.num("thread_id", 0), 4)
	b = append(append(b, challenge[:firstPart]...), 0)
	b = appendUint(b, caps, 2)
	b = appendUint(b, f.num("charset", 0), 1)
	b = appendUint(b, f.num("server_status", 0), 2)
	b = appendUint(b, caps>>16, 2)
	length := byte(0)
	if caps&pluginAuth != 0 {
		length = byte(firstPart + len(rest))
	}
	b = append(append(b, length), make([]byte, 10)...)
	switch {
	case caps&pluginAuth != 0: // no name: the original imports none
		b = append(b, rest...)
		if version >= 50510 && version < 50600 || version >= 50602 {
			b = append(b, 0)
		}
	case caps&secureConnection != 0:
		b = appendNUL(b, rest)
	}
	return b
}

// fillerOfLogin are zeros between a login's charset and the user.
const fillerOfLogin = 23

func fromResponse(l *lua.LState) int {
	p, r := packet{rest: stringArg(l, 1)}, result{l.NewTable()}
	server := uint64(integerArg(l, 2))
	caps := p.uint(2, "the capabilities are missing")
	var user, response string
	if caps&protocol41 == 0 {
		r.num("max_packet_size", p.uint(3, "max_packet_size is missing"))
		r.num("charset", 0)
		user, response = p.terminated("username does not end"), p.rest
	} else {
		caps |= p.uint(2, "the capabilities are cut") << 16
		r.num("max_packet_size", p.uint(4, "max_packet_size is missing"))
		r.num("charset", p.uint(1, "charset is missing"))
		p.bytes(fillerOfLogin, "the filler is missing")
		user = p.terminated("username does not end")
		if server&secureConnection != 0 {
			response = p.bytes(int(p.uint(1, "response is missing")), "response is cut")
		} else {
			response = p.terminated("response does not end")
		}
		if both := caps & server; p.bad == "" {
			if both&connectWithDB != 0 {
				r.str("database", p.upToNUL())
			}
			if both&pluginAuth != 0 {
				r.str("auth_plugin_name", p.upToNUL())
			}
		}
	}
	p.done(l, "from_response_packet")
	r.num("capabilities", caps)
	r.num("server_capabilities", server)
	r.str("username", user)
	r.str("response", response)
	l.Push(r.t)
	return 1
}

func toResponse(l *lua.LState, f fields) []byte {
	given := f.get("server_capabilities")
	if given == lua.LNil {
		l.RaiseError(".server_capabilities has to be set")
	}
	if _, ok := lua51.Number(given); !ok {
		l.RaiseError(".server_capabilities has to be a number")
	}
	server, caps := f.num("server_capabilities", 0), f.num("capabilities", usualCaps)
	user, response := f.str("username"), f.str("response")
	if caps&protocol41 == 0 {
		b := appendUint(nil, caps, 2)
		b = appendUint(b, f.num("max_packet_size", 0), 3)
		return append(appendNUL(b, user), response...)
	}
	b := appendUint(nil, caps, 4)
	b = appendUint(b, f.num("max_packet_size", 0), 4)
	b = appendUint(b, f.num("charset", 0), 1)
	b = appendNUL(append(b, make([]byte, fillerOfLogin)...), user)
	if server&secureConnection != 0 {
		if len(response) > 255 {
			l.RaiseError(".response has %d bytes, at most 255 fit", len(response))
		}
		b = append(append(b, byte(len(response))), response...)
	} else {
		b = appendNUL(b, response)
	}
	if db := f.str("database"); db != "" && server&connectWithDB != 0 {
		b = appendNUL(b, db)
	}
	if server&caps&pluginAuth != 0 {
		b = appendNUL(b, f.str("auth_plugin_name"))
	}
	return b
}
