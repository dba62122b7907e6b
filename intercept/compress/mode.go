package compress

import (
	"fmt"
	"strings"

	"mydbg/mysqlwire"
)

// Algorithm is how the bodies of compressed packets are made.
type Algorithm uint8

const (
	None Algorithm = iota
	Zlib
	Zstd
)

func (a Algorithm) String() string {
	switch a {
	case None:
		return ""
	case Zlib:
		return "zlib"
	case Zstd:
		return "zstd"
	}
	return fmt.Sprintf("Algorithm(%d)", uint8(a))
}

// Flags are the capabilities that compression is agreed with.
const Flags = mysqlwire.Compress | mysqlwire.ZstdCompressionAlgorithm

// Agreed is what a server that offers and a client that wants these capabilities use: zlib where
// both algorithms would do.
func Agreed(offered, wanted mysqlwire.Caps) Algorithm {
	switch both := offered & wanted; {
	case both.Has(mysqlwire.Compress):
		return Zlib
	case both.Has(mysqlwire.ZstdCompressionAlgorithm):
		return Zstd
	}
	return None
}

// DefaultLevel is the level of Zstd where nobody asked for another.
const DefaultLevel = 3

// Mode says what one leg does about compression.
type Mode uint8

const (
	// Mirror offers clients what the server offers, and asks the server for what the client asks.
	Mirror Mode = iota
	Disabled
	Offer    // of the client leg: both algorithms, whatever the server offers
	WantZlib // of the server leg: whether or not the client asks for it, if the server offers it
	WantZstd // likewise
)

var modeNames = [...]string{"mirror", "disabled", "offer", "zlib", "zstd"}

// ClientModes and ServerModes are the names of the modes that make sense on that leg; the first is
// the default.
var (
	ClientModes = []string{"mirror", "disabled", "offer"}
	ServerModes = []string{"mirror", "disabled", "zlib", "zstd"}
)

// ParseMode reads a mode's name.
func ParseMode(s string) (Mode, error) {
	for m, known := range modeNames {
		if strings.EqualFold(s, known) {
			return Mode(m), nil
		}
	}
	return Mirror, fmt.Errorf("unknown compression mode %q: use one of %s", s, strings.Join(modeNames[:], ", "))
}

func (m Mode) String() string {
	if int(m) < len(modeNames) {
		return modeNames[m]
	}
	return fmt.Sprintf("Mode(%d)", uint8(m))
}

// Offers are the flags that a client is offered where the server's greeting has these.
func (m Mode) Offers(server mysqlwire.Caps) mysqlwire.Caps {
	switch m {
	case Disabled:
		return 0
	case Offer:
		return Flags
	}
	return server & Flags
}

// Asks are the flags that the server is asked for where its greeting has offered and the client's
// login has client.
func (m Mode) Asks(offered, client mysqlwire.Caps) mysqlwire.Caps {
	switch m {
	case Disabled:
		return 0
	case WantZlib:
		return offered & mysqlwire.Compress
	case WantZstd:
		return offered & mysqlwire.ZstdCompressionAlgorithm
	}
	return offered & client & Flags
}
