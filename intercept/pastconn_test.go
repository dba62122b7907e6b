package intercept_test

import (
	"errors"
	"testing"

	"mydbg/intercept"
)

// A connection that is over knows what its snapshot says, and nothing can be done to it.
func TestPastConn(t *testing.T) {
	info := intercept.ConnInfo{ID: 7, Client: "10.0.0.7:51812", User: "app", DB: "shop", Server: "8.4.2", Thread: 12, ServerTo: "127.0.0.1:3306", Commands: 3, Phase: intercept.Closed}
	c := intercept.PastConn(info)
	if got := c.Info(); c.ID != 7 || got.User != "app" || got.Commands != 3 || got.Phase != intercept.Closed {
		t.Errorf("got %+v", got)
	}
	client, server := c.Client(), c.Server()
	if client.Login == nil || client.Login.User != "app" || client.DB != "shop" || client.Src != info.Client {
		t.Errorf("client: got %+v", client)
	}
	if server == nil || server.Greeting.Version != "8.4.2" || server.Greeting.ConnectionID != 12 || server.Dst != info.ServerTo {
		t.Errorf("server: got %+v", server)
	}
	c.Kill(errors.New("nobody is there"))
	if err := c.Pick(1); !errors.Is(err, intercept.ErrNoHook) {
		t.Errorf("its server was changed: %v", err)
	}
	if c := intercept.PastConn(intercept.ConnInfo{ID: 8}); c.Server() != nil || c.Client().Login != nil {
		t.Error("one that never logged in has a login")
	}
}
