package sqltext

import (
	"fmt"
	"strings"
	"testing"
)

func TestLiterals(t *testing.T) {
	for _, tt := range []struct{ sql, want string }{
		{"select 1", "?1"},
		{"select * from users where email = 'a@b' and id = 5 limit 10", "email:'a@b' id:5 -10"},
		{"select * from users u where u.email='a' or `u`.`name` like 'b%'", "email:'a' name,like:'b%'"},
		{"select * from t where id in (1, 2) and d between '2020' and '2021' and e = 1", "id:1 id:2 d,between,and:'2020' d,between,and:'2021' e:1"},
		{"select * from t where 'x' = t.name", "name:'x'"},
		{"select * from t where lower(name) collate utf8mb4_bin = 'x'", "name,collate,utf8mb4_bin:'x'"},
		{"select * from t where 5 < abs(x)", "x:5"},
		{"select * from t where a in (select b from u where c = 'x') and d = 'y'", "c:'x' d:'y'"},
		{"insert into t (a, `b c`, d) values (1, 'two', concat('x', 3)), (4, 'five', 6)", "a:1 b c:'two' d:'x' d:3 a:4 b c:'five' d:6"},
		{"insert into t values (1, 'two')", "?1 ?'two'"},
		{"insert into t (a) values (1) on duplicate key update b = 2", "a:1 b:2"},
		{"update t set a = 1, b = 'x' where c = 'y' order by 1 limit 5", "a:1 b:'x' c:'y' -1 -5"},
		{"select 'it''s', \"a\\\"b\", N'c' from t", "?'it's' ?'a\"b' ?'c'"},
		{"select case when a = 1 then 'x' else 'y' end from t", "a:1 ?'x' ?'y'"},
		{"select 1 from t; delete from u where k = 9", "?1 k:9"},
		{"select * from t where a = ? and b in (?, 'x') limit ?", "a:? b:? b:'x' -?"},
		{"", ""},
		{"((('", "?''"},
	} {
		var got []string
		for _, l := range Literals(tt.sql) {
			text := l.Text
			if l.Quoted {
				text = "'" + text + "'"
			}
			switch {
			case l.Bound:
				got = append(got, "-"+text)
			case len(l.Columns) > 0:
				got = append(got, strings.Join(l.Columns, ",")+":"+text)
			default:
				got = append(got, "?"+text)
			}
			if l.Pos < 0 || l.End > len(tt.sql) || l.Pos >= l.End {
				t.Errorf("%s: literal at %d to %d", tt.sql, l.Pos, l.End)
			}
		}
		if g := strings.Join(got, " "); g != tt.want {
			t.Errorf("%s\ngot  %s\nwant %s", tt.sql, g, tt.want)
		}
	}
}

func FuzzLiterals(f *testing.F) {
	f.Add("select 'a', \"b\" from t where c = 'd' and e in (1,2)")
	f.Add("insert into t (a, b) values ('\\'', 0x12), (")
	f.Fuzz(func(t *testing.T, sql string) {
		last := 0
		for _, l := range Literals(sql) {
			if l.Pos < last || l.End <= l.Pos || l.End > len(sql) {
				t.Fatal(fmt.Sprint(l))
			}
			last = l.End
		}
		_ = Repeatable(sql)
	})
}
