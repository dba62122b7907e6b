package rule

import (
	"fmt"
	"strings"
)

// A Point is a place in a connection's life where traffic can be looked at or stopped. The zero
// Point means "afterwards": whatever an [Env] holds is taken as known.
type Point uint8

// The points, in the order a connection meets them; all but the last lead up to an answer.
const (
	ConnectServer Point = iota + 1
	ReadHandshake
	ReadAuth
	ReadAuthResult
	ReadQuery
	ReadQueryResult
	Disconnect
)

var pointNames = [...]struct{ long, short string }{
	ConnectServer:   {"connect_server", "connect"},
	ReadHandshake:   {"read_handshake", "handshake"},
	ReadAuth:        {"read_auth", "auth"},
	ReadAuthResult:  {"read_auth_result", "auth_result"},
	ReadQuery:       {"read_query", "query"},
	ReadQueryResult: {"read_query_result", "result"},
	Disconnect:      {"disconnect", "disconnect"},
}

// Points lists all points in order.
func Points() []Point {
	return []Point{ConnectServer, ReadHandshake, ReadAuth, ReadAuthResult, ReadQuery, ReadQueryResult, Disconnect}
}

// String is the name MySQL Proxy gives the hook, such as read_query.
func (p Point) String() string {
	if p.valid() {
		return pointNames[p].long
	}
	return fmt.Sprintf("point(%d)", uint8(p))
}

// Short is the name used in rules and conditions, such as query.
func (p Point) Short() string {
	if p.valid() {
		return pointNames[p].short
	}
	return ""
}

func (p Point) valid() bool { return p >= ConnectServer && p <= Disconnect }

// ParsePoint accepts the long and the short name, in any case.
func ParsePoint(name string) (Point, error) {
	low := strings.ToLower(name)
	var names []string
	for _, p := range Points() {
		if low == p.String() || low == p.Short() {
			return p, nil
		}
		names = append(names, p.Short())
	}
	hint := "the hooks are " + strings.Join(names, ", ")
	if near := Nearest(low, names); near != "" {
		hint = fmt.Sprintf("did you mean %q?", near)
	}
	return 0, &SyntaxError{Src: name, Msg: fmt.Sprintf("unknown hook %q", name), Hint: hint}
}
