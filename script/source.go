package script

import (
	"bytes"
	"fmt"
	"os"
	"strings"
	"sync"

	lua "github.com/yuin/gopher-lua"
	"github.com/yuin/gopher-lua/ast"
	"github.com/yuin/gopher-lua/parse"
)

// source is a script file and its compiled code, which is made anew when the file has changed.
type source struct {
	path string

	mu    sync.Mutex
	proto *lua.FunctionProto // nil when there is no valid code
	mtime int64              // whole seconds, of the code in proto
	size  int64
}

// load returns the code of the file as it is now.
func (s *source) load() (*lua.FunctionProto, *Error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	fi, err := os.Stat(s.path)
	if err != nil {
		return nil, &Error{Script: s.path, Msg: err.Error()}
	}
	if s.proto != nil && s.mtime == fi.ModTime().Unix() && s.size == fi.Size() {
		return s.proto, nil
	}
	s.proto = nil
	proto, bad := s.compile()
	if bad != nil {
		return nil, bad
	}
	s.proto, s.mtime, s.size = proto, fi.ModTime().Unix(), fi.Size()
	return proto, nil
}

// again compiles the file whether it has changed or not, and keeps the old code if that fails.
func (s *source) again() (*lua.FunctionProto, *Error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	fi, err := os.Stat(s.path)
	if err != nil {
		return nil, &Error{Script: s.path, Msg: err.Error()}
	}
	proto, bad := s.compile()
	if bad != nil {
		return nil, bad
	}
	s.proto, s.mtime, s.size = proto, fi.ModTime().Unix(), fi.Size()
	return proto, nil
}

func (s *source) compile() (*lua.FunctionProto, *Error) {
	src, err := os.ReadFile(s.path)
	if err != nil {
		return nil, &Error{Script: s.path, Msg: err.Error()}
	}
	proto, err := compile(src, s.path)
	if err != nil {
		return nil, compileError(err, s.path)
	}
	return proto, nil
}

// compile makes code that, when run, returns the script as a function without "...": every
// connection gets a closure of its own. Line numbers are those of the file.
func compile(src []byte, path string) (*lua.FunctionProto, error) {
	return compileWith(string(src), chunkID(path), func(chunk []ast.Stmt) []ast.Stmt {
		fn := &ast.FunctionExpr{ParList: &ast.ParList{}, Stmts: chunk}
		fn.SetLine(1)
		fn.SetLastLine(1 + bytes.Count(src, []byte{'\n'}))
		ret := &ast.ReturnStmt{Exprs: []ast.Expr{fn}}
		ret.SetLine(1)
		ret.SetLastLine(1)
		return []ast.Stmt{ret}
	})
}

// compileChunk makes code that runs when it is called.
func compileChunk(src, name string) (*lua.FunctionProto, error) {
	return compileWith(src, name, func(chunk []ast.Stmt) []ast.Stmt { return chunk })
}

func compileWith(src, name string, wrap func([]ast.Stmt) []ast.Stmt) (proto *lua.FunctionProto, err error) {
	defer func() { // the compiler panics on some constructs
		if p := recover(); p != nil {
			err = fmt.Errorf("compile: %v", p)
		}
	}()
	chunk, err := parse.Parse(strings.NewReader(src), name)
	if err != nil {
		return nil, err
	}
	return lua.Compile(wrap(chunk), name)
}

// chunkID is how Lua 5.1 shows the name of a chunk in messages.
func chunkID(name string) string {
	switch {
	case strings.HasPrefix(name, "="), strings.HasPrefix(name, "@"):
		return name[1:]
	}
	const room = 43 // of Lua's 60 bytes
	line, _, cut := strings.Cut(name, "\n")
	if len(line) > room {
		line, cut = line[:room], true
	}
	if cut {
		line += "..."
	}
	return `[string "` + line + `"]`
}
