package script

import (
	"cmp"
	"fmt"
	"maps"
	"os"
	"slices"
	"strings"

	lua "github.com/yuin/gopher-lua"
	"github.com/yuin/gopher-lua/ast"

	"mydbg/intercept/rule"
	"mydbg/script/lua51"
	"mydbg/script/modules"
)

// Report is what Check has understood of a script.
type Report struct {
	Path     string
	Hooks    []Finding // by line; Text is the name
	Requires []string
	Findings []Finding // by line
}

// Finding is something about a line of a script.
type Finding struct {
	Line int
	Text string
}

// Check reads a script without running it. It finds the hooks, names that nothing defines, fields of
// proxy that do not exist, functions that look like misspelt hooks, and queries and results that are
// used without what they need. An error is an *Error: the script does not compile, or a file that cannot
// be read.
func Check(path string) (*Report, error) {
	src, err := os.ReadFile(path)
	if err != nil {
		return nil, &Error{Script: path, Msg: err.Error()}
	}
	if _, err := lua51.CompileScript(src, path); err != nil {
		return nil, compileError(err, path)
	}
	chunk, err := lua51.Parse(string(src), path)
	if err != nil {
		return nil, compileError(err, path)
	}
	c := checker{report: Report{Path: path}, globals: globals(), shapes: map[string]*shape{}, own: map[string]bool{}, calls: map[string]int{}}
	c.check(chunk)
	return &c.report, nil
}

// globals are the names that every script finds.
func globals() map[string]bool {
	known := map[string]bool{"__proxy": true}
	u := newUniverse(Options{})
	defer u.l.Close()
	u.l.G.Global.ForEach(func(k, _ lua.LValue) { known[k.String()] = true })
	for _, name := range modules.Names() { // a module is a global once it is required
		if short := name[strings.LastIndexByte(name, '.')+1:]; !strings.HasPrefix(name, "proxy.") {
			known[short] = true
		}
	}
	return known
}

// checker walks a script twice: names that it defines may be used before.
type checker struct {
	report  Report
	globals map[string]bool
	own     map[string]bool   // fields of proxy that the script defines
	shapes  map[string]*shape // of local names
	calls   map[string]int    // line of the first call of a method of proxy.queries
	sends   bool              // PROXY_SEND_QUERY is named
	needs   bool              // resultset_is_needed is named
	reads   int               // line where a result is read that has to be kept
	inj     string            // the parameter of the read_query_result that begins
	second  bool
}

func (c *checker) find(line int, format string, args ...any) {
	c.report.Findings = append(c.report.Findings, Finding{line, fmt.Sprintf(format, args...)})
}

func (c *checker) check(chunk []ast.Stmt) {
	w := lua51.Walker{Visit: c.visit, Assign: c.assign, Declare: c.declare}
	w.Walk(chunk)
	c.second = true
	clear(c.shapes)
	w.Walk(chunk)
	if line := c.calls["append"]; line > 0 && !c.sends {
		c.find(line, "queries are added, but PROXY_SEND_QUERY is never returned: they are discarded")
	}
	if c.reads > 0 && !c.needs {
		c.find(c.reads, "rows, fields and raw of a result need { resultset_is_needed = true } with the query")
	}
	byLine := func(a, b Finding) int { return cmp.Compare(a.Line, b.Line) }
	slices.SortStableFunc(c.report.Findings, byLine)
	c.report.Findings = slices.Compact(c.report.Findings)
	slices.SortStableFunc(c.report.Hooks, byLine)
	slices.Sort(c.report.Requires)
	c.report.Requires = slices.Compact(c.report.Requires)
}

func (c *checker) declare(_ *lua51.Walker, name string, value ast.Expr) {
	delete(c.shapes, name)
	if value == nil {
		if name == c.inj { // the parameter of read_query_result, whose function begins
			c.shapes[name], c.inj = injShape, ""
		}
		return
	}
	if _, s, ok := c.shapeOf(nil, value); ok {
		c.shapes[name] = s
	}
}

func (c *checker) assign(w *lua51.Walker, target, value ast.Expr) {
	switch target := target.(type) {
	case *ast.IdentExpr:
		if !w.Global(target.Value) {
			delete(c.shapes, target.Value)
			return
		}
		c.globals[target.Value] = true
		if f, ok := value.(*ast.FunctionExpr); ok {
			c.function(target, f)
		}
	case *ast.AttrGetExpr:
		key, isText := target.Key.(*ast.StringExpr)
		path, s, known := c.shapeOf(w, target.Object)
		switch {
		case known && path == "proxy" && isText && proxyShape.fields[key.Value] == nil:
			c.own[key.Value] = true // a field of the connection
		case known && isText && s != nil && s.fields[key.Value] != nil && c.second:
			c.constructor(path+"."+key.Value, s.fields[key.Value], value)
		}
		if id, ok := target.Object.(*ast.IdentExpr); ok && id.Value == "_G" && isText {
			c.globals[key.Value] = true
			if f, ok := value.(*ast.FunctionExpr); ok {
				c.function(&ast.IdentExpr{Value: key.Value}, f)
			}
		}
	}
}

// function looks at a global function: it may be a hook.
func (c *checker) function(name *ast.IdentExpr, f *ast.FunctionExpr) {
	if !c.second {
		return
	}
	names := slices.Sorted(maps.Values(hookNames))
	if slices.Contains(names, name.Value) {
		if name.Value == hookNames[rule.ReadQueryResult] && len(f.ParList.Names) > 0 {
			c.inj = f.ParList.Names[0]
		}
		c.report.Hooks = append(c.report.Hooks, Finding{f.Line(), name.Value})
		return
	}
	for _, hook := range names {
		if rule.Distance(plain(name.Value), plain(hook)) <= 2 {
			c.find(f.Line(), "function %s is no hook, did you mean %s?", name.Value, hook)
			return
		}
	}
}

