package modules

import (
	lua "github.com/yuin/gopher-lua"

	"mydbg/script/lua51"
	"mydbg/script/sqltoken"
)

// freed marks a token that a script has let go.
const freed sqltoken.ID = -1

// tokens is a token list as scripts see it.
type tokens struct {
	list []sqltoken.Token
}

func (s *set) tokenizer() map[string]lua.LGFunction {
	l := s.l
	list, token := l.NewTable(), l.NewTable()
	for name, fn := range map[string]lua.LGFunction{
		"__index":    func(l *lua.LState) int { return tokensIndex(l, token) },
		"__newindex": tokensNewIndex,
		"__len":      tokensLen,
	} {
		list.RawSetString(name, l.NewFunction(fn))
	}
	token.RawSetString("__index", l.NewFunction(tokenIndex))
	return map[string]lua.LGFunction{"tokenize": func(l *lua.LState) int {
		l.Push(&lua.LUserData{Value: &tokens{sqltoken.Tokenize(stringArg(l, 1))}, Metatable: list, Env: l.Env})
		return 1
	}}
}

// self is argument 1 as an object of type T.
func self[T any](l *lua.LState) T {
	if ud, ok := l.Get(1).(*lua.LUserData); ok {
		if v, ok := ud.Value.(T); ok {
			return v
		}
	}
	var none T
	badArg(l, 1, "userdata expected, got "+lua51.TypeName(l, 1))
	return none
}

func tokensLen(l *lua.LState) int {
	l.Push(lua.LNumber(len(self[*tokens](l).list)))
	return 1
}

// at is the token that argument 2 is the number of; nil if there is none.
func (t *tokens) at(l *lua.LState) *sqltoken.Token {
	i := integerArg(l, 2)
	if i < 1 || i > len(t.list) || t.list[i-1].ID == freed {
		return nil
	}
	return &t.list[i-1]
}

func tokensIndex(l *lua.LState, class *lua.LTable) int {
	tok := self[*tokens](l).at(l)
	if tok == nil {
		l.Push(lua.LNil)
		return 1
	}
	l.Push(&lua.LUserData{Value: tok, Metatable: class, Env: l.Env})
	return 1
}

func tokensNewIndex(l *lua.LState) int {
	tok := self[*tokens](l).at(l)
	if l.Get(3) != lua.LNil {
		badArg(l, 3, "nil expected, got "+lua51.TypeName(l, 3))
	}
	if tok != nil {
		*tok = sqltoken.Token{ID: freed}
	}
	return 0
}

func tokenIndex(l *lua.LState) int {
	tok := self[*sqltoken.Token](l)
	switch k := stringArg(l, 2); k {
	case "text":
		l.Push(lua.LString(tok.Text))
	case "token_id":
		l.Push(lua.LNumber(tok.ID))
	case "token_name":
		l.Push(lua.LString(tok.ID.Name()))
	default:
		l.RaiseError("tokens[...] has no %s field", k)
	}
	return 1
}
