package modules

import (
	"bufio"
	"crypto/md5"
	"encoding/hex"
	"os"
	"strconv"
	"strings"
	"time"

	lua "github.com/yuin/gopher-lua"
)

func (s *set) glib() map[string]lua.LGFunction {
	return map[string]lua.LGFunction{
		"usleep": func(l *lua.LState) int {
			s.Sleep(l, time.Duration(integerArg(l, 1))*time.Microsecond)
			return 0
		},
		"md5": func(l *lua.LState) int {
			sum := md5.Sum([]byte(stringArg(l, 1)))
			l.Push(lua.LString(hex.EncodeToString(sum[:])))
			return 1
		},
		"get_current_time": func(l *lua.LState) int {
			now := time.Now()
			t := l.NewTable()
			t.RawSetString("tv_sec", lua.LNumber(now.Unix()))
			t.RawSetString("tv_usec", lua.LNumber(now.Nanosecond()/1000))
			l.Push(t)
			return 1
		},
	}
}

func (s *set) posix() map[string]lua.LGFunction {
	return map[string]lua.LGFunction{
		"getpid":   func(l *lua.LState) int { l.Push(lua.LNumber(os.Getpid())); return 1 },
		"getuid":   func(l *lua.LState) int { l.Push(lua.LNumber(os.Getuid())); return 1 },
		"getpwuid": getpwuid,
		"kill": func(l *lua.LState) int {
			status := 0
			if kill(integerArg(l, 1), integerArg(l, 2)) != nil {
				status = -1
			}
			l.Push(lua.LNumber(status))
			return 1
		},
	}
}

// passwd is where a system keeps its users.
const passwd = "/etc/passwd"

func getpwuid(l *lua.LState) int {
	uid := strconv.Itoa(integerArg(l, 1))
	f, err := os.Open(passwd)
	if err != nil {
		l.Push(lua.LNil)
		return 1
	}
	defer f.Close()
	for in := bufio.NewScanner(f); in.Scan(); {
		user := strings.Split(in.Text(), ":")
		if len(user) < 7 || user[2] != uid {
			continue
		}
		t := l.NewTable()
		t.RawSetString("name", lua.LString(user[0]))
		t.RawSetString("dir", lua.LString(user[5]))
		t.RawSetString("shell", lua.LString(user[6]))
		for i, name := range map[int]string{2: "uid", 3: "gid"} {
			n, _ := strconv.Atoi(user[i])
			t.RawSetString(name, lua.LNumber(n))
		}
		l.Push(t)
		return 1
	}
	l.Push(lua.LNil)
	return 1
}
