// Command capture records the corpus: conversations with real servers, as text in testdata.
//
//	go run ./mysqlwire/corpus/capture [-dir mysqlwire/corpus/testdata] [-only topic]
//
// It speaks to every server whose LAB_<NAME>_DSN is set (user:password@tcp(host:port)/schema), with
// the sets of capabilities below, and plays the topics of topics.go. What a client proves itself
// with is zeroed and scrambles are replaced, so no record holds a secret.
package main

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"

	"mydbg/mysqlwire"
	"mydbg/mysqlwire/wiretext"
)

// servers are the names in the environment and of the folders.
var servers = []string{"MARIADB", "MARIADB11", "MYSQL", "MYSQL56"}

var dsnForm = regexp.MustCompile(`^([^:]*):([^@]*)@tcp\(([^)]*)\)/(\w+)$`)

// server is one server to record.
type server struct {
	name, user, password, addr, db string
}

func main() {
	dir := flag.String("dir", "mysqlwire/corpus/testdata", "where the records go")
	only := flag.String("only", "", "play only topics that begin with this")
	flag.Parse()
	failed := false
	for _, name := range servers {
		m := dsnForm.FindStringSubmatch(os.Getenv("LAB_" + name + "_DSN"))
		if m == nil {
			fmt.Fprintf(os.Stderr, "%s is left out: no LAB_%s_DSN\n", name, name)
			continue
		}
		s := server{name: strings.ToLower(name), user: m[1], password: m[2], addr: m[3], db: m[4]}
		if err := s.record(*dir, *only); err != nil {
			fmt.Fprintln(os.Stderr, err)
			failed = true
		}
	}
	if failed {
		os.Exit(1)
	}
}

// record plays all topics and writes a file for each that worked.
func (s server) record(dir, only string) error {
	if err := os.MkdirAll(filepath.Join(dir, s.name), 0o777); err != nil {
		return fmt.Errorf("make folder: %w", err)
	}
	var failures []string
	for _, t := range topics() {
		if !strings.HasPrefix(t.name, only) || t.mariadb && !strings.HasPrefix(s.name, "mariadb") || t.mysql && !strings.HasPrefix(s.name, "mysql") {
			continue
		}
		for _, set := range t.sets {
			c := &client{server: s, want: capSets[set]}
			t.play(c)
			c.close()
			name := t.name
			if len(t.sets) > 1 {
				name += "-" + set
			}
			if c.err != nil {
				failures = append(failures, fmt.Sprintf("%s %s: %v\n%s", s.name, name, c.err, wiretext.New(nil, c.packets...)))
				continue
			}
			facts := []wiretext.Fact{{Name: wiretext.FactServer, Value: c.version}, {Name: "topic", Value: t.name}, {Name: "client", Value: set}}
			if c.cut {
				facts = append(facts, wiretext.Fact{Name: "ends", Value: "in the middle of an answer"})
			}
			conv := wiretext.New(facts, c.packets...)
			if err := os.WriteFile(filepath.Join(dir, s.name, name+".txt"), []byte(conv.String()), 0o666); err != nil {
				return fmt.Errorf("write record: %w", err)
			}
		}
	}
	if failures != nil {
		return fmt.Errorf("%s", strings.Join(failures, "\n"))
	}
	return nil
}

// capSets are what clients ask for. The server's own are the limit.
var capSets = map[string]mysqlwire.Caps{
	"plain":  plainCaps,
	"modern": modernCaps,
	"full":   fullCaps,
	"eof":    fullCaps &^ mysqlwire.DeprecateEOF,
}

const (
	plainCaps = mysqlwire.Protocol41 | mysqlwire.SecureConnection | mysqlwire.PluginAuth | mysqlwire.LongFlag | mysqlwire.Transactions |
		mysqlwire.MultiResults | mysqlwire.MultiStatements | mysqlwire.LocalFiles | mysqlwire.ConnectWithDB
	modernCaps = plainCaps | mysqlwire.DeprecateEOF | mysqlwire.PSMultiResults | mysqlwire.PluginAuthLenencClientData | mysqlwire.ConnectAttrs |
		mysqlwire.CanHandleExpiredPasswords | mysqlwire.QueryAttributes
	fullCaps = modernCaps | mysqlwire.SessionTrack | mysqlwire.OptionalResultsetMetadata | mysqlwire.MariaDBProgress |
		mysqlwire.MariaDBStmtBulkOperations | mysqlwire.MariaDBExtendedMetadata | mysqlwire.MariaDBCacheMetadata | mysqlwire.MariaDBBulkUnitResults
)
