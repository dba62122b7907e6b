package cmdline

import (
	"errors"
	"fmt"
	"strings"

	"mydbg/intercept/rule"
)

// Failure is an error with the exit status it means.
type Failure struct {
	Status int
	Err    error // nil when everything has been said
}

// The exit statuses beside 0.
const (
	Matched     = 1 // a --fail-if was true
	Misused     = 2 // wrong usage or configuration
	NotStarted  = 3 // a port in use, a file unreadable
	Interrupted = 130
)

func (f *Failure) Error() string {
	if f.Err == nil {
		return fmt.Sprintf("exit status %d", f.Status)
	}
	return f.Err.Error()
}

func (f *Failure) Unwrap() error { return f.Err }

// Wrong is an error in what was said.
func Wrong(format string, args ...any) error { return &Failure{Misused, fmt.Errorf(format, args...)} }

// Broken is an error of what was found: well said, but it cannot be done.
func Broken(err error) error { return &Failure{NotStarted, err} }

// Explain is an error for the person at the keyboard: with a caret under the place where a condition or
// a rule is wrong, and with what to try.
func Explain(err error) string {
	text := err.Error()
	if list := joined(err); list != nil {
		whole := errors.Join(list...).Error()
		text = strings.TrimSuffix(text, whole)
		for i, e := range list {
			if i > 0 {
				text += "\n"
			}
			text += Explain(e)
		}
		return text
	}
	var syntax *rule.SyntaxError
	if errors.As(err, &syntax) {
		text += "\n    " + strings.ReplaceAll(syntax.Caret(), "\n", "\n    ")
	}
	return text
}

// joined is the list that errors.Join made somewhere in an error.
func joined(err error) []error {
	for ; err != nil; err = errors.Unwrap(err) {
		several, ok := err.(interface{ Unwrap() []error }) //nolint:errorlint // it walks the chain itself
		if ok && errors.Join(several.Unwrap()...).Error() == err.Error() {
			return several.Unwrap()
		}
	}
	return nil
}
