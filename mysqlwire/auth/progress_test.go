package auth

import "testing"

// TestProgress says what an explanation needs, after each step of a login that ends in the full path.
func TestProgress(t *testing.T) {
	e := NewExchange(Leg{}, Leg{}, Options{MultiFactor: true})
	check := func(want Progress) {
		t.Helper()
		if got := e.Progress(); got != want {
			t.Errorf("got  %+v\nwant %+v", got, want)
		}
	}
	check(Progress{})
	say := func(from func([]byte) (Step, error), payload string) {
		t.Helper()
		if _, err := from([]byte(payload)); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := e.Begin("mysql_native_password", testScramble, nil); err != nil {
		t.Fatal(err)
	}
	p := Progress{Offered: "mysql_native_password", Plugin: "mysql_native_password", Factor: 1, Next: Server, Answered: true, NoPassword: true}
	check(p)
	say(e.FromServer, "\xfecaching_sha2_password\x00"+string(testSwitch)+"\x00")
	p = Progress{Offered: "mysql_native_password", Plugin: "caching_sha2_password", Factor: 1, Next: Client, Heard: true, Switched: true}
	check(p)
	say(e.FromClient, "a hash")
	p.Next, p.Answered = Server, true
	check(p)
	say(e.FromServer, "\x01\x04")
	p.Next, p.Full = Client, true
	check(p)
	say(e.FromClient, "\x02")
	p.Next, p.KeyAsked = Server, true
	check(p)
	say(e.FromServer, "\x02mysql_clear_password\x00")
	p = Progress{Offered: "mysql_native_password", Plugin: "mysql_clear_password", Factor: 2, Next: Client, Heard: true, Switched: true}
	check(p)
	say(e.FromClient, "secret\x00")
	say(e.FromServer, string(badPacket))
	p.Next, p.Answered, p.Over = Nobody, true, true
	check(p)
}

// TestVerified: only the cache tells that a password is right.
func TestVerified(t *testing.T) {
	e := NewExchange(Leg{}, Leg{}, Options{})
	if _, err := e.Begin("caching_sha2_password", testScramble, []byte("hash")); err != nil {
		t.Fatal(err)
	}
	if e.Progress().Verified {
		t.Error("before the server said so")
	}
	if _, err := e.FromServer([]byte("\x01\x03")); err != nil || !e.Progress().Verified {
		t.Errorf("got %+v, %v", e.Progress(), err)
	}
}
