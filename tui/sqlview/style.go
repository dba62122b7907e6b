package sqlview

import (
	"strings"

	"github.com/alecthomas/chroma/v2"

	"mydbg/tui/safe"
	"mydbg/tui/theme"
)

// A stretch is bytes of one token type.
type stretch struct {
	end int // in the text
	of  chroma.TokenType
}

// styled wraps clean text and styles the lines, in this order: a break must not fall into an escape sequence.
func styled(t *theme.Theme, lex chroma.Lexer, text string, w int) []string {
	stretches := tokens(lex, text)
	lines := safe.Wrap(text, w)
	pos := 0
	for i, line := range lines {
		// Wrapping keeps every byte but newlines, a space at the end of a full line, and what is too wide for w.
		for _, dropped := range [2]byte{' ', '\n'} {
			if i > 0 && pos < len(text) && text[pos] == dropped {
				pos++
			}
		}
		if !strings.HasPrefix(text[pos:], line) {
			return safe.Wrap(text, w) // something was replaced, in a window of one or two cells: no place for styles
		}
		lines[i], stretches = style(t, stretches, line, pos)
		pos += len(line)
	}
	return lines
}

// tokens returns the token types of text. A lexer that fails, or that does not give back the text it was given, has no
// say: the text is what counts.
func tokens(lex chroma.Lexer, text string) []stretch {
	var all []stretch
	it, err := lex.Tokenise(&chroma.TokeniseOptions{State: "root", EnsureLF: false}, text)
	if err != nil {
		return []stretch{{len(text), chroma.Text}}
	}
	pos := 0
	for tok := it(); tok != chroma.EOF; tok = it() {
		if !strings.HasPrefix(text[pos:], tok.Value) {
			return []stretch{{len(text), chroma.Text}}
		}
		pos += len(tok.Value)
		all = append(all, stretch{pos, tok.Type})
	}
	if pos < len(text) {
		all = append(all, stretch{len(text), chroma.Text})
	}
	return all
}

// style renders the line that begins at pos and returns the stretches from its end on.
func style(t *theme.Theme, stretches []stretch, line string, pos int) (string, []stretch) {
	var out strings.Builder
	for line != "" {
		for len(stretches) > 1 && stretches[0].end <= pos {
			stretches = stretches[1:]
		}
		n := min(max(stretches[0].end-pos, 0), len(line))
		if n == 0 {
			n = len(line)
		}
		out.WriteString(look(t, stretches[0].of).Render(line[:n]))
		line, pos = line[n:], pos+n
	}
	return out.String(), stretches
}

// look maps chroma's token types to meanings. Nothing else of chroma's styles is used.
func look(t *theme.Theme, of chroma.TokenType) theme.Style {
	switch {
	case of == chroma.KeywordConstant:
		return t.Number // NULL, TRUE: values
	case of == chroma.NameTag:
		return t.Key // names in JSON objects
	case of == chroma.NameFunction, of == chroma.NameBuiltin:
		return t.Function
	case of.InCategory(chroma.Keyword):
		return t.Keyword
	case of.InSubCategory(chroma.LiteralString):
		return t.String
	case of.InSubCategory(chroma.LiteralNumber):
		return t.Number
	case of.InCategory(chroma.Comment):
		return t.Comment
	case of.InCategory(chroma.Operator):
		return t.Operator
	case of == chroma.Punctuation:
		return t.Punctuation
	case of.InCategory(chroma.Name):
		return t.Ident
	default:
		return t.Text
	}
}
