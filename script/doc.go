// Package script runs Lua scripts written for MySQL Proxy as hooks of the intercept core, and
// snippets of Lua that a person types at a held event.
//
// An Engine is one script file. It implements intercept.Hook: read_query, read_query_result and the
// other hooks of the script see the objects that MySQL Proxy gives them (proxy.connection,
// proxy.queries, proxy.response, the injection object with its result set), and what they return
// becomes an intercept.Verdict. A Console runs snippets; it works with engines and without any.
//
// # One state, one turn
//
// Each engine has one Lua state, which all its connections share: proxy.global and _G are common
// property, a script's own globals and locals belong to one connection. Whoever runs Lua has the
// state's turn. A hook returns its decision and never waits, so the turn is short; files are read
// and output is handed out without it. A call that takes longer than Options.Deadline is ended and
// its event goes on unchanged. What the deadline cannot end is a single call of a library function
// that blocks, such as io.popen: as in MySQL Proxy it stalls every connection of the script. A snippet
// has five seconds, and hooks of the same script wait for it.
//
// # Servers
//
// proxy.connection.backend_ndx is intercept's Conn.Pick: servers, their states and their pools are the
// core's, see there. An Admin is the hook of a listener without any server.
//
// # Looking at scripts
//
// Status counts the calls of each hook and has its last verdict; Lines and LinesOf are the output, tied
// to event and exchange; Try calls the hooks on a copy of an event; Save writes a script and has open
// connections run it. What scripts made of an event is in the journal: intercept's Journal.Acted.
//
// # Queries are planned one by one
//
// The core could be given a script's whole queue at once. It is given the head only, and the next
// query with the verdict on each answer, because read_query_result may still append, prepend, reset
// or close. This makes the order and the counts that scripts observe those of MySQL Proxy.
//
// # Bytes
//
// Lua strings are bytes here as in the original. The string library is this package's own, see
// package lua51, because gopher-lua's takes some of them for UTF-8.
package script
