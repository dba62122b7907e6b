package clients

import (
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// commandLine is a command-line client of the lab or of the system. tls are its options, separated by
// blanks, for a connection with TLS, plain those for one without, compressing that for compression.
func commandLine(name, compressing, tls string, plain ...string) func(*testing.T, *task) (string, error) {
	return func(t *testing.T, k *task) (string, error) {
		path, err := exec.LookPath(name)
		if dir := os.Getenv("LAB_BIN"); dir != "" {
			if own := filepath.Join(dir, name); exec.CommandContext(t.Context(), own, "--version").Run() == nil {
				path, err = own, nil
			}
		}
		if err != nil {
			t.Skipf("%s is not there: %v", name, err)
		}
		host, port, _ := net.SplitHostPort(k.addr)
		argv := []string{
			path, "--no-defaults", "--protocol=tcp", "-h", host, "-P", port, "-u", k.server.User, "-D", k.db, "--default-character-set=utf8mb4",
			"--batch", "-vv", "--force", "--column-type-info", "--show-warnings", "--local-infile=1", "--max-allowed-packet=128M", "--comments", "--named-commands",
		}
		if k.tls {
			argv = append(argv, strings.Fields(tls)...)
		} else {
			argv = append(argv, plain...)
		}
		if k.pack {
			argv = append(argv, compressing)
		}
		out, err := start(t, append(os.Environ(), "MYSQL_PWD="+k.server.Password), k.typed(name == "mysql"), argv...)
		return out, err
	}
}

// typed is what somebody would type. The clients of MySQL have commands that others do not have.
func (k *task) typed(mysql bool) string {
	var b strings.Builder
	b.WriteString("delimiter //\n")
	for _, s := range steps() {
		text := k.text(s)
		fmt.Fprintf(&b, "select 'line %d'\n//\n", s.line)
		switch s.command {
		case "big":
			if !k.big {
				b.WriteString("\n\n") // errors tell their line
				continue
			}
			fmt.Fprintf(&b, "select length(x), left(x, 3), right(x, 3) from (%s as x) d\n//\n", strings.TrimSuffix(text, ", 'after'"))
		case "query", "local":
			fmt.Fprintf(&b, "%s\n//\n", text)
		case "prepare", "cursor", "batch":
			fmt.Fprintf(&b, "prepare p from %s\n//\n", quoted(text))
			for _, list := range s.params {
				var names []string
				for i, v := range list {
					names = append(names, fmt.Sprintf("@p%d", i))
					fmt.Fprintf(&b, "set @p%d = %s\n//\n", i, literal(v))
				}
				using := strings.Join(names, ", ")
				if using != "" {
					using = " using " + using
				}
				fmt.Fprintf(&b, "execute p%s\n//\n", using)
			}
		case "use":
			fmt.Fprintf(&b, "use %s\n", text)
		case "change":
			fmt.Fprintf(&b, "connect %s\n", k.db)
		case "reset":
			if mysql {
				b.WriteString("resetconnection\n")
			}
		}
	}
	return b.String()
}

func quoted(text string) string {
	return "'" + strings.NewReplacer("\\", "\\\\", "'", "\\'").Replace(text) + "'"
}

func literal(v any) string {
	switch v := v.(type) {
	case nil:
		return "null"
	case string:
		return quoted(v)
	case []byte:
		return fmt.Sprintf("x'%x'", v)
	}
	return fmt.Sprint(v)
}
