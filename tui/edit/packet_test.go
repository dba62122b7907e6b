package edit

import (
	"strings"
	"testing"

	"mydbg/intercept"
	"mydbg/intercept/rule"
	"mydbg/mysqlwire"
)

// loginEvent is a held greeting.
func greetingEvent() intercept.Held {
	g := &mysqlwire.Greeting{Version: "8.4.2", ConnectionID: 7, Scramble: []byte("abcdefghijklmnopqrst"), Caps: testCaps | mysqlwire.PluginAuth, PluginName: "mysql_native_password"}
	packet := must(g.Encode(nil, nil))
	return intercept.Held{Event: &intercept.Event{
		ID: 3, Point: rule.ReadHandshake, Conn: &intercept.Conn{ID: 5}, Packet: packet, PacketLen: len(packet),
		Kind: mysqlwire.KindGreeting, Context: &mysqlwire.Context{}, Dir: mysqlwire.ToClient,
	}}
}

func TestPacketOverwritesBytes(t *testing.T) {
	h := greetingEvent()
	e := must(Query(h, nil, testEnv(t)))
	if v := verdictOf(t, e); v.Touches() {
		t.Fatalf("untouched, yet %+v", v)
	}
	press(e, "<right>39") // 8.4.2 becomes 9.4.2
	v := verdictOf(t, e)
	var g mysqlwire.Greeting
	if err := g.Decode(v.Packet, nil); err != nil || g.Version != "9.4.2" || v.Action != intercept.Forward {
		t.Errorf("got %q, %v, %s", g.Version, err, v.Action)
	}
	t.Run("view", func(t *testing.T) { screens(t, e) })
	again := must(Query(h, &v, testEnv(t)))
	if w := verdictOf(t, again); string(w.Packet) != string(v.Packet) {
		t.Errorf("the draft became %x", w.Packet)
	}
	press(e, "<ctrl+z><ctrl+z>")
	if v := verdictOf(t, e); v.Touches() {
		t.Errorf("undone, yet %+v", v)
	}
	press(e, "<ctrl+y>")
	if v := verdictOf(t, e); !v.Touches() {
		t.Error("not done again")
	}
}

func TestPacketShowsWhatDoesNotDecode(t *testing.T) {
	h := commandEvent(&mysqlwire.StmtClose{StmtID: 7}, &mysqlwire.Context{Caps: testCaps})
	e := must(Query(h, nil, testEnv(t)))
	if v := verdictOf(t, e); v.Touches() {
		t.Fatalf("untouched, yet %+v", v)
	}
	press(e, "<right>08")
	v := verdictOf(t, e)
	if m := decodeAs[*mysqlwire.StmtClose](t, v.Queries[0], h.Context); m.StmtID != 8 || v.Queries[0].Show {
		t.Errorf("got %+v", m)
	}
	press(e, "<home>03") // COM_QUERY has an answer, which nobody waits for
	if _, err := e.Verdict(); err != nil {
		t.Logf("refused: %v", err)
	}
	if err := e.SetExternal("19 07 0"); err == nil {
		t.Error("half a byte was taken")
	}
	if err := e.SetExternal("19 07 00"); err != nil {
		t.Fatal(err)
	}
	if view := e.View(80, 22); !strings.Contains(view, "decodes not") {
		t.Errorf("a short packet looks well:\n%s", view)
	}
}

func TestPacketRoundTripsThroughText(t *testing.T) {
	e := must(Query(greetingEvent(), nil, testEnv(t)))
	text, suffix, ok := e.External()
	if !ok || suffix != ".hex" {
		t.Fatalf("got %q, %v", suffix, ok)
	}
	if err := e.SetExternal(text); err != nil {
		t.Fatal(err)
	}
	if v := verdictOf(t, e); v.Touches() {
		t.Errorf("it became %x", v.Packet)
	}
	if err := e.SetExternal("0a 38"); err != nil {
		t.Fatal(err)
	}
	if _, err := e.Verdict(); err == nil {
		t.Error("a greeting cut short can be sent")
	}
}
