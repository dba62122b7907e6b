package intercept_test

import (
	"reflect"
	"testing"
	"time"

	"mydbg/intercept"
	"mydbg/mysqlwire"
)

// TestEveryFieldOfConditionsIsFilled: a name that conditions may use and that nobody fills in would be
// false without a word.
func TestEveryFieldOfConditionsIsFilled(t *testing.T) {
	at := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	const sql = "UPDATE t SET a = 1 /* route='/x' */"
	x := intercept.Exchange{
		Seq: 1, Conn: 3, Command: mysqlwire.ComStmtExecute, SQL: sql, StmtID: 7, Begun: at, Ended: at.Add(3 * time.Second), State: intercept.Done,
		Marks: 1<<16 - 1, InTx: true, Upload: &intercept.Upload{File: "/f"},
		Counts: intercept.Counts{
			Rows: 1, Cols: 2, Affected: 3, LastInsertID: 4, Warnings: 5, BytesIn: 6, BytesOut: 7,
			Error: &mysqlwire.ERR{Code: 1213, SQLState: "40001", Message: "m"},
		},
	}
	info := intercept.ConnInfo{
		ID: 3, Thread: 9, User: "u", DB: "d", Client: "127.0.0.1:5", ClientTLS: "TLS 1.3", Replayed: true, TxSince: at.Add(-time.Second), TxCommands: 2,
		Attrs: []mysqlwire.Attr{{Name: "program_name", Value: "p"}}, Status: mysqlwire.StatusInTrans | mysqlwire.StatusAutocommit,
	}
	e := x.Env(&info, nil, 1<<64-1)
	elsewhere := map[string]string{ // with what sets them
		"At": "the place of a rule, where the exchange is over", "Params": "the bytes of a command", "Row": "the bytes of an answer",
		"Over": "a login", "DDL": "a definition", "Chatter": "what drivers send",
	}
	v := reflect.ValueOf(*e)
	for i := range v.NumField() {
		name := v.Type().Field(i).Name
		if v.Field(i).IsZero() && elsewhere[name] == "" {
			t.Errorf("%s is never filled in", name)
		}
	}
	x.Command = mysqlwire.ComQuery
	if x.SQL = "CREATE TABLE t (a int)"; !x.Env(&info, nil, 1<<64-1).DDL {
		t.Error("DDL is never filled in")
	}
	if x.SQL = "SET NAMES utf8mb4"; !x.Env(&info, nil, 1<<64-1).Chatter {
		t.Error("Chatter is never filled in")
	}
}
