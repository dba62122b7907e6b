package proxyproto

import (
	"fmt"
	"strings"
)

// Mode says whether a listener expects headers.
type Mode uint8

const (
	Off     Mode = iota // a connection begins with MySQL's protocol
	Accept              // or with a header in front of it
	Require             // only with one
)

// Modes are the names of the modes, the default first.
var Modes = []string{"off", "accept", "require"}

func (m Mode) String() string {
	if int(m) < len(Modes) {
		return Modes[m]
	}
	return fmt.Sprintf("Mode(%d)", uint8(m))
}

// ParseMode reads a mode's name.
func ParseMode(s string) (Mode, error) {
	for m, name := range Modes {
		if strings.EqualFold(s, name) {
			return Mode(m), nil
		}
	}
	return Off, fmt.Errorf("unknown mode %q of the PROXY protocol: use one of %s", s, strings.Join(Modes, ", "))
}

// Versions are the names of the versions that can be sent; "off", the default, is 0.
var Versions = []string{"off", "v1", "v2"}

// ParseVersion reads a version's name.
func ParseVersion(s string) (int, error) {
	for v, name := range Versions {
		if strings.EqualFold(s, name) {
			return v, nil
		}
	}
	return 0, fmt.Errorf("unknown version %q of the PROXY protocol: use one of %s", s, strings.Join(Versions, ", "))
}
