// Package intercept is the proxy core: it relays MySQL connections, stops at each hook event,
// asks hooks and people what should happen, and does it without the protocol falling out of step.
//
// # Life of a connection
//
// A session owns one client leg and at most one server leg. The login is straight-line code in
// one goroutine (greet.go, login.go): connect_server, read_handshake, read_auth, read_auth_result. Then
// one pump per leg reads; a pump that has bytes takes the session's turn, handles what it has,
// writes to whichever leg is meant, and gives the turn back. MySQL is half-duplex, so the turn is
// rarely contended, and everything under it is single-threaded. Whoever waits, for a person, a
// delay or the turn, has its leg watched, so that a peer that leaves is noticed at once. A client that
// leaves while its command or result is held leaves the event held, for a decision (unawaited.go).
//
// # A login that fails
//
// Every login that comes to nothing, and every COM_CHANGE_USER, ends in a LoginReport: on the connection
// (ConnInfo.LoginFailure) and with a notice in the journal. Servers say little on purpose, and who
// leaves says nothing, so the cause is judged (logincause.go) by what is certain first: the server's error,
// then what mydbg itself refused, then who left and what it had been asked last. Where several
// causes look the same the report says so. The client's certificate cannot cross a proxy, nor can
// MariaDB's proof of a certificate by the password be forged: both are explained, not worked around,
// because that would take the passwords of others.
//
// TLS, compression (package compress) and the PROXY header (package proxyproto) are each leg's own,
// below the frames. A leg is a net.Conn to whoever reads and writes it; a Tap hears frames only.
//
// # A command is a plan
//
// A client's command becomes a plan: an ordered queue of Query, in the plain case the command
// itself. Breakpoints, scripts, a person's edit, "inject before" and "respond without the server"
// all say what they want as a Verdict whose Queries and Answer make the plan. Queries are sent one
// by one; each answer is relayed as it comes (the fast path), or collected whole where somebody
// wants to see or change it, or dropped. However many queries there were, the client gets one
// answer with unbroken sequence numbers. What the client has said and the server has not heard, or
// the other way round (parameter types, long data, column definitions), the session remembers and
// adds to what crosses next. An answer that a hook or a person made is followed as the client will
// follow it, and refused if it would not end where it ends.
//
// # Files and streams
//
// LOAD DATA LOCAL makes the server ask for a file of the client's in the middle of an answer. The
// request is an event of read_query_result with Event.File: what came before it has gone to the
// client, the answer comes behind it. It is part of that event rather than one of its own because
// scripts know seven, and of the answer rather than of the command because a command can ask for
// several files. Only hooks that say FileRequests are asked: to others an answer without packets would
// mean one that streamed. A refused file ends empty for the server, which then goes on with what else
// the command says, and with an error for the client. File contents and binary logs cross as they are
// and are counted; progress.go shows the counts while they run.
//
// # Who decides
//
// At each event a Chain is asked: stops that want the received message (`pre`), automatic hooks
// (scripts) in order, then stops again, then the person if a stop said Hold. Each sees what those
// before it decided in Event.SoFar. Hooks return verdicts and never wait; waiting (a hold, a
// delay) happens in the session, which stops nothing but its own connection.
//
// # Untouched traffic
//
// A message nobody asked for crosses as the same bytes: a batch read from one leg is walked frame
// by frame by the tracker and sent with one write. Nothing is allocated per frame. What the
// tracker cannot explain is relayed all the same and the connection is marked opaque: its
// breakpoints no longer work, its traffic does.
//
// # Looking on
//
// Journal is the memory behind the live list: a ring of exchanges and a bounded arena with their
// bytes, pulled by whoever shows them. A Tap is told what crosses, for recording. Neither can slow
// a connection down: the journal is a copy under a short lock, a Tap must not block.
package intercept
