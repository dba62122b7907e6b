package sqltext

import (
	"net/url"
	"strings"
)

// tags reads key='value', key:value and key=value from /* */ comments.
func tags(toks []token) map[string]string {
	var found map[string]string
	for _, t := range toks {
		if t.kind != comment || !strings.HasPrefix(t.text, "/*") {
			continue
		}
		body := strings.TrimSuffix(t.text[2:], "*/")
		for body != "" {
			var part string
			part, body = cutTag(body)
			if key, value, ok := tag(part); ok {
				if found == nil {
					found = map[string]string{}
				}
				found[key] = value
			}
		}
	}
	return found
}

// cutTag cuts at the first comma outside quotes.
func cutTag(s string) (part, rest string) {
	quoted := false
	for i := 0; i < len(s); i++ {
		switch {
		case s[i] == '\\' && quoted:
			i++
		case s[i] == '\'':
			quoted = !quoted
		case s[i] == ',' && !quoted:
			return s[:i], s[i+1:]
		}
	}
	return s, ""
}

func tag(s string) (key, value string, ok bool) {
	i := strings.IndexAny(s, ":=")
	if i < 0 {
		return "", "", false
	}
	key, value = strings.TrimSpace(s[:i]), strings.TrimSpace(s[i+1:])
	for j := range len(key) {
		if c := key[j]; !isWord(c) && c != '%' && c != '-' && c != '.' {
			return "", "", false
		}
	}
	if len(value) >= 2 && value[0] == '\'' && value[len(value)-1] == '\'' {
		value = strings.ReplaceAll(value[1:len(value)-1], `\'`, `'`)
	}
	key, value = unescaped(key), unescaped(value)
	return key, value, key != "" && value != ""
}

// unescaped decodes %41; text that only looks like it stays as it is.
func unescaped(s string) string {
	if u, err := url.PathUnescape(s); err == nil {
		return u
	}
	return s
}