// plain is a name without what is mistaken most.
func plain(name string) string { return strings.ToLower(strings.ReplaceAll(name, "_", "")) }

// constructor looks at the keys of a table that is given to a field.
func (c *checker) constructor(path string, s *shape, value ast.Expr) {
	t, ok := value.(*ast.TableExpr)
	if !ok {
		return
	}
	for _, f := range t.Fields {
		key, isText := f.Key.(*ast.StringExpr)
		switch {
		case isText && s.fields != nil && s.fields[key.Value] == nil && !s.open:
			c.unknown(f.Value.Line(), path, key.Value, s)
		case isText && s.fields != nil && s.fields[key.Value] != nil:
			c.constructor(path+"."+key.Value, s.fields[key.Value], f.Value)
		case f.Key == nil && s.any != nil:
			c.constructor(path+"[]", s.any, f.Value)
		}
	}
}

func (c *checker) unknown(line int, path, key string, s *shape) {
	what := "does not exist"
	if s.ignored {
		what = "is not looked at"
	}
	msg := fmt.Sprintf("%s.%s %s", path, key, what)
	near := similar(key, slices.Sorted(maps.Keys(s.fields)))
	if path == "proxy.response" && key == "errno" {
		near = "errcode"
	}
	if near != "" {
		msg += ", did you mean " + near + "?"
	}
	c.find(line, "%s", msg)
}

// similar is the name most like word: one that begins with it, or is written much the same; "" for none.
func similar(word string, names []string) string {
	if near := rule.Nearest(word, names); near != "" {
		return near
	}
	for _, n := range names {
		if len(word) > 2 && strings.HasPrefix(n, word) {
			return n
		}
	}
	return ""
}

// shapeOf is the way from proxy or a result to an expression, and what is known of it. Without a walker
// names are taken for what they were last.
func (c *checker) shapeOf(w *lua51.Walker, e ast.Expr) (path string, s *shape, ok bool) {
	switch e := e.(type) {
	case *ast.IdentExpr:
		if s := c.shapes[e.Value]; s != nil {
			return e.Value, s, true
		}
		if e.Value == "proxy" && (w == nil || w.Global("proxy")) {
			return "proxy", proxyShape, true
		}
	case *ast.AttrGetExpr:
		path, s, ok := c.shapeOf(w, e.Object)
		if !ok || s == nil {
			return "", nil, false
		}
		if key, isText := e.Key.(*ast.StringExpr); isText {
			next := s.fields[key.Value]
			if next == nil {
				next = s.any
			}
			return path + "." + key.Value, next, next != nil
		}
		return path + "[]", s.any, s.any != nil
	}
	return "", nil, false
}

func (c *checker) visit(w *lua51.Walker, e ast.Expr) {
	switch e := e.(type) {
	case *ast.FunctionExpr:
	case *ast.IdentExpr:
		c.name(w, e)
	case *ast.AttrGetExpr:
		c.field(w, e)
	case *ast.FuncCallExpr:
		c.call(w, e)
	case *ast.TableExpr:
		for _, f := range e.Fields {
			if key, ok := f.Key.(*ast.StringExpr); ok && key.Value == "resultset_is_needed" {
				c.needs = true
			}
		}
	}
}

// name looks at a name that is read.
func (c *checker) name(w *lua51.Walker, e *ast.IdentExpr) {
	if !c.second || !w.Global(e.Value) || c.globals[e.Value] {
		return
	}
	if proxyShape.fields[e.Value] != nil {
		c.find(e.Line(), "%s is nil, it is proxy.%s", e.Value, e.Value)
		return
	}
	msg := fmt.Sprintf("nothing defines %s", e.Value)
	if near := rule.Nearest(e.Value, slices.Sorted(maps.Keys(c.globals))); near != "" {
		msg += ", did you mean " + near + "?"
	}
	c.find(e.Line(), "%s", msg)
}

// field looks at a field that is read or written.
func (c *checker) field(w *lua51.Walker, e *ast.AttrGetExpr) {
	key, isText := e.Key.(*ast.StringExpr)
	if !isText {
		return
	}
	switch key.Value {
	case "PROXY_SEND_QUERY":
		c.sends = true
	case "resultset_is_needed":
		c.needs = true
	}
	path, s, ok := c.shapeOf(w, e.Object)
	if !ok || s == nil || !c.second {
		return
	}
	if s == resultShape && slices.Contains([]string{"rows", "fields", "raw"}, key.Value) && c.reads == 0 {
		c.reads = e.Line()
	}
	if s.open || s.fields[key.Value] != nil || path == "proxy" && c.own[key.Value] {
		return
	}
	if s.fields == nil && s.any != nil {
		return
	}
	c.unknown(e.Line(), path, key.Value, s)
}

func (c *checker) call(w *lua51.Walker, e *ast.FuncCallExpr) {
	if id, ok := e.Func.(*ast.IdentExpr); ok && id.Value == "require" && len(e.Args) > 0 {
		if name, ok := e.Args[0].(*ast.StringExpr); ok {
			c.report.Requires = append(c.report.Requires, name.Value)
		}
	}
	if e.Method == "" {
		return
	}
	path, s, ok := c.shapeOf(w, e.Receiver)
	if !ok || s == nil || s.open || !c.second {
		return
	}
	if path == "proxy.queries" {
		method := e.Method
		if method == "prepend" {
			method = "append"
		}
		if c.calls[method] == 0 {
			c.calls[method] = e.Line()
		}
	}
	if s.fields[e.Method] == nil && s.fields != nil {
		c.unknown(e.Line(), path, e.Method, s)
	}
}
