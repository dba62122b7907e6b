package script

import (
	"errors"
	"slices"
	"testing"

	"mydbg/intercept"
)

// fleet is servers with clients, by hand.
type fleet struct {
	list []intercept.BackendInfo
}

func newFleet(clients ...int) *fleet {
	f := &fleet{}
	for i, address := range []string{"10.0.0.1:3306", "10.0.0.2:3306", "10.0.0.3:3306"} {
		b := intercept.BackendInfo{Index: i + 1, Numeric: address, Backend: intercept.Backend{Address: address, ReadOnly: i == 2}}
		if i < len(clients) {
			b.Clients = clients[i]
		}
		f.list = append(f.list, b)
	}
	return f
}

func (f *fleet) Backends() []intercept.BackendInfo { return slices.Clone(f.list) }

func (f *fleet) Idle(n int, user string, _ *intercept.Conn) int { return 10*n + len(user) }

func (f *fleet) SetBackendState(n int, s intercept.BackendState) bool {
	f.list[n-1].State = s
	return true
}

func (f *fleet) SetBackendUUID(n int, id string) bool {
	f.list[n-1].UUID = id
	return true
}

func (f *fleet) SetPoolLimits(n, minIdle, maxIdle int) bool {
	f.list[n-1].MinIdle, f.list[n-1].MaxIdle = minIdle, maxIdle
	return true
}

func (f *fleet) AddBackend(b intercept.Backend) (int, error) {
	if b.Address == "10.0.0.1:3306" {
		return 0, errors.New("backend 10.0.0.1:3306 is already known")
	}
	f.list = append(f.list, intercept.BackendInfo{Backend: b, Numeric: b.Address})
	return len(f.list), nil
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
		print(all:add("10.0.0.9:3306", proxy.BACKEND_TYPE_RO), #all, all[4].type, all[4].dst.address, all:add("10.0.0.1:3306"))
		print((select(2, pcall(function() all[1].pool.users = 1 end)):gsub("^.-:%d+: ", "")))
	end`, Options{Servers: newFleet(2)})
	b.query("\x03a")
	wantOutput(t, b,
		"print: 3\tnil\tnil\t2\t1\t10.0.0.2:3306\t3306\tnil",
		"print: 0\t0\t2",
		"print: 2\tid\t7\t23",
		"print: proxy.global.backends[...].type is not writable",
		"print: proxy.global.backends[...].uuid has to be a string",
		"print: 4\t4\t2\t10.0.0.9\tnil\tbackend 10.0.0.1:3306 is already known",
		"print: proxy.backend[...].users is not writable",
	)
}
