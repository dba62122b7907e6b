package sessions

import (
	"strings"

	"mydbg/intercept"
	"mydbg/mysqlwire"
)

// Conn is a connection of a recording or capture, as it was when it was last seen.
type Conn struct {
	intercept.ConnInfo
	Marks    ConnMark
	Greeting *mysqlwire.Greeting // of the server, as the client got it; nil if it is not in the file
	Login    *mysqlwire.Login    // of the client, without its proof; nil if it is not in the file

	Exchanges int           // how many, injected ones counted
	First     intercept.Seq // of them; 0 without any
	Bytes     [2]uint64     // by mysqlwire.Direction, between client and proxy
	Missing   uint64        // bytes that are not in the file
}

// ConnMark is what is special about a connection of a file.
type ConnMark uint16

const (
	LateStart  ConnMark = 1 << iota // its beginning is not in the file
	Gap                             // bytes in its middle are missing
	Encrypted                       // TLS: its bytes are counted, not decoded
	Compressed                      // the compressed protocol: its bytes are decoded
	Unfollowed                      // not decoded from some point on: see Opaque
	Unended                         // its end is not in the file
	NoServer                        // answered by mydbg, without a server behind it
)

var connMarkNames = [...]string{"late start", "gap", "TLS", "compressed", "not followed", "open at the end", "no server"}

func (m ConnMark) String() string {
	var names []string
	for i, name := range connMarkNames {
		if m>>i&1 != 0 {
			names = append(names, name)
		}
	}
	return strings.Join(names, ", ")
}

// Has reports whether all marks of want are set.
func (m ConnMark) Has(want ConnMark) bool { return m&want == want }

// Collation is the one that the client asked for in its login; 0 if that is not known.
func (c *Conn) Collation() uint8 {
	if c.Login == nil {
		return 0
	}
	return c.Login.Collation
}
