package demo

import (
	"fmt"
	"net"

	"mydbg/sessions/demo/shop"
)

// Hint says how a person points a client of their own at the demo, given the address they should use: the proxy's to
// see the traffic, the server's to go past it. One line per client.
func Hint(addr string) []string {
	host, port, err := net.SplitHostPort(addr)
	if err != nil {
		host, port = addr, "3306"
	}
	return []string{
		fmt.Sprintf("mysql -h %s -P %s -u %s -p%s %s", host, port, shop.User, shop.Password, shop.Database),
		fmt.Sprintf("mysql -h %s -P %s -u root %s", host, port, shop.Database),
		fmt.Sprintf("go    %s:%s@tcp(%s)/%s", shop.User, shop.Password, net.JoinHostPort(host, port), shop.Database),
		fmt.Sprintf("url   mysql://%s:%s@%s/%s", shop.User, shop.Password, net.JoinHostPort(host, port), shop.Database),
		fmt.Sprintf("jdbc  jdbc:mysql://%s/%s?user=%s&password=%s&sslMode=DISABLED",
			net.JoinHostPort(host, port), shop.Database, shop.User, shop.Password),
	}
}
