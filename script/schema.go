package script

// shape is what is known of the fields of an object, for Check.
type shape struct {
	fields map[string]*shape
	any    *shape // of a field by number or by a name that is computed; nil for none
	open   bool   // scripts keep things of their own in it
	// ignored says that what is not known may be written and is not looked at.
	ignored bool
}

// leaf is a value without fields.
var leaf = &shape{open: true}

func object(names ...string) *shape {
	s := &shape{fields: map[string]*shape{}}
	for _, n := range names {
		s.fields[n] = leaf
	}
	return s
}

func (s *shape) with(name string, of *shape) *shape {
	s.fields[name] = of
	return s
}

var (
	addressShape = object("type", "name", "address", "port")
	socketShape  = object("default_db", "username", "scrambled_password", "scramble_buffer", "mysqld_version", "thread_id",
		"auth_plugin_name", "address").with("src", addressShape).with("dst", addressShape)
	poolShape    = object("min_idle_connections", "max_idle_connections").with("users", &shape{any: object("cur_idle_connections"), open: true})
	backendShape = object("state", "type", "connected_clients", "uuid", "address").with("dst", addressShape).with("pool", poolShape)

	responseShape = func() *shape {
		resultset := object("rows").with("fields", &shape{any: object("name", "type")})
		resultset.ignored = true
		s := object("type", "affected_rows", "insert_id", "errmsg", "errcode", "sqlstate", "packets").with("resultset", resultset)
		s.ignored = true
		return s
	}()

	resultShape = object("rows", "raw", "row_count", "bytes", "warning_count", "affected_rows", "insert_id", "query_status").
			with("fields", &shape{any: object("type", "name", "org_name", "table", "org_table")}).
			with("flags", object("in_trans", "auto_commit", "no_good_index_used", "no_index_used"))
	injShape = object("id", "type", "query", "query_time", "response_time").with("resultset", resultShape)

	proxyShape = func() *shape {
		s := object("response").
			with("connection", object("backend_ndx", "connection_close", "default_db", "thread_id", "mysqld_version").
				with("client", socketShape).with("server", socketShape)).
			with("queries", object("append", "prepend", "reset", "len")).
			with("response", responseShape).
			with("global", &shape{open: true, fields: map[string]*shape{
				"backends": {any: backendShape, fields: map[string]*shape{"add": leaf}},
				"config":   leaf,
			}})
		for _, c := range constants {
			s.fields[c.name] = leaf
		}
		for _, c := range extras {
			s.fields[c.name] = leaf
		}
		return s
	}()
)
