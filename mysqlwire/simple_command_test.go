package mysqlwire

import (
	"reflect"
	"testing"
)

func TestCommandsRoundTrip(t *testing.T) {
	for _, tt := range []struct {
		name, hex string
		want      Message
	}{
		{"quit", "01", &Quit{}},
		{"quit with more", "01ff", &Quit{Rest: []byte{255}}},
		{"init db", "02 6c6162", &InitDB{Schema: "lab"}},
		{"field list", "04 7400 2500", &FieldList{Table: "t", Wildcard: "%\x00"}},
		{"refresh", "07 2e", &Refresh{Flags: 0x2e}},
		{"shutdown", "08 00", &Shutdown{Level: []byte{0}}},
		{"shutdown without level", "08", &Shutdown{}},
		{"statistics", "09", &StatisticsCommand{}},
		{"process info", "0a", &ProcessInfo{}},
		{"process kill", "0c 2a000000", &ProcessKill{ConnectionID: 42}},
		{"debug", "0d", &Debug{}},
		{"ping", "0e", &Ping{}},
		{"binlog dump of mysqlbinlog", "12 04000000 0100 00000000 6e6f2d73756368", &BinlogDump{Position: 4, Flags: 1, File: "no-such"}},
		{"register slave", "15 07000000 0268 31 0175 0170 ea0c 00000000 02000000 ff", &RegisterSlave{
			ServerID: 7, Host: "h1", User: "u", Password: []byte("p"), Port: 3306, MasterID: 2, Rest: []byte{255},
		}},
		{"long data", "18 01000000 0200 6869", &StmtSendLongData{StmtID: 1, Param: 2, Data: []byte("hi")}},
		{"long data without any", "18 01000000 0200", &StmtSendLongData{StmtID: 1, Param: 2}},
		{"stmt close", "19 01000000", &StmtClose{StmtID: 1}},
		{"stmt close with more", "19 01000000 ff", &StmtClose{StmtID: 1, Rest: []byte{255}}},
		{"stmt reset", "1a 01000000", &StmtReset{StmtID: 1}},
		{"set option", "1b 0100", &SetOption{Option: MultiStatementsOff}},
		{"stmt fetch", "1c 01000000 64000000", &StmtFetch{StmtID: 1, Rows: 100}},
		{"binlog dump of mysqlbinlog by GTIDs", "1e 0100 00000000 02000000 6e6f 0400000000000000 03000000 010203", &BinlogDumpGTID{
			Flags: 1, File: "no", Position: 4, GTIDs: []byte{1, 2, 3},
		}},
		{"reset connection", "1f", &ResetConnection{}},
		{"internal", "1d 01", &OtherCommand{Command: ComDaemon, Data: []byte{1}}},
		{"unknown", "77", &OtherCommand{Command: 0x77}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			k := Command(unspaced(t, tt.hex)[0]).Kind()
			if got := wantSameBytes(t, k, tt.hex, nil); !reflect.DeepEqual(got, tt.want) {
				t.Errorf("got  %+v\nwant %+v", got, tt.want)
			}
			if _, ok := tt.want.(ClientMessage); !ok {
				t.Error("is not a client's message")
			}
		})
	}
}

func TestEveryCommandHasAForm(t *testing.T) {
	for k := KindQuit; k < kinds; k++ {
		if got := New(k).Kind(); got != k {
			t.Errorf("the form of %s is that of %s", k, got)
		}
	}
}

func TestCommandsCutOff(t *testing.T) {
	for _, s := range []string{
		"", "04 74", "07", "0c 2a0000", "12 04000000 0100 000000", "15 07000000 ff 68", "18 01000000 02", "19 010000",
		"1a 01", "1b 01", "1c 01000000 640000", "1e 0100 00000000 ffffffff 6e6f", "1e 0100 00000000 00000000 0000000000000000 ffffffff 00",
	} {
		b := unspaced(t, s)
		k := KindPing
		if len(b) > 0 {
			k = Command(b[0]).Kind()
		}
		if m, err := Decode(k, b, nil); err == nil {
			t.Errorf("%s decoded to %+v", s, m)
		}
	}
}
