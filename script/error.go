package script

import (
	"errors"
	"fmt"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"

	lua "github.com/yuin/gopher-lua"

	"mydbg/intercept"
	"mydbg/script/lua51"
)

// Error is an error in Lua code.
type Error struct {
	Script string // path of the script; "snippet" for what a person typed
	Line   int    // 0 if it is not known
	Hook   string // the hook that ran; "" while the script was loaded
	Conn   intercept.ConnID
	Msg    string // without position
	Trace  string // Lua's traceback, "" for errors found while compiling
}

// Error is the error in one line: rw.lua:41: attempt to index a nil value.
func (e *Error) Error() string {
	name := filepath.Base(e.Script)
	if e.Line > 0 {
		return fmt.Sprintf("%s:%d: %s", name, e.Line, e.Msg)
	}
	return name + ": " + e.Msg
}

// Traceback is Lua's, as the log shows it below the error.
func (e *Error) Traceback() string { return e.Trace }

// position is how Lua begins a message that has a place.
var position = regexp.MustCompile(`^(\[string ".*?"\]|[^\s:]+):(\d+): ?`)

// traced is the place of the innermost Lua function in a traceback.
var traced = regexp.MustCompile(`(?m)^\t(?:\[string ".*?"\]|[^\s:\[]+):(\d+):`)

// luaError makes an Error of what gopher-lua returned from calling fn.
func luaError(err error, script string, fn *lua.LFunction) *Error {
	e := &Error{Script: script, Msg: err.Error()}
	var api *lua.ApiError
	if errors.As(err, &api) {
		e.Msg = thrown(api.Object)
		if api.Object == nil || api.Object == lua.LNil {
			e.Msg = api.Error()
		}
		e.Trace = lua51.Traceback(api.StackTrace, fn)
	}
	if api != nil && api.Type == lua.ApiErrorPanic { // without a position: the traceback has it
		e.Msg = strings.TrimPrefix(e.Msg, "lua call")
		if m := traced.FindStringSubmatch(e.Trace); m != nil {
			e.Line, _ = strconv.Atoi(m[1])
		}
		return e
	}
	e.Msg = lua51.Message(e.Msg)
	if m := position.FindStringSubmatch(e.Msg); m != nil {
		if !strings.HasPrefix(m[1], "[string") {
			e.Script = m[1] // a file the script has loaded
		}
		e.Line, _ = strconv.Atoi(m[2])
		e.Msg = e.Msg[len(m[0]):]
	}
	return e
}

// thrown is the text of a value given to error().
func thrown(v lua.LValue) string {
	switch v := v.(type) {
	case nil:
		return ""
	case lua.LString:
		return string(v)
	case lua.LNumber:
		return numberText(v)
	}
	return "(error object is a " + v.Type().String() + " value)"
}

// compileError makes an Error of what the parser or the compiler returned.
func compileError(err error, script string) *Error {
	line, msg := lua51.SyntaxError(err)
	return &Error{Script: script, Line: line, Msg: msg}
}
