package sqltext

import (
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestParse(t *testing.T) {
	for _, tt := range []struct {
		sql  string
		want Info
	}{
		{"select * from orders", Info{Verb: "SELECT", Tables: []string{"orders"}, Parsed: true}},
		{"select o.id, c.name from shop.orders o join `customers` as c on c.id = o.customer_id", Info{Verb: "SELECT", Tables: []string{"shop.orders", "customers"}, Parsed: true}},
		{"(select 1 from a) union (select 2 from b)", Info{Verb: "SELECT", Tables: []string{"a", "b"}, Parsed: true}},
		{"with x as (select * from t), y as (select * from x) select * from y join u", Info{Verb: "SELECT", Tables: []string{"t", "u"}, Parsed: true}},
		{"with x as (select 1 n) update t join x set t.a = x.n", Info{Verb: "UPDATE", Tables: []string{"t"}, Write: true, Parsed: true}},
		{"select * from (select id from items) d where id in (select item_id from stock)", Info{Verb: "SELECT", Tables: []string{"items", "stock"}, Parsed: true}},
		{"insert into t (a) select b from u", Info{Verb: "INSERT", Tables: []string{"t", "u"}, Write: true, Parsed: true}},
		{"UPDATE orders SET status = 'paid' WHERE id = ?", Info{Verb: "UPDATE", Tables: []string{"orders"}, Write: true, Parsed: true}},
		{"delete o from orders o join users u on u.id = o.user_id", Info{Verb: "DELETE", Tables: []string{"orders", "users"}, Write: true, Parsed: true}},
		{"select * from orders o for update of o", Info{Verb: "SELECT", Tables: []string{"orders"}, Parsed: true}},
		{"replace into t values (1)", Info{Verb: "REPLACE", Tables: []string{"t"}, Write: true, Parsed: true}},
		{"create table shop.t (id int)", Info{Verb: "CREATE", Tables: []string{"shop.t"}, Write: true, DDL: true, Parsed: true}},
		{"drop table if exists t, u", Info{Verb: "DROP", Tables: []string{"t", "u"}, Write: true, DDL: true, Parsed: true}},
		{"truncate table t", Info{Verb: "TRUNCATE", Tables: []string{"t"}, Write: true, DDL: true, Parsed: true}},
		{"begin", Info{Verb: "BEGIN", Parsed: true}},
		{"START TRANSACTION READ ONLY", Info{Verb: "START", Parsed: true}},
		{"commit", Info{Verb: "COMMIT", Parsed: true}},
		{"set names utf8mb4", Info{Verb: "SET", Parsed: true}},
		{"set global max_connections = 5", Info{Verb: "SET", Write: true, Parsed: true}},
		{"set @@global.max_connections = 5", Info{Verb: "SET", Write: true, Parsed: true}},
		{"/*!40101 SET NAMES utf8 */", Info{Verb: "SET", Parsed: true}},
		{"select 1; delete from t", Info{Verb: "SELECT", Tables: []string{"t"}, Write: true, Parsed: true}},
		{"explain update t set a = 1", Info{Verb: "EXPLAIN", Tables: []string{"t"}, Parsed: true}},
		{"call p(1)", Info{Verb: "CALL", Write: true, Parsed: true}},
		{"select 1 from dual", Info{Verb: "SELECT", Parsed: true}},
		{"select /* route='/checkout',controller='Order' */ 1", Info{Verb: "SELECT", Parsed: true, Comments: map[string]string{"route": "/checkout", "controller": "Order"}}},
		{"", Info{}},
		{"-- nothing", Info{}},
		{"\x00 nonsense ' from", Info{}},
		// what the parser does not read
		{"ANALYZE UPDATE t SET a = 1 WHERE", Info{Verb: "ANALYZE", Tables: []string{"t"}, Write: true}},
		{"select * from a.b as x, `c d` y join e using (id) where f(", Info{Verb: "SELECT", Tables: []string{"a.b", "c d", "e"}}},
		{"insert into t (a) values (1) returning", Info{Verb: "INSERT", Tables: []string{"t"}, Write: true}},
		{"with recursive x (n) as (select 1 from t) select * from x, u where (", Info{Verb: "SELECT", Tables: []string{"t", "u"}}},
		{"select extract(year from d), trim(both 'x' from e) from t for update whatever", Info{Verb: "SELECT", Tables: []string{"t"}}},
		{"insert ignore t values (1) on duplicate key update a = 1 !", Info{Verb: "INSERT", Tables: []string{"t"}, Write: true}},
		{"select t.from, x from json_table('[]', '$') j", Info{Verb: "SELECT"}},
		{"xa start 'x'", Info{Verb: "XA"}},
		{"create trigger tr before insert on t for each row set new.a = 1", Info{Verb: "CREATE", Write: true, DDL: true}},
	} {
		if diff := cmp.Diff(tt.want, Parse(tt.sql)); diff != "" {
			t.Errorf("%s (-want +got)\n%s", tt.sql, diff)
		}
	}
}

func TestParseLongText(t *testing.T) {
	sql := "insert into t values ('" + strings.Repeat("x", parseLimit) + "')"
	want := Info{Verb: "INSERT", Tables: []string{"t"}, Write: true}
	if diff := cmp.Diff(want, Parse(sql)); diff != "" {
		t.Error(diff)
	}
}

func TestComments(t *testing.T) {
	for _, tt := range []struct {
		sql  string
		want map[string]string
	}{
		{"SELECT 1 /*action='%2Fparam*d',controller='index',framework='spring',traceparent='00-5bd66ef5095369c7b0d1f8f4bd33716a-c532cb4098ac3dd2-01'*/", map[string]string{
			"action": "/param*d", "controller": "index", "framework": "spring", "traceparent": "00-5bd66ef5095369c7b0d1f8f4bd33716a-c532cb4098ac3dd2-01",
		}},
		{"SELECT 1 /*application:Shop,controller:orders,action:show,line:/app/x.rb:12:in*/", map[string]string{"application": "Shop", "controller": "orders", "action": "show", "line": "/app/x.rb:12:in"}},
		{"/* route=/a, job = mail */ SELECT 1", map[string]string{"route": "/a", "job": "mail"}},
		{`SELECT 1 /*name='it\'s, me',k%3D='v'*/`, map[string]string{"name": "it's, me", "k=": "v"}},
		{"SELECT /* a='1' */ 1 /* b='2' */", map[string]string{"a": "1", "b": "2"}},
		{"SELECT 1 /* plain words: no, really */", nil},
		{"SELECT /*+ a='1' */ '/* b=2 */' -- c=3", nil},
		{"SELECT 1 /* bad='%zz' */", map[string]string{"bad": "%zz"}},
		{"SELECT 1 /* a='1'", map[string]string{"a": "1"}},
	} {
		if diff := cmp.Diff(tt.want, Parse(tt.sql).Comments); diff != "" {
			t.Errorf("%s (-want +got)\n%s", tt.sql, diff)
		}
	}
}

func TestMemoForgetsWhatWasUsedLongestAgo(t *testing.T) {
	m := newMemo[int](3 * (entryCost + 1))
	made := ""
	ask := func(key string) {
		if got := m.get(key, func(k string) int { made += k; return int(k[0]) }); got != int(key[0]) {
			t.Errorf("%s: got %d", key, got)
		}
	}
	for _, k := range strings.Split("a b c a d a b", " ") {
		ask(k)
	}
	if made != "abcdb" { // d put b out, a had been used since
		t.Errorf("made %s", made)
	}
	if m.size > m.limit || m.order.Len() != 3 || len(m.byKey) != 3 {
		t.Errorf("holds %d bytes in %d entries", m.size, m.order.Len())
	}
}

func TestConcurrentUse(t *testing.T) {
	queries := []string{"select 1 from a", "update b set x = 1", "delete from c", "nonsense from (", "insert into d values (1, 2)"}
	var all sync.WaitGroup
	for n := range 8 {
		all.Go(func() {
			for i := range 200 {
				q := queries[(i+n)%len(queries)]
				if i%10 == 0 {
					q += strings.Repeat(" ", i) // not remembered yet
				}
				if diff := cmp.Diff(parse(q), Parse(q)); diff != "" {
					t.Error(diff)
					return
				}
				if _, text := Digest(q); text != digestText(q) {
					t.Errorf("%s: %s", q, text)
					return
				}
			}
		})
	}
	all.Wait()
}

func FuzzParse(f *testing.F) {
	for _, p := range recorded(f) {
		f.Add(p[0])
	}
	f.Fuzz(func(t *testing.T, sql string) {
		info := parse(sql)
		if info.DDL && !info.Write {
			t.Errorf("%+v", info)
		}
		var all strings.Builder
		for _, tok := range lex(sql) {
			if tok.pos != all.Len() {
				t.Fatalf("%q at %d, not %d", tok.text, all.Len(), tok.pos)
			}
			all.WriteString(tok.text)
		}
		if all.String() != sql {
			t.Fatalf("tokens make %q of %q", all.String(), sql)
		}
	})
}

func BenchmarkParse(b *testing.B) {
	const sql = "SELECT o.id, c.name FROM shop.orders o JOIN customers c ON c.id = o.customer_id WHERE o.status IN ('new', 'paid') AND o.total > 100 ORDER BY o.id DESC LIMIT 20 /*route='/orders'*/"
	b.Run("remembered", func(b *testing.B) {
		for b.Loop() {
			Parse(sql)
		}
	})
	b.Run("new", func(b *testing.B) {
		for b.Loop() {
			parse(sql)
		}
	})
	b.Run("digest", func(b *testing.B) {
		for b.Loop() {
			digestText(sql)
		}
	})
}
