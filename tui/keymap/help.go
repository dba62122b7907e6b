package keymap

import (
	"fmt"
	"strings"

	"mydbg/tui/safe"
)

// Section is a part of the help.
type Section struct {
	Group   Group
	Actions []Action
}

// Help returns everything that can be done in c, by group. Actions without a key are there too: the palette and the
// command line reach them.
func (m *Map) Help(c Context) []Section {
	all := m.Actions(c)
	var sections []Section
	for _, g := range groups {
		s := Section{Group: g}
		for _, a := range all {
			if a.Group == g {
				s.Actions = append(s.Actions, a)
			}
		}
		if len(s.Actions) > 0 {
			sections = append(sections, s)
		}
	}
	return sections
}

// Part is one hint of the footer.
type Part struct {
	ID        ID
	Key, Text string
}

// Footer returns the hints of the given actions that fit into w cells when written by FooterText, first come first
// served; actions that have no key in c are left out. When not all fit, the last one is the help.
func (m *Map) Footer(c Context, ids []ID, w int) []Part {
	var parts []Part
	for _, id := range ids {
		if a, ok := m.Action(c, id); ok && a.Key() != "" {
			parts = append(parts, Part{ID: id, Key: a.Key(), Text: a.Short})
		}
	}
	if partsWidth(parts) <= w {
		return parts
	}
	var more []Part
	if a, ok := m.Action(c, Help); ok && a.Key() != "" {
		more = []Part{{ID: Help, Key: a.Key(), Text: "more"}}
	}
	for n := len(parts); n >= 0; n-- {
		if n > 0 && parts[n-1].ID == Help {
			continue
		}
		some := append(parts[:n:n], more...)
		if partsWidth(some) <= w {
			return some
		}
	}
	return nil
}

// FooterText is Footer as plain text: a space, then key and text with two spaces between hints.
func (m *Map) FooterText(c Context, ids []ID, w int) string {
	var out strings.Builder
	for i, p := range m.Footer(c, ids, w) {
		out.WriteString(footerGap(i))
		out.WriteString(p.Key + " " + p.Text)
	}
	return out.String()
}

func footerGap(i int) string {
	if i == 0 {
		return " "
	}
	return "  "
}

func partsWidth(parts []Part) (w int) {
	for i, p := range parts {
		w += len(footerGap(i)) + safe.Width(p.Key) + 1 + safe.Width(p.Text)
	}
	return w
}

// contextTitles head the tables of Markdown; InMain needs none.
var contextTitles = map[Context]string{
	InList:      "In lists",
	InInspector: "In the inspector",
	InRecording: "In a recording",
	InScripts:   "In the Lua pane",
	InEditor:    "In editors and forms",
	InGrid:      "In a result set being edited",
	InSnippet:   "In the Lua prompt",
	InPrompt:    "In prompts",
	InConfirm:   "In questions",
	InQuit:      "In the quit dialog",
}

// Markdown returns the tables of the README.
func (m *Map) Markdown() string {
	var out strings.Builder
	for _, c := range contexts {
		if len(m.actions[c]) == 0 {
			continue
		}
		if title := contextTitles[c]; title != "" {
			fmt.Fprintf(&out, "\n%s:\n\n", title)
		}
		out.WriteString("| | keys | | command |\n|---|---|---|---|\n")
		for _, g := range groups {
			heading := string(g)
			for _, a := range m.actions[c] {
				if a.Group != g {
					continue
				}
				fmt.Fprintf(&out, "| %s | %s | %s | %s |\n",
					heading, markdownKeys(a.Keys), markdownCell(a.Long), markdownKeys(strings.Fields(a.Command())))
				heading = ""
			}
		}
	}
	return out.String()
}

func markdownKeys(keys []string) string {
	quoted := make([]string, len(keys))
	for i, k := range keys {
		switch k {
		case "`":
			quoted[i] = "`` ` ``"
		default:
			quoted[i] = "`" + markdownCell(k) + "`"
		}
	}
	return strings.Join(quoted, " ")
}

func markdownCell(s string) string { return strings.ReplaceAll(s, "|", `\|`) }
