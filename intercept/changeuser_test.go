package intercept_test

import (
	"bytes"
	"strings"
	"testing"

	"mydbg/intercept"
	"mydbg/mysqlwire"
)

// TestChangeUserBetweenScriptedEnds: the plugins of a login, in the middle of a session.
func TestChangeUserBetweenScriptedEnds(t *testing.T) {
	for _, tt := range []struct {
		name   string
		script []string
		cause  intercept.LoginCause // "" when it succeeds
		hint   string
	}{
		{"at once", nil, "", ""},
		{"PAM with two questions", []string{"S\xfedialog\x00\x04Password: ", "Csecret\x00", "S\x02Code: ", "C99\x00"}, "", ""},
		{"GSSAPI", []string{"S\xfeauth_gssapi_client\x00x", "Ctoken", "S\x01reply", "Cmore"}, "", ""},
		{"two factors", []string{"S\xfeclient_ed25519\x0001234567890123456789012345678901", "Csigned", "S\x02mysql_clear_password\x00", "Csecret\x00"}, "", ""},
		{"the hash of before 4.1", []string{"S\xfe"}, intercept.CauseOldPassword, "newer password"},
	} {
		for _, secure := range []bool{false, true} {
			name := tt.name + ", plain"
			if secure {
				name = tt.name + ", TLS"
			}
			t.Run(name, func(t *testing.T) {
				s := strangers(t, modes(secure))
				s.begin(secure, secure, mysqlwire.Login{PluginName: "mysql_native_password"})
				s.serverSays(allowed, "")
				s.changeUser()
				for _, line := range tt.script {
					switch {
					case tt.cause != "":
						s.must(s.Server.Send([]byte(line[1:])))
						s.refused(tt.cause, tt.hint)
						return
					case line[0] == 'S':
						s.serverSays(line[1:], "")
					default:
						s.clientSays(line[1:], "")
					}
				}
				s.serverSays(allowed, "")
				s.Client.Seq, s.Server.Seq = 0, 0
				s.clientSays("\x03select 1", "")
				i := s.Proxy.Conns()[0]
				if i.User != "other" || i.LoginFailure != nil || i.Opaque != "" || strings.Contains(strings.Join(i.Login, "\n"), "secret") {
					t.Errorf("got %+v", i)
				}
			})
		}
	}
}

// TestChangeUserKeepsPasswordsSecret: what a client sends over TLS does not go on over a plain leg.
func TestChangeUserKeepsPasswordsSecret(t *testing.T) {
	s := strangers(t, modes(false))
	s.begin(true, false, mysqlwire.Login{PluginName: "mysql_native_password"})
	s.serverSays(allowed, "")
	s.changeUser()
	s.serverSays("\xfemysql_clear_password\x00", "")
	s.must(s.Client.Send([]byte("secret\x00")))
	s.refused(intercept.CauseCleartext, "--allow-cleartext")
}

// changeUser sends a COM_CHANGE_USER from end to end.
func (s *stranger) changeUser() {
	s.t.Helper()
	s.Client.Seq, s.Server.Seq = 0, 0
	b, err := (&mysqlwire.ChangeUser{User: "other", Collation: 45, PluginName: "mysql_native_password", AuthResponse: []byte("20 bytes of a proof.")}).
		Encode(nil, &mysqlwire.Context{Caps: s.caps})
	s.must(err)
	s.clientSays(string(b), "")
}

// refused checks that the client is told an error, which is explained, and that the session ends.
func (s *stranger) refused(cause intercept.LoginCause, hint string) {
	s.t.Helper()
	got, err := s.Client.Receive()
	s.must(err)
	if !bytes.HasPrefix(got, []byte("\xff\x15\x04#28000mydbg: ")) {
		s.t.Errorf("the client is told %q", got)
	}
	r := s.failure()
	if r.Cause != cause || r.Step != intercept.StepChangeUser || r.User != "other" || !strings.Contains(r.Hint(), hint) || strings.Contains(r.Text(), "secret") {
		s.t.Errorf("got %s", r.Text())
	}
}
