package corpus

import (
	"bytes"
	"fmt"
	"reflect"
	"strings"
	"testing"

	"mydbg/mysqlwire"
	"mydbg/mysqlwire/wiretext"
)

// huge payloads are not shown field by field: quoting 16 MiB takes longer than all the rest.
const huge = 1 << 20

func load(t *testing.T, name string) *wiretext.Conversation {
	t.Helper()
	c, err := Load(name)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func TestEveryPacketIsUnderstood(t *testing.T) {
	for _, name := range Files() {
		t.Run(name, func(t *testing.T) {
			n := 0
			for e := range load(t, name).Explain() {
				n++
				if err := check(e); err != nil {
					t.Errorf("packet %d, %s %d %s: %v\n% x", n, e.Dir, e.Seq, e.Kind, err, e.Payload[:min(len(e.Payload), 400)])
				}
			}
			if n == 0 {
				t.Error("is empty")
			}
		})
	}
}

// check asks everything of one packet.
func check(e wiretext.Explained) error {
	if e.Err != nil {
		return e.Err
	}
	if e.Frame.Kind != e.Kind {
		return fmt.Errorf("derived kind is %s", e.Frame.Kind)
	}
	if e.Kind == mysqlwire.KindOpaque || e.Kind == mysqlwire.KindUnknown {
		return fmt.Errorf("nobody knows what it is")
	}
	m, err := mysqlwire.Decode(e.Kind, e.Payload, e.Context)
	if err != nil {
		return err
	}
	if k := m.Kind(); k != e.Kind && !(e.Kind == mysqlwire.KindParam && k == mysqlwire.KindColumn) {
		return fmt.Errorf("its message is a %s", k)
	}
	again, err := m.Encode(nil, e.Context)
	if err != nil {
		return err
	}
	if !bytes.Equal(again, e.Payload) {
		return fmt.Errorf("encodes to\n% x", again[:min(len(again), 400)])
	}
	if len(e.Payload) > huge {
		return nil
	}
	tree, err := mysqlwire.Dissect(e.Kind, e.Payload, e.Context)
	if err != nil {
		return fmt.Errorf("dissect: %w", err)
	}
	return covered(tree, 0, len(e.Payload))
}

// covered checks that fields follow each other from off to end, those of groups too.
func covered(fields []mysqlwire.Field, off, end int) error {
	for _, f := range fields {
		if f.Off != off || f.Len < 0 || f.Off+f.Len > end {
			return fmt.Errorf("field %s is bytes %d to %d, want from %d, at most to %d", f.Name, f.Off, f.Off+f.Len, off, end)
		}
		if f.Children != nil {
			if err := covered(f.Children, f.Off, f.Off+f.Len); err != nil {
				return fmt.Errorf("%s: %w", f.Name, err)
			}
		}
		off += f.Len
	}
	if off != end {
		return fmt.Errorf("no field has bytes %d to %d", off, end)
	}
	return nil
}

func TestConversationsEndWhereTheySay(t *testing.T) {
	for _, name := range Files() {
		c, open := load(t, name), false
		for e := range c.Explain() {
			open = !e.Frame.Ends && (open || e.Frame.Begins)
		}
		if cut := c.Fact("ends") != ""; open != cut {
			t.Errorf("%s: ends in the middle of an answer: %t, want %t", name, open, cut)
		}
	}
}

func TestTextRoundTrip(t *testing.T) {
	for _, name := range Files() {
		c := load(t, name)
		again, err := wiretext.Parse(c.String())
		if err != nil {
			t.Errorf("%s: %v", name, err)
		} else if !reflect.DeepEqual(again, c) {
			t.Errorf("%s reads differently when it was written again", name)
		}
	}
}

// TestEveryServerHasEveryKind says what a newly recorded corpus has lost.
func TestEveryServerHasEveryKind(t *testing.T) {
	const mariadb, mysql, mysql56 = "mariadb mariadb11", "mysql", "mysql56"
	const every = mariadb + " " + mysql + " " + mysql56
	seen := map[string]map[mysqlwire.Kind]bool{}
	for _, name := range Files() {
		server, _, _ := strings.Cut(name, "/")
		if seen[server] == nil {
			seen[server] = map[mysqlwire.Kind]bool{}
		}
		for _, p := range load(t, name).Packets() {
			seen[server][p.Kind] = true
		}
	}
	for k, servers := range map[mysqlwire.Kind]string{
		mysqlwire.KindGreeting: every, mysqlwire.KindLogin: every, mysqlwire.KindAuthSwitch: every, mysqlwire.KindAuthData: every,
		mysqlwire.KindAuthMore: mysql, mysqlwire.KindOK: every, mysqlwire.KindERR: every, mysqlwire.KindEOF: every,
		mysqlwire.KindProgress: mariadb, mysqlwire.KindColumnCount: every, mysqlwire.KindColumn: every, mysqlwire.KindTextRow: every,
		mysqlwire.KindBinaryRow: every, mysqlwire.KindPrepareOK: every, mysqlwire.KindParam: every, mysqlwire.KindLocalInfile: every,
		mysqlwire.KindFileData: every, mysqlwire.KindStatistics: every, mysqlwire.KindBinlogEvent: every, mysqlwire.KindQuit: every,
		mysqlwire.KindInitDB: every, mysqlwire.KindQuery: every, mysqlwire.KindFieldList: every, mysqlwire.KindRefresh: every,
		mysqlwire.KindStatisticsCommand: every, mysqlwire.KindProcessInfo: every, mysqlwire.KindProcessKill: every, mysqlwire.KindDebug: every,
		mysqlwire.KindPing: every, mysqlwire.KindChangeUser: every, mysqlwire.KindBinlogDump: every, mysqlwire.KindRegisterSlave: every,
		mysqlwire.KindStmtPrepare: every, mysqlwire.KindStmtExecute: every, mysqlwire.KindStmtSendLongData: every,
		mysqlwire.KindStmtClose: every, mysqlwire.KindStmtReset: every, mysqlwire.KindSetOption: every, mysqlwire.KindStmtFetch: every,
		mysqlwire.KindBinlogDumpGTID: mysql + " " + mysql56, mysqlwire.KindResetConnection: mariadb + " " + mysql,
		mysqlwire.KindStmtBulkExecute: mariadb, mysqlwire.KindOtherCommand: every,
	} {
		for _, server := range strings.Fields(servers) {
			if !seen[server][k] {
				t.Errorf("%s has no %s", server, k)
			}
		}
	}
}

// TestRecordsHoldNoSecrets looks for proofs that were not zeroed and for scrambles.
func TestRecordsHoldNoSecrets(t *testing.T) {
	const scramble = "abcdefghijklmnopqrstuvwxyzABCDEF"
	for _, name := range Files() {
		for e := range load(t, name).Explain() {
			m, err := mysqlwire.Decode(e.Kind, e.Payload, e.Context)
			if err != nil {
				continue // told by another test
			}
			switch m := m.(type) {
			case *mysqlwire.Greeting:
				if !strings.HasPrefix(scramble, string(m.Scramble)) {
					t.Errorf("%s: scramble %q", name, m.Scramble)
				}
			case *mysqlwire.AuthSwitch:
				if !strings.HasPrefix(scramble, string(m.Scramble())) {
					t.Errorf("%s: scramble %q", name, m.Scramble())
				}
			}
			if b := mysqlwire.BlankPayload(e.Kind, e.Payload, e.Context); !bytes.Equal(b, e.Payload) && len(e.Payload) > 1 {
				t.Errorf("%s: %s is not blank: % x", name, e.Kind, e.Payload)
			}
		}
	}
}
