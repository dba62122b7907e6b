package mysqlwire

import (
	"bytes"
	"reflect"
	"strings"
	"testing"

	"mydbg/mysqlwire/value"
)

func TestStmtExecuteRoundTrip(t *testing.T) {
	attributes := Caps(QueryAttributes)
	known := func(ps ...Param) *Context { return &Context{Params: ps, ParamsKnown: true} }
	with := func(c Caps, cx *Context) *Context { cx.Caps = c; return cx }
	bound := func(t value.Type, unsigned bool) Param { return Param{Type: t, Unsigned: unsigned, Bound: true} }
	for _, tt := range []struct {
		name, hex string
		cx        *Context
		want      StmtExecute
	}{
		{"no parameters", "17 01000000 00 01000000", known(), StmtExecute{StmtID: 1, Iterations: 1}},
		{"statement nobody saw prepared", "17 01000000 01 01000000 00 01 0800", &Context{}, StmtExecute{
			StmtID: 1, Flags: ExecCursorReadOnly, Iterations: 1, Undecoded: []byte{0, 1, 8, 0},
		}},
		{"nothing to decode of an unknown statement", "17 ffffffff 08 01000000", &Context{Caps: attributes}, StmtExecute{
			StmtID: LastStmtID, Flags: ExecParameterCountAvailable, Iterations: 1, Undecoded: []byte{},
		}},
		{
			"types and values", "17 0c000000 00 01000000 04 01 0100 0380 0600 fe00 05 ffffffff 0161", known(Param{}, Param{}, Param{}, Param{}),
			StmtExecute{StmtID: 12, Iterations: 1, NewParamsBound: true, Params: []ExecParam{
				{Type: value.Tiny, Raw: []byte{5}},
				{Type: value.Long, Unsigned: true, Raw: []byte{255, 255, 255, 255}},
				{Type: value.Null, Null: true},
				{Type: value.String, Raw: []byte{1, 'a'}},
			}},
		},
		{
			"types of the last execute", "17 01000000 00 01000000 00 00 2a00000000000000 0162",
			known(bound(value.LongLong, true), bound(value.VarString, false)),
			StmtExecute{StmtID: 1, Iterations: 1, Params: []ExecParam{
				{Type: value.LongLong, Unsigned: true, Raw: []byte{42, 0, 0, 0, 0, 0, 0, 0}},
				{Type: value.VarString, Raw: []byte{1, 'b'}},
			}},
		},
		{
			"long data has no bytes", "17 01000000 00 01000000 00 01 fc00 0300 07000000", known(Param{Long: true}, Param{}),
			StmtExecute{StmtID: 1, Iterations: 1, NewParamsBound: true, Params: []ExecParam{
				{Type: value.Blob, Long: true},
				{Type: value.Long, Raw: []byte{7, 0, 0, 0}},
			}},
		},
		{
			"long data without types", "17 01000000 00 01000000 00 00 07000000",
			known(bound(value.Long, false), Param{Type: value.Blob, Bound: true, Long: true}),
			StmtExecute{StmtID: 1, Iterations: 1, Params: []ExecParam{
				{Type: value.Long, Raw: []byte{7, 0, 0, 0}},
				{Type: value.Blob, Long: true},
			}},
		},
		{
			"nine parameters have two bytes of NULL flags", "17 01000000 00 01000000 ff01 01" + strings.Repeat("0600", 9), known(make([]Param, 9)...),
			StmtExecute{StmtID: 1, Iterations: 1, NewParamsBound: true, Params: []ExecParam{
				{Type: 6, Null: true},
				{Type: 6, Null: true},
				{Type: 6, Null: true},
				{Type: 6, Null: true},
				{Type: 6, Null: true},
				{Type: 6, Null: true},
				{Type: 6, Null: true},
				{Type: 6, Null: true},
				{Type: 6, Null: true},
			}},
		},
		{
			"parameter and attribute", "17 01000000 08 01000000 02 00 01 0800 00 fe00 057472616365 0700000000000000 0162",
			with(attributes, known(Param{})),
			StmtExecute{
				StmtID: 1, Flags: ExecParameterCountAvailable, Iterations: 1, NewParamsBound: true, Params: []ExecParam{
					{Type: value.LongLong, Raw: []byte{7, 0, 0, 0, 0, 0, 0, 0}},
					{Name: "trace", Type: value.String, Raw: []byte{1, 'b'}},
				},
			},
		},
		{
			"count without its flag", "17 01000000 00 01000000 01 00 00 0162", with(attributes, known(bound(value.String, false))),
			StmtExecute{StmtID: 1, Iterations: 1, Params: []ExecParam{{Type: value.String, Raw: []byte{1, 'b'}}}},
		},
		{
			"attributes agreed, nothing to send", "17 01000000 08 01000000 00", with(attributes, known()),
			StmtExecute{StmtID: 1, Flags: ExecParameterCountAvailable, Iterations: 1},
		},
		{
			"the flag means nothing where attributes are not agreed", "17 01000000 08 01000000 00 00 0162", known(bound(value.String, false)),
			StmtExecute{StmtID: 1, Flags: ExecParameterCountAvailable, Iterations: 1, Params: []ExecParam{{Type: value.String, Raw: []byte{1, 'b'}}}},
		},
		{
			"dates, times and a date nobody can read", "17 01000000 00 01000000 00 01 0c00 0b00 0700 0a00 04 ea070703 0c 01 00000000 0c1e3b 90d00300 00 05 0102030405",
			known(make([]Param, 4)...),
			StmtExecute{StmtID: 1, Iterations: 1, NewParamsBound: true, Params: []ExecParam{
				{Type: value.DateTime, Raw: unspaced(t, "04 ea070703")},
				{Type: value.Time, Raw: unspaced(t, "0c 01 00000000 0c1e3b 90d00300")},
				{Type: value.Timestamp, Raw: []byte{0}},
				{Type: value.Date, Raw: unspaced(t, "05 0102030405")},
			}},
		},
		{
			"bytes nobody knows", "17 01000000 00 01000000 00 00 0162 ff", known(bound(value.String, false)),
			StmtExecute{StmtID: 1, Iterations: 1, Params: []ExecParam{{Type: value.String, Raw: []byte{1, 'b'}}}, Rest: []byte{255}},
		},
	} {
		t.Run(tt.name, func(t *testing.T) {
			got := wantSameBytes(t, KindStmtExecute, tt.hex, tt.cx).(*StmtExecute)
			if !reflect.DeepEqual(*got, tt.want) {
				t.Errorf("got  %+v\nwant %+v", *got, tt.want)
			}
		})
	}
}

