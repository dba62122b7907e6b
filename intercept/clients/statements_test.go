package clients

import (
	"encoding/hex"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
)

// A step is a line of the statements, with those that begin with "with".
type step struct {
	line          int
	command, text string
	params        [][]any // int64, float64, string, []byte, nil
}

// steps are all statements, with %FILE% and the like as they are.
var steps = sync.OnceValue(func() []step {
	text, err := os.ReadFile(filepath.Join("testdata", "statements.txt"))
	if err != nil {
		panic(err)
	}
	var list []step
	for i, line := range strings.Split(string(text), "\n") {
		command, rest, _ := strings.Cut(line, " ")
		switch {
		case line == "" || line[0] == '#':
		case command == "with":
			last := &list[len(list)-1]
			last.params = append(last.params, params(rest))
		default:
			list = append(list, step{line: i + 1, command: command, text: rest})
		}
	}
	return list
})

func params(words string) []any {
	list := []any{}
	for w := range strings.FieldsSeq(words) {
		kind, text, _ := strings.Cut(w, ":")
		text, err := url.PathUnescape(text)
		var v any
		switch kind {
		case "i":
			v, err = strconv.ParseInt(text, 10, 64)
		case "d":
			v, err = strconv.ParseFloat(text, 64)
		case "s":
			v = text
		case "b":
			v, err = hex.DecodeString(text)
		}
		if err != nil {
			panic(fmt.Errorf("parameter %q: %w", w, err))
		}
		list = append(list, v)
	}
	return list
}

// bigLines are the numbers of lines with which programs begin what only runs with long packets have.
var bigLines = sync.OnceValue(func() map[string]bool {
	lines := map[string]bool{}
	for _, s := range steps() {
		if s.command == "big" {
			lines[strconv.Itoa(s.line)] = true
		}
	}
	return lines
})

// long is more than a frame has room for.
var long = strings.Repeat("b", 1<<24)

// text is a statement's text in a task.
func (k *task) text(s step) string {
	return strings.NewReplacer("%FILE%", k.upload, "DATABASE", k.db, "%BIG%", long).Replace(s.text)
}
