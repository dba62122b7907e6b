package script

import (
	"testing"

	"mydbg/intercept"
	"mydbg/intercept/rule"
)

// fleet is a number of servers with clients.
type fleet []int

func (f fleet) Backends() []intercept.Backend {
	return []intercept.Backend{{Address: "10.0.0.1:3306"}, {Address: "10.0.0.2:3306"}, {Address: "10.0.0.3:3306", ReadOnly: true}}
}

func (f fleet) Conns() []intercept.ConnInfo {
	var list []intercept.ConnInfo
	for i, n := range f {
		for range n {
			list = append(list, intercept.ConnInfo{BackendIndex: i + 1, Server: "8.4.0"})
		}
	}
	return list
}

func TestChoiceOfTheServer(t *testing.T) {
	for _, tt := range []struct {
		name, body string
		clients    fleet
		want       int
	}{
		{"fewest clients", "", fleet{2, 1, 0}, 2},
		{"the first of equals", "", fleet{1, 1, 0}, 1},
		{"the script's choice", "proxy.connection.backend_ndx = 3", fleet{}, 3},
		{"not one that is down", "proxy.global.backends[2].state = proxy.BACKEND_STATE_DOWN proxy.connection.backend_ndx = 2", fleet{5, 0, 0}, 1},
		{"a negative choice is none", "proxy.connection.backend_ndx = -1", fleet{1, 0, 0}, 2},
	} {
		b := loadWith(t, "function connect_server() "+tt.body+" end", Options{Servers: tt.clients})
		if v := b.ask(b.event(rule.ConnectServer, 1)); v.Backend != tt.want || v.Action != intercept.Forward {
			t.Errorf("%s: got %v to backend %d, want %d", tt.name, v.Action, v.Backend, tt.want)
		}
	}
}

func TestBackendObjects(t *testing.T) {
	b := loadWith(t, `function read_query()
		local all = proxy.global.backends
		print(#all, all[0], all[4], all[3].type, all[1].type, all[2].dst.name, all[2].dst.port, all[1].address)
		print(all[1].state, all[2].state, all[1].connected_clients)
		all[2].state, all[2].uuid, all[2].pool.max_idle_connections = proxy.BACKEND_STATE_DOWN, "id", 7
		print(all[2].state, all[2].uuid, all[2].pool.max_idle_connections, all[2].pool.users["app"].cur_idle_connections)
		print((select(2, pcall(function() all[1].type = 1 end)):gsub("^.-:%d+: ", "")))
		print((select(2, pcall(function() all[1].uuid = {} end)):gsub("^.-:%d+: ", "")))
		print((select(2, pcall(function() all[1].pool.users = 1 end)):gsub("^.-:%d+: ", "")))
	end`, Options{Servers: fleet{2, 0, 0}})
	b.query("\x03a")
	wantOutput(t, b,
		"print: 3\tnil\tnil\t2\t1\t10.0.0.2:3306\t3306\tnil",
		"print: 1\t0\t2",
		"print: 2\tid\t7\t0",
		"print: proxy.global.backends[...].type is not writable",
		"print: proxy.global.backends[...].uuid has to be a string",
		"print: proxy.backend[...].users is not writable",
	)
}
