package tui

import (
	"testing"

	"mydbg/intercept"
	"mydbg/mysqlwire"
)

// A login that failed is a line of the log; enter goes to its connection, which says why.
func TestFailedLoginIsShown(t *testing.T) {
	r := &intercept.LoginReport{
		At: noon, Cause: intercept.CauseDenied, Step: intercept.StepAuthentication, User: "cron", Line: "the password is wrong",
		Hints: []string{"try it at the server itself"}, Client: []intercept.Fact{{Name: "plugin", Text: "mysql_native_password"}},
	}
	f := shop()
	f.conn(9, func(i *intercept.ConnInfo) {
		i.Phase, i.Closed, i.User, i.Commands, i.LoginFailure = intercept.Closed, noon, "cron", 0, r
	})
	n := uint64(len(f.notices))
	f.notices = append(f.notices, intercept.Notice{N: n + 1, At: noon, Level: intercept.Warning, Conn: 9, Text: "connection 9: " + r.Title(), Login: r})
	d, m := start(t, f, 140, 40, plain)
	m.setTheme(m.th) // which brings the real inspector
	wake(d)
	d.Has("connection 9: login of cron failed: the password is wrong")
	d.Press("8", "G", "enter")
	d.Has("2 Connections", "login failed", "what to change", "1. try it at the server itself", "the client offered")
	if id, _ := m.conns.Selected(); id != 9 {
		t.Errorf("connection %d is selected", id)
	}
	// It is an event too.
	f.add(1400, 9, mysqlwire.ComConnect, "", 0, 0, func(x *intercept.Exchange) {
		x.Note, x.Error = r.Title(), &mysqlwire.ERR{Code: 1045, SQLState: "28000", Message: "Access denied for user 'cron'"}
	})
	wake(d)
	d.Press("1")
	m.events.SelectExchange(1400)
	wake(d)
	d.Has("LOGIN", "Access denied", "ERR 1045", "login of cron failed", "to change   try it at the server itself", "more")
}
