package script

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestCheck(t *testing.T) {
	for _, tt := range []struct{ name, code, want string }{
		{"names may be defined later", "function read_query() return helper() end\nfunction helper() return nil end", ""},
		{"locals hide globals", "local prnt = print\nfunction read_query(p) prnt(p) end", ""},
		{"what is written to _G is known", "_G.mine = 1\nprint(mine)\nfunction _G.read_query() end", ""},
		{"a module is a global once required", "require('mysql.tokenizer')\nprint(tokenizer.tokenize('x'))", ""},
		{"fields of the connection's own", "proxy.mine = 1\nprint(proxy.mine)", ""},
		{"proxy.global is for all", "print(proxy.global.any.thing, proxy.global.config.x.y)", ""},
		{"backends", "print(proxy.global.backends[1].pool.users.u.cur_idle_connections, #proxy.global.backends)", ""},
		{"a backend's field", "local b = proxy.global.backends[1]\nprint(b.adress)", "2: b.adress does not exist, did you mean address?"},
		{"a local proxy", "local proxy = {}\nprint(proxy.anything)", ""},
		{"another parameter", "function read_query_result(inj) end\nfunction other(inj) return inj.anything end", ""},
		{"inj", "function read_query_result(i) return i.quary end", "1: i.quary does not exist, did you mean query?"},
		{"a misspelt hook", "function readQuery(p) end", "1: function readQuery is no hook, did you mean read_query?"},
		{"a helper", "function read_rows(p) end", ""},
		{"a bare constant", "function read_query()\n return PROXY_SEND_RESULT\nend", "2: PROXY_SEND_RESULT is nil, it is proxy.PROXY_SEND_RESULT"},
		{"an unknown name", "function read_query()\n return strin.sub('x', 1)\nend", "2: nothing defines strin, did you mean string?"},
		{"keys of a response", "proxy.response = { type = 0, resultset = { fields = { { nam = 'x' } }, rows = {} } }", "1: proxy.response.resultset.fields[].nam does not exist, did you mean name?"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "x.lua")
			if err := os.WriteFile(path, []byte(tt.code), 0o600); err != nil {
				t.Fatal(err)
			}
			r, err := Check(path)
			if err != nil {
				t.Fatal(err)
			}
			var got []string
			for _, f := range r.Findings {
				got = append(got, fmt.Sprintf("%d: %s", f.Line, f.Text))
			}
			if got := strings.Join(got, "\n"); got != tt.want {
				t.Errorf("got %q, want %q", got, tt.want)
			}
		})
	}
}

func TestExamplesPassTheCheck(t *testing.T) {
	files, err := filepath.Glob("examples/*.lua")
	if err != nil || len(files) == 0 {
		t.Fatal(files, err)
	}
	for _, path := range append(files, "admin.lua") {
		r, err := Check(path)
		if err != nil {
			t.Errorf("%s: %v", path, err)
			continue
		}
		if len(r.Hooks) == 0 || len(r.Findings) > 0 {
			t.Errorf("%s: hooks %v, findings %v", path, r.Hooks, r.Findings)
		}
	}
}
