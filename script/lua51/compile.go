package lua51

import (
	"bytes"
	"errors"
	"fmt"
	"strings"

	lua "github.com/yuin/gopher-lua"
	"github.com/yuin/gopher-lua/ast"
	"github.com/yuin/gopher-lua/parse"
)

// CompileScript makes code that, when run, returns the script as a function without "...": every
// connection gets a closure of its own. Line numbers are those of the file.
func CompileScript(src []byte, path string) (*lua.FunctionProto, error) {
	defer called(ChunkID(path), path) // after it is remembered
	return compileWith(string(src), ChunkID(path), func(chunk []ast.Stmt) []ast.Stmt {
		fn := &ast.FunctionExpr{ParList: &ast.ParList{}, Stmts: chunk}
		fn.SetLine(1)
		fn.SetLastLine(1 + bytes.Count(src, []byte{'\n'}))
		ret := &ast.ReturnStmt{Exprs: []ast.Expr{fn}}
		ret.SetLine(1)
		ret.SetLastLine(1)
		return []ast.Stmt{ret}
	})
}

// CompileChunk makes code that runs when it is called.
func CompileChunk(src, name string) (*lua.FunctionProto, error) {
	return compileWith(src, name, func(chunk []ast.Stmt) []ast.Stmt { return chunk })
}

func compileWith(src, name string, wrap func([]ast.Stmt) []ast.Stmt) (proto *lua.FunctionProto, err error) {
	remember(name, src)
	defer func() { // the compiler panics on some constructs
		if p := recover(); p != nil {
			err = fmt.Errorf("compile: %v", p)
		}
	}()
	chunk, err := parse.Parse(strings.NewReader(src), name)
	if err != nil {
		return nil, err
	}
	return lua.Compile(wrap(rewriteBlock(chunk)), name)
}

// The room that Lua 5.1 has for names in messages.
const (
	nameRoom = 60
	fileRoom = nameRoom - len(" '...' ") - 1
	textRoom = nameRoom - len(` [string "..."] `) - 1
)

// ChunkID is how Lua 5.1 shows the name of a chunk in messages: "@" is before the name of a file, "="
// before a name that stays as it is, anything else is the text of the chunk.
func ChunkID(name string) string {
	switch {
	case strings.HasPrefix(name, "="):
		return name[1:min(len(name), nameRoom)]
	case strings.HasPrefix(name, "@"):
		if name = name[1:]; len(name) > fileRoom {
			name = "..." + name[len(name)-fileRoom:]
		}
		return name
	}
	line := name
	if i := strings.IndexAny(line, "\r\n"); i >= 0 {
		line = line[:i]
	}
	line = line[:min(len(line), textRoom)]
	if len(line) < len(name) {
		line += "..."
	}
	return `[string "` + line + `"]`
}

// SyntaxError takes apart an error of CompileScript or CompileChunk. The line is 0 if it is not known.
func SyntaxError(err error) (line int, msg string) {
	var syntax *parse.Error
	var compile *lua.CompileError
	switch {
	case errors.As(err, &syntax):
		line, msg = syntax.Pos.Line, strings.TrimSpace(syntax.Message)
		switch {
		case syntax.Pos.Line == parse.EOF:
			return 0, "unexpected symbol near '<eof>'" // the caller knows the last line
		case msg == "syntax error" || msg == "parse error":
			msg = "unexpected symbol near '" + syntax.Token + "'"
		case syntax.Token != "":
			msg += " near '" + syntax.Token + "'"
		}
		return line, msg
	case errors.As(err, &compile):
		msg = compile.Message
		if msg == "cannot use '...' outside a vararg function" {
			msg += " near '...'"
		}
		return compile.Line, msg
	}
	return 0, err.Error()
}