func TestStmtExecuteRefuses(t *testing.T) {
	for _, tt := range []struct {
		name, hex string
		cx        *Context
		want      string
	}{
		{"types that nobody sent", "17 01000000 00 01000000 00 00 05", &Context{Params: []Param{{Type: 1}}, ParamsKnown: true}, "type of parameter 1 is not known"},
		{"fewer than the statement has", "17 01000000 00 01000000 01 00 01 0100 00 05", &Context{Caps: QueryAttributes, Params: make([]Param, 2), ParamsKnown: true}, "statement has 2"},
		{"more without types than known", "17 01000000 08 01000000 02 00 00 05", &Context{Caps: QueryAttributes, Params: make([]Param, 1), ParamsKnown: true}, "1 known"},
		{"a count larger than the packet", "17 01000000 08 01000000 fd ffff7f 00", &Context{Caps: QueryAttributes, ParamsKnown: true}, "parameter_count"},
		{"a text longer than the packet", "17 01000000 00 01000000 00 01 fe00 fe ffffffffffffffff", &Context{Params: make([]Param, 1), ParamsKnown: true}, "parameter 1"},
		{"an odd flag", "17 01000000 00 01000000 00 02", &Context{Params: make([]Param, 1), ParamsKnown: true}, "new_params_bind_flag is 2"},
		{"another command", "16 01000000 00 01000000", &Context{}, "command is 0x16"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			_, err := Decode(KindStmtExecute, unspaced(t, tt.hex), tt.cx)
			if err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("got %v, want %q", err, tt.want)
			}
		})
	}
}

