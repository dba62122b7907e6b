package sqltext

import (
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestRepeatable(t *testing.T) {
	for _, tt := range []struct {
		sql  string
		want Repeat
	}{
		{"select 1", Repeat{}},
		{"select id from t order by id", Repeat{Ordered: true}},
		{"select id from (select id from t order by id limit 3) d", Repeat{}},
		{"(select 1) union (select 2) order by 1", Repeat{Ordered: true}},
		{"select now(), id, curdate() from t", Repeat{Volatile: []string{"NOW", "CURDATE"}, Fields: []int{0, 2}}},
		{"select coalesce(a, now()), b from t", Repeat{Volatile: []string{"NOW"}, Fields: []int{0}}},
		{"select *, uuid() as u from t", Repeat{Volatile: []string{"UUID"}, Fields: []int{-1}}},
		{"select rand(), t.*, now(), a from t", Repeat{Volatile: []string{"RAND", "NOW"}, Fields: []int{0, -2}}},
		{"select 2 * 3, now()", Repeat{Volatile: []string{"NOW"}, Fields: []int{1}}},
		{"select id from t where created < now()", Repeat{Volatile: []string{"NOW"}}},
		{"select current_timestamp", Repeat{Volatile: []string{"CURRENT_TIMESTAMP"}, Fields: []int{0}}},
		{"select @@hostname, @@version", Repeat{Volatile: []string{"@@HOSTNAME", "@@VERSION"}, Fields: []int{0, 1}}},
		{"select now from t", Repeat{}},
		{"select t.user from t", Repeat{}},
		{"select 'now()', `rand` from t -- uuid()", Repeat{}},
		{"show status like 'x'", Repeat{All: true}},
		{"show create table t", Repeat{}},
		{"explain select 1", Repeat{All: true}},
		{"select table_name from information_schema.tables", Repeat{All: true}},
		{"insert into t values (now())", Repeat{Volatile: []string{"NOW"}}},
		{"select 1; select rand()", Repeat{Volatile: []string{"RAND"}, Fields: []int{0}}},
		{"", Repeat{}},
		{")((select now(", Repeat{Volatile: []string{"NOW"}}},
	} {
		if diff := cmp.Diff(tt.want, repeatable(tt.sql)); diff != "" {
			t.Errorf("%s (-want +got)\n%s", tt.sql, diff)
		}
	}
}
