package script

import (
	"os"
	"sync"

	lua "github.com/yuin/gopher-lua"

	"mydbg/script/lua51"
)

// source is a script file and its compiled code, which is made anew when the file has changed.
type source struct {
	path string
	text []byte // the code itself, where path is only a name; nil for a file

	mu    sync.Mutex
	proto *lua.FunctionProto // nil when there is no valid code
	mtime int64              // whole seconds, of the code in proto
	size  int64
}

// load returns the code of the file as it is now.
func (s *source) load() (*lua.FunctionProto, *Error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.text != nil {
		if s.proto != nil {
			return s.proto, nil
		}
		var bad *Error
		s.proto, bad = s.compile()
		return s.proto, bad
	}
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
	if s.text != nil {
		return s.proto, nil
	}
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
	src := s.text
	if src == nil {
		var err error
		if src, err = os.ReadFile(s.path); err != nil {
			return nil, &Error{Script: s.path, Msg: err.Error()}
		}
	}
	proto, err := lua51.CompileScript(src, s.path)
	if err != nil {
		return nil, compileError(err, s.path)
	}
	return proto, nil
}
