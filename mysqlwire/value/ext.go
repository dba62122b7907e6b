package value

import (
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"net/netip"
	"strconv"
	"strings"
	"unicode/utf8"
)

// checkExt says why text is no value of what MariaDB says a string is. Kinds that are not known are not
// checked.
func (s Spec) checkExt(text string) error {
	switch s.Ext {
	case "json":
		return checkJSON(text)
	case "uuid":
		digits := strings.ReplaceAll(text, "-", "")
		if b, err := hex.DecodeString(digits); err != nil || len(b) != 16 {
			return fmt.Errorf("%s is not a UUID like 123e4567-e89b-12d3-a456-426614174000", strconv.Quote(text))
		}
	case "inet4", "inet6":
		a, err := netip.ParseAddr(text)
		if err != nil || a.Zone() != "" || s.Ext == "inet4" && !a.Is4() || s.Ext == "inet6" && !a.Is6() {
			return fmt.Errorf("%s is not an address of %s", strconv.Quote(text), s.Name())
		}
	}
	return nil
}

func checkJSON(text string) error {
	if !utf8.ValidString(text) {
		return errors.New("this is not JSON: it is not UTF-8")
	}
	if json.Valid([]byte(text)) {
		return nil
	}
	var v any
	return fmt.Errorf("this is not JSON: %w", json.Unmarshal([]byte(text), &v))
}
