package detail

import (
	"fmt"
	"strings"
	"time"

	"mydbg/intercept"
	"mydbg/intercept/compress"

	"github.com/charmbracelet/x/ansi"
)

// sessionLines is the Session tab in lines of w cells: what is known of the connection.
func (m *Model) sessionLines(w int) []string {
	c := &m.s.Conn
	var lines []string
	add := func(name, text string) {
		if text != "" {
			lines = append(lines, m.fact(name, text, w)...)
		}
	}
	head := func(text string) {
		if len(lines) > 0 {
			lines = append(lines, "")
		}
		lines = append(lines, m.th.Strong.Render(text))
	}
	lines = m.failureLines(w)
	head(fmt.Sprintf("connection #%d", c.ID))
	add("state", m.phase(c))
	add("client", c.Client+"  to "+c.Listen)
	add("via", c.Via)
	backend := c.Backend
	if backend == "" {
		backend = "not connected"
	} else if c.BackendIndex > 0 {
		backend += fmt.Sprintf("  (backend %d)", c.BackendIndex)
	}
	add("server", backend)
	if c.Server != "" {
		kind := "MySQL"
		if c.MariaDB {
			kind = "MariaDB"
		}
		add("version", fmt.Sprintf("%s  %s  thread %d", kind, c.Server, c.Thread))
	}
	add("TLS", fmt.Sprintf("client %s, server %s", tlsText(c.ClientTLS), tlsText(c.ServerTLS)))
	if c.ClientCert != nil {
		add("client cert", c.ClientCert.String())
	}
	if c.ServerCert != nil {
		add("server cert", c.ServerCert.String())
	}
	add("compression", compressionText(c))
	add("opaque", opaqueText(c.Opaque))

	head("login")
	add("user", c.User)
	add("database", orNone(c.DB))
	add("plugin", c.AuthPlugin)
	for i, step := range c.Login {
		add(fmt.Sprintf("step %d", i+1), step)
	}

	head("state")
	add("transaction", m.transaction(c))
	add("status", statusText(c.Status))
	if c.Charset != "" || c.Results != "" {
		add("texts", charsetText(c))
	}
	add("statements", many(c.Statements, "prepared statement open", "prepared statements open"))
	add("commands", count(c.Commands))
	if c.Step != intercept.Continue {
		add("stops", stepText(c.Step))
	}
	if c.Stream != nil {
		head("binary log")
		lines = append(lines, m.streamLines(c.Stream, w)...)
	}
	if len(c.Attrs) > 0 {
		head("attributes of the client")
		for _, a := range c.Attrs {
			lines = append(lines, m.entry(a.Name, "", a.Value, m.th.Value, w))
		}
	}
	if names := c.Caps.Names(); len(names) > 0 {
		head("capabilities agreed")
		lines = append(lines, m.dim(strings.Join(names, " "), w)...)
	}
	return lines
}

// streamLines say what a replica has been sent.
func (m *Model) streamLines(s *intercept.Stream, w int) []string {
	if s == nil {
		return nil
	}
	lines := m.fact("events", many(s.Events, "event", "events")+", "+bytesOf(int(s.Bytes)), w)
	if s.File != "" {
		lines = append(lines, m.fact("log", fmt.Sprintf("%s at %s", s.File, count(s.Position)), w)...)
	}
	if s.GTID != "" {
		lines = append(lines, m.fact("transaction", s.GTID, w)...)
	}
	if s.Acks > 0 {
		lines = append(lines, m.fact("acks", count(s.Acks)+" by the replica (semi-synchronous)", w)...)
	}
	width := 0
	for _, c := range s.Counts {
		width = max(width, len(count(c.N)))
	}
	for _, c := range s.Counts {
		lines = append(lines, m.dim(fmt.Sprintf("  %*s  %s", width, count(c.N), c.Type), w)...)
	}
	return lines
}

// charsetText says which character sets a connection speaks.
func charsetText(c *intercept.ConnInfo) string {
	sent, got := c.Charset, c.Results
	if sent == "" {
		sent = "a set that is not known, taken for UTF-8"
	}
	switch got {
	case c.Charset:
		return sent
	case "":
		got = "as their columns are"
	}
	return "statements in " + sent + ", results " + got
}

// sessionText is the Session tab for the clipboard.
func (m *Model) sessionText() string {
	return strings.TrimSpace(ansi.Strip(strings.Join(m.sessionLines(100), "\n")))
}

func (m *Model) phase(c *intercept.ConnInfo) string {
	text := c.Phase.String()
	if !c.Opened.IsZero() {
		end := m.now()
		if !c.Closed.IsZero() {
			end = c.Closed
		}
		text += fmt.Sprintf(", since %s, %s", c.Opened.Format(time.TimeOnly), clock(end.Sub(c.Opened)))
	}
	if c.Cause != "" {
		text += ": " + c.Cause
	}
	return text
}

func (m *Model) transaction(c *intercept.ConnInfo) string {
	if c.TxSince.IsZero() {
		return "none open"
	}
	return fmt.Sprintf("open for %s, %s; it may hold locks", clock(m.now().Sub(c.TxSince)), many(c.TxCommands, "command", "commands"))
}

func tlsText(s string) string {
	if s == "" {
		return "plain"
	}
	return s
}

// compressionText is "" where neither leg is compressed, nor should be.
func compressionText(c *intercept.ConnInfo) string {
	if c.ClientCompress.Algorithm == compress.None && c.ServerCompress.Algorithm == compress.None {
		return c.Uncompressed
	}
	leg := func(s compress.Stats) string {
		if s.Algorithm == compress.None {
			return "none"
		}
		return fmt.Sprintf("%s, %s as %s (%.0f%%)", s.Algorithm, bytesOf(int(s.In+s.Out)), bytesOf(int(s.WireIn+s.WireOut)), 100*s.Ratio())
	}
	text := fmt.Sprintf("client %s; server %s", leg(c.ClientCompress), leg(c.ServerCompress))
	if c.Uncompressed != "" {
		text += ". But " + c.Uncompressed
	}
	return text
}

func orNone(s string) string {
	if s == "" {
		return "none"
	}
	return s
}

func opaqueText(why string) string {
	if why == "" {
		return ""
	}
	return "relayed without being followed: " + why + ". Breakpoints do not work on this connection any more."
}

func stepText(s intercept.StepMode) string {
	switch s {
	case intercept.StepEvent:
		return "at its next hook event"
	case intercept.StepNext:
		return "at its next command"
	case intercept.StepFinish:
		return "at the end of the running answer"
	case intercept.StepCommit:
		return "at the first command after the transaction"
	}
	return "at breakpoints only"
}
