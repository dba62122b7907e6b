package mysqlwire

import (
	"slices"
	"strconv"
	"strings"
)

// ErrorCode is what is known of an error that servers send.
type ErrorCode struct {
	Code     uint16
	Symbol   string // ER_LOCK_DEADLOCK
	SQLState string
	Message  string // with … where servers put names and numbers
}

// ErrorByCode finds an error by its number. Where MySQL and MariaDB mean different things by a number,
// it is MySQL's; 4025 alone is MariaDB's failed constraint.
func ErrorByCode(code uint16) (ErrorCode, bool) {
	i, ok := slices.BinarySearchFunc(errorCodes, code, func(e ErrorCode, code uint16) int { return int(e.Code) - int(code) })
	if !ok {
		return ErrorCode{}, false
	}
	return errorCodes[i], true
}

// SearchErrors finds errors by number, by SQLSTATE, or by words that occur in symbol or message, in
// any order. The best come first: whole numbers, symbols and messages, then those whose symbol has the words.
func SearchErrors(text string) []ErrorCode {
	words := strings.Fields(strings.ToLower(strings.ReplaceAll(text, "_", " ")))
	if len(words) == 0 {
		return nil
	}
	var best [3][]ErrorCode
	for _, e := range errorCodes {
		if rank := e.rank(words); rank >= 0 {
			best[rank] = append(best[rank], e)
		}
	}
	return slices.Concat(best[:]...)
}

// rank is how well e matches all words, 0 best, or -1.
func (e *ErrorCode) rank(words []string) int {
	number := strconv.Itoa(int(e.Code))
	symbol := strings.ToLower(strings.ReplaceAll(e.Symbol, "_", " "))
	message := strings.ToLower(e.Message)
	whole := strings.Join(words, " ")
	if whole == number || whole == symbol || whole == message {
		return 0
	}
	rank := 1
	for _, w := range words {
		switch {
		case strings.Contains(symbol, w), strings.HasPrefix(number, w), strings.EqualFold(e.SQLState, w):
		case strings.Contains(message, w):
			rank = 2
		default:
			return -1
		}
	}
	return rank
}
