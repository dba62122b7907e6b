package mysqlwire

import (
	"database/sql"
	"os"
	"testing"
)

func TestErrorByCode(t *testing.T) {
	for _, want := range []ErrorCode{
		{1213, "ER_LOCK_DEADLOCK", "40001", "Deadlock found when trying to get lock; try restarting transaction"},
		{1927, "ER_CONNECTION_KILLED", "70100", "Connection was killed"},
	} {
		if got, ok := ErrorByCode(want.Code); !ok || got != want {
			t.Errorf("got %v %v, want %v", got, ok, want)
		}
	}
	if got, ok := ErrorByCode(2013); ok {
		t.Errorf("got %v for an error of clients, want none", got)
	}
}

func TestErrorTable(t *testing.T) {
	for i, e := range errorCodes {
		if i > 0 && errorCodes[i-1].Code >= e.Code {
			t.Errorf("%d is not behind %d", e.Code, errorCodes[i-1].Code)
		}
		if len(e.SQLState) != 5 || e.Symbol == "" || e.Message == "" {
			t.Errorf("%v is not complete", e)
		}
	}
}

func TestSearchErrors(t *testing.T) {
	for _, tt := range []struct {
		text string
		want uint16
	}{
		{"1213", 1213},
		{"deadlock", 1213},
		{"er_dup_entry", 1062},
		{"lock wait", 1205},
		{"23000 null", 1048},
		{"too many connections", 1040},
		{"max_statement_time", 1969},
	} {
		found := SearchErrors(tt.text)
		if len(found) == 0 || found[0].Code != tt.want {
			t.Errorf("%q: got %v, want %d first", tt.text, found, tt.want)
		}
	}
	if found := SearchErrors(" "); found != nil {
		t.Errorf("got %d errors for nothing, want none", len(found))
	}
}

func TestErrorTableOfServer(t *testing.T) {
	dsn := os.Getenv("LAB_MYSQL_DSN")
	if dsn == "" {
		t.Skip("LAB_MYSQL_DSN is not set")
	}
	db, err := sql.Open("mysql", dsn)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	rows, err := db.Query("SELECT error_number, error_name, sql_state FROM performance_schema.events_errors_summary_global_by_error WHERE error_number IS NOT NULL")
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	n := 0
	for rows.Next() {
		var code int
		var symbol, state string
		if err := rows.Scan(&code, &symbol, &state); err != nil {
			t.Fatal(err)
		}
		if e, ok := ErrorByCode(uint16(code)); ok && code < 1<<16 && code != 4025 { // more people meet MariaDB's
			n++
			if e.Symbol != symbol || e.SQLState != state {
				t.Errorf("%d: got %s %s, want %s %s", code, e.Symbol, e.SQLState, symbol, state)
			}
		}
	}
	if n < 250 {
		t.Errorf("the server knows %d of the table's errors, want 250", n)
	}
}