func TestStmtExecuteShowsParameters(t *testing.T) {
	p := unspaced(t, "17 01000000 09 01000000 02 02 01 0880 00 fe00 0174 0700000000000000")
	fields, err := Dissect(KindStmtExecute, p, &Context{Caps: QueryAttributes, Params: make([]Param, 1), ParamsKnown: true})
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	var list func(fs []Field, in string)
	list = func(fs []Field, in string) {
		for _, f := range fs {
			got = append(got, in+f.Name+"="+f.Value)
			list(f.Children, in+f.Name+"/")
		}
	}
	list(fields, "")
	want := []string{
		"command=COM_STMT_EXECUTE", "statement_id=1", "flags=CURSOR_READ_ONLY PARAMETER_COUNT_AVAILABLE", "iteration_count=1",
		"parameter_count=2", "null_bitmap=NULL: 2", "new_params_bind_flag=1",
		"parameter_types=", "parameter_types/parameter_type=LONGLONG unsigned", `parameter_types/parameter_name=""`,
		"parameter_types/parameter_type=STRING", `parameter_types/parameter_name="t"`,
		"parameter_values=", "parameter_values/parameter 1=LONGLONG unsigned 7",
	}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("got\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
}

func TestStmtExecuteWithParam(t *testing.T) {
	cx := &Context{Params: []Param{{Type: value.Long, Bound: true}, {Type: value.Blob, Bound: true, Long: true}}, ParamsKnown: true}
	m := wantSameBytes(t, KindStmtExecute, "17 01000000 00 01000000 00 00 07000000", cx).(*StmtExecute)
	for _, tt := range []struct {
		name string
		edit func() (*StmtExecute, error)
		want string
	}{
		{"types alone", func() (*StmtExecute, error) { return m.WithTypes(), nil }, "00 01 0300 fc00 07000000"},
		{"another value", func() (*StmtExecute, error) { return m.WithParam(0, value.Long, false, int64(8)) }, "00 01 0300 fc00 08000000"},
		{"another type", func() (*StmtExecute, error) { return m.WithParam(0, value.VarString, false, []byte("ab")) }, "00 01 fd00 fc00 026162"},
		{"unsigned", func() (*StmtExecute, error) { return m.WithParam(0, value.LongLong, true, uint64(1<<64-1)) }, "00 01 0880 fc00 ffffffffffffffff"},
		{"NULL", func() (*StmtExecute, error) { return m.WithParam(0, value.Long, false, nil) }, "01 01 0300 fc00"},
		{"in place of long data", func() (*StmtExecute, error) { return m.WithParam(1, value.Blob, false, []byte("ab")) }, "00 01 0300 fc00 07000000 026162"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			e, err := tt.edit()
			if err != nil {
				t.Fatal(err)
			}
			got, err := e.Encode(nil, cx)
			if want := unspaced(t, "17 01000000 00 01000000"+tt.want); err != nil || !bytes.Equal(got, want) {
				t.Errorf("got  %x, %v\nwant %x", got, err, want)
			}
		})
	}
	if again, _ := m.Encode(nil, cx); !bytes.Equal(again, unspaced(t, "17 01000000 00 01000000 00 00 07000000")) {
		t.Errorf("the original became %x", again)
	}
	for _, i := range []int{-1, 2} {
		if e, err := m.WithParam(i, value.Long, false, int64(8)); err == nil {
			t.Errorf("parameter %d was set: %+v", i, e)
		}
	}
	if e, err := m.WithParam(0, value.Tiny, false, int64(1000)); err == nil {
		t.Errorf("1000 went into a TINY: %+v", e)
	}
}

func TestExecParamString(t *testing.T) {
	text := strings.Repeat("é", 200)
	for _, tt := range []struct {
		p    ExecParam
		want string
	}{
		{ExecParam{Type: value.Tiny, Raw: []byte{255}}, "-1"},
		{ExecParam{Type: value.Tiny, Unsigned: true, Raw: []byte{255}}, "255"},
		{ExecParam{Type: value.String, Raw: []byte("\x04it's")}, "'it''s'"},
		{ExecParam{Type: value.String, Null: true}, "NULL"},
		{ExecParam{Type: value.Blob, Long: true}, "long data"},
		{ExecParam{Type: value.Date, Raw: unspaced(t, "04 ea070703")}, "'2026-07-03'"},
		{ExecParam{Type: value.Date, Raw: unspaced(t, "05 0102030405")}, "050102030405"},
		{ExecParam{Type: value.Tiny, Raw: []byte{1, 2}}, "0102"},
		{ExecParam{Type: value.String, Raw: AppendLenencString(nil, text)}, "'" + text[:256] + "'… (400 bytes)"},
		{ExecParam{Type: value.String, Raw: AppendLenencString(nil, "x"+text)}, "'x" + text[:254] + "'… (401 bytes)"},
	} {
		if got := tt.p.String(); got != tt.want {
			t.Errorf("%+v: got %s, want %s", tt.p, got, tt.want)
		}
	}
}

// A packet can claim as many NULLs as it has bits; showing it takes time in proportion.
func TestDissectManyNulls(t *testing.T) {
	const n = 60_000
	params := make([]Param, n)
	for i := range params {
		params[i] = Param{Type: value.Long, Bound: true}
	}
	payload := append([]byte{byte(ComStmtExecute), 1, 0, 0, 0, 0, 1, 0, 0, 0}, bytes.Repeat([]byte{0xff}, n/8)...)
	fields, err := Dissect(KindStmtExecute, append(payload, 0), &Context{Params: params, ParamsKnown: true})
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range fields {
		if f.Name == "null_bitmap" {
			if want := "63 64 and 59936 more"; !strings.HasSuffix(f.Value, want) {
				t.Errorf("got %q, want it to end with %q", f.Value, want)
			}
			return
		}
	}
	t.Errorf("no null_bitmap in %+v", fields)
}
