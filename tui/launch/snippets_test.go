package launch

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"mydbg/intercept"
	"mydbg/intercept/rule"
	"mydbg/mysqlwire"
	"mydbg/tui/cmdline"
)

const limiting = `function read_query(packet)
	print("asked about " .. packet:sub(2))
	proxy.queries:append(1, string.char(3) .. "SET @a = 1")
	proxy.queries:append(2, packet .. " LIMIT 2", { resultset_is_needed = true })
	return proxy.PROXY_SEND_QUERY
end
`

func scriptFile(t *testing.T, text string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "limit.lua")
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func TestScriptsAreTried(t *testing.T) {
	path := scriptFile(t, limiting)
	s, err := Scripts([]string{path})
	if err != nil {
		t.Fatal(err)
	}
	packet := []byte("\x03SELECT a FROM t")
	ev := &intercept.Event{
		Point: rule.ReadQuery, Conn: intercept.PastConn(intercept.ConnInfo{ID: 3}), Packet: packet, PacketLen: len(packet), Kind: mysqlwire.KindQuery,
		Context: &mysqlwire.Context{Caps: mysqlwire.Protocol41},
	}
	list, err := s.Try(t.Context(), ev)
	if err != nil || len(list) != 1 {
		t.Fatalf("got %+v, %v", list, err)
	}
	if got := list[0]; got.Script != "limit.lua" || !strings.HasPrefix(got.Describe, "sends 2 queries") || got.Hook != "read_query" || !got.Exists || got.Err != nil || strings.Join(got.Output, "") != "asked about SELECT a FROM t" {
		t.Errorf("got %+v", got)
	}
	if got := strings.Join(list[0].Details, "; "); got != "COM_QUERY  SET @a = 1; COM_QUERY  SELECT a FROM t LIMIT 2  (its result goes to read_query_result)" {
		t.Errorf("got %s", got)
	}
	if r := s.Run(t.Context(), 0, ev, "1 + 1"); r.Err != nil || strings.Join(r.Output, "") != "2" {
		t.Errorf("got %+v", r)
	}

	if list, err := s.Save(t.Context(), 0, []byte("pirnt(1)\n")); err != nil || len(list) == 0 || !strings.HasPrefix(list[0], "limit.lua:1: ") {
		t.Errorf("got %q, %v", list, err)
	}
	if _, err := s.Save(t.Context(), 0, []byte("nonsense(")); err == nil {
		t.Error("it is saved")
	}
	if text, err := s.Source(0); err != nil || string(text) != "pirnt(1)\n" {
		t.Errorf("got %q, %v", text, err)
	}
	if list, err = s.Try(t.Context(), ev); err != nil || list[0].Err == nil || !strings.Contains(list[0].Err.Error(), "limit.lua:1: ") {
		t.Errorf("got %+v, %v", list, err)
	}
	if err := s.Reload(t.Context(), 0); err != nil {
		t.Error(err)
	}
	if _, err := s.Source(1); err == nil {
		t.Error("there is a second script")
	}
	if st := s.Scripts(); len(st) != 1 || st[0].Name != "limit.lua" || st[0].Path != path {
		t.Errorf("got %+v", st)
	}
}

func TestScriptsSayWhyNot(t *testing.T) {
	for path, status := range map[string]int{scriptFile(t, "nonsense("): cmdline.Misused, filepath.Join(t.TempDir(), "none.lua"): cmdline.NotStarted} {
		_, err := Scripts([]string{path})
		var f *cmdline.Failure
		if !errors.As(err, &f) || f.Status != status {
			t.Errorf("%s: got %v", filepath.Base(path), err)
		}
	}
}
