package sqltext

import (
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestFormat(t *testing.T) {
	for _, tt := range []struct{ sql, want string }{
		{"SELECT 1", "SELECT 1"},
		{"  select a,b from t where a=1 and b between 1 and 2 or c group by a having count(*)>1 order by b limit 5  ", `
select a, b
from t
where a=1
  and b between 1 and 2
  or c
group by a
having count(*)>1
order by b
limit 5`},
		{"UPDATE stock SET qty = qty - 2 WHERE sku = 'SKU-77' AND updated_at < '2026'", `
UPDATE stock
SET qty = qty - 2
WHERE sku = 'SKU-77'
  AND updated_at < '2026'`},
		{"select * from a left join b on a.id=b.id and b.x inner join c using (id) natural join d join e for update", `
select *
from a
left join b on a.id=b.id
  and b.x
inner join c using (id)
natural join d
join e
for update`},
		{"select * from t where id in (select id from u where x = (1 or 2)) union all select 2", `
select *
from t
where id in (select id
    from u
    where x = (1 or 2))
union all
select 2`},
		{"insert into t (a,b) values (1,2),(3,4) on duplicate key update a=values(a)", `
insert into t (a, b)
values (1, 2), (3, 4)
on duplicate key update a=values(a)`},
		{"select 1 -- one\n,2 # two\nfrom t /* x */ where 1", `
select 1 -- one
, 2 # two
from t /* x */
where 1`},
		{"delete from t where extract(year from a) = 1 and t.from = 2 and @from and x", `
delete from t
where extract(year from a) = 1
  and t.from = 2
  and @from
  and x`},
		{"set names utf8mb4", "set names utf8mb4"},
		{"", ""},
	} {
		want := strings.TrimPrefix(tt.want, "\n")
		got := Format(tt.sql)
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s (-want +got)\n%s", tt.sql, diff)
		}
		if Format(got) != got {
			t.Errorf("formatting again changes it:\n%s\n%s", got, Format(got))
		}
	}
}

func TestOneLine(t *testing.T) {
	for _, tt := range []struct{ sql, want string }{
		{" select\n\t1 ,\r\n 2 ", "select 1 , 2"},
		{"select 1 -- one\n, 2 # two */\nfrom t", "select 1 /* one */ , 2 /* two * / */ from t"},
		{"select 'a\nb' /* x\n  y */", "select 'a b' /* x y */"},
	} {
		if got := OneLine(tt.sql); got != tt.want {
			t.Errorf("got %q, want %q", got, tt.want)
		}
	}
}

func TestBind(t *testing.T) {
	for _, tt := range []struct {
		sql    string
		params []string
		want   string
	}{
		{"update t set a = ? where b = ?", []string{"2", "'it''s ?'"}, "update t set a = 2 where b = 'it''s ?'"},
		{"select '?', \"?\", `?` /* ? */, ? -- ?", []string{"1"}, "select '?', \"?\", `?` /* ? */, 1 -- ?"},
		{"select ?, ?", []string{"1"}, "select 1, ?"},
		{"select ?", nil, "select ?"},
		{"select 'a\\'?', ?", []string{"NULL", "extra"}, "select 'a\\'?', NULL"},
		{"select /*! ? */ + ?", []string{"1", "2"}, "select /*! 1 */ + 2"},
	} {
		if got := Bind(tt.sql, tt.params); got != tt.want {
			t.Errorf("got %s, want %s", got, tt.want)
		}
		if got, want := Markers(tt.sql)-Markers(tt.want), min(len(tt.params), Markers(tt.sql)); got != want {
			t.Errorf("%s: bound %d, want %d", tt.sql, got, want)
		}
	}
}

func TestSplit(t *testing.T) {
	for _, tt := range []struct {
		sql  string
		want []string
	}{
		{"select 1; select 2 ;", []string{"select 1", "select 2"}},
		{"select ';' /* ; */; -- ;\n select `;`", []string{"select ';' /* ; */", "-- ;\n select `;`"}},
		{";; /* nothing */ ;", nil},
		{"/*! select 1; */ ; select 2", []string{"/*! select 1; */", "select 2"}},
		{
			"create procedure p() begin if a then select 1; end if; select case when 1 then 2 end; end; call p()",
			[]string{"create procedure p() begin if a then select 1; end if; select case when 1 then 2 end; end", "call p()"},
		},
		{"create trigger t before insert on x for each row set new.a = 1; select 1", []string{"create trigger t before insert on x for each row set new.a = 1", "select 1"}},
		{"begin; select 1; end", []string{"begin", "select 1", "end"}},
	} {
		if diff := cmp.Diff(tt.want, Split(tt.sql)); diff != "" {
			t.Errorf("%s (-want +got)\n%s", tt.sql, diff)
		}
	}
}

// solid are the tokens without white space; a line comment's own line end is white space too.
func solid(sql string) (out []string) {
	for _, t := range lex(sql) {
		if t.kind != space {
			text := t.text
			if t.kind == comment && !strings.HasPrefix(text, "/*") {
				text = strings.TrimRight(text, " \t\r\n\v\f")
			}
			out = append(out, text)
		}
	}
	return out
}

func FuzzFormat(f *testing.F) {
	for _, p := range recorded(f) {
		f.Add(p[0])
	}
	f.Add("select 5--and 1 -- x")
	f.Add("/*!50000 select*/from/*x*/t where(a)and b")
	f.Fuzz(func(t *testing.T, sql string) {
		out := Format(sql)
		if got, want := solid(out), solid(sql); !slices.Equal(got, want) {
			t.Fatalf("%q\n got %q\nwant %q\nfrom %q", sql, got, want, out)
		}
		if got, want := digestText(out), digestText(sql); got != want {
			t.Fatalf("%q\n got %s\nwant %s\nfrom %q", sql, got, want, out)
		}
		if line := OneLine(sql); strings.ContainsAny(line, "\r\n\t") {
			t.Fatalf("%q", line)
		}
		var words int
		for _, s := range Split(sql) {
			if s == "" {
				t.Fatal("empty statement")
			}
			words += len(s)
		}
		if words > len(sql) {
			t.Fatalf("split %q into %q", sql, Split(sql))
		}
		params := slices.Repeat([]string{" 1 "}, Markers(sql))
		if bound := Bind(sql, params); Markers(bound) != 0 {
			t.Fatalf("%q has markers left: %q", sql, bound)
		}
	})
}
