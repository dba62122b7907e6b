package modules

import (
	"strconv"
	"strings"

	lua "github.com/yuin/gopher-lua"
)

// masterInfo are the lines of a master.info file in their order.
var masterInfo = []struct {
	name   string
	number bool
}{
	{"master_lines", true},
	{"master_log_file", false},
	{"master_log_pos", true},
	{"master_host", false},
	{"master_user", false},
	{"master_password", false},
	{"master_port", true},
	{"master_connect_retry", true},
	{"master_ssl", true},
	{"master_ssl_ca", false},
	{"master_ssl_capath", false},
	{"master_ssl_cert", false},
	{"master_ssl_cipher", false},
	{"master_ssl_key", false},
	{"master_ssl_verify_server_cert", true}, // in files that announce this many lines
}

func fromMasterInfo(p *packet, r result) {
	announced := uint64(0)
	for i, field := range masterInfo {
		if i == len(masterInfo)-1 && announced < uint64(len(masterInfo)) {
			return
		}
		line, rest, ok := strings.Cut(p.rest, "\n")
		if !ok {
			p.fail(field.name + " is missing")
			return
		}
		p.rest = rest
		if !field.number {
			r.str(field.name, line)
			continue
		}
		n, err := strconv.ParseUint(strings.TrimSpace(line), 0, 64) // 0x10 and 010 mean what they mean in C
		if err != nil {
			p.fail(field.name + " is no number")
			return
		}
		r.num(field.name, n)
		if i == 0 {
			announced = n
		}
	}
}

func toMasterInfo(_ *lua.LState, f fields) []byte {
	var b []byte
	announced := f.num(masterInfo[0].name, 0)
	for i, field := range masterInfo {
		if i == len(masterInfo)-1 && announced < uint64(len(masterInfo)) {
			break
		}
		if field.number {
			b = strconv.AppendUint(b, f.num(field.name, 0), 10)
		} else {
			b = append(b, f.str(field.name)...)
		}
		b = append(b, '\n')
	}
	return b
}
