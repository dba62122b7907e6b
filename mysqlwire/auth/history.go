package auth

import (
	"fmt"
	"slices"
	"strings"
)

// History lists what happened so far, one step in words per line, without secrets: not even
// the length of a password sent in clear text.
func (e *Exchange) History() []string { return slices.Clone(e.history) }

// Describe is the history as one sentence, to explain a login that failed.
func (e *Exchange) Describe() string { return strings.Join(e.history, "; ") }

func (e *Exchange) note(format string, args ...any) {
	e.history = append(e.history, fmt.Sprintf(format, args...))
}

// name is the plugin's name fit for the history.
func (e *Exchange) name() string { return printable(e.plugin) }
