// Package sessions keeps MySQL sessions on disk and reads them again: our own recordings, and anybody's
// pcap or pcapng.
//
// # Recordings
//
// A Recorder is an intercept.Tap that writes a pcapng file. It has two interfaces, client and server:
// each proxied connection is a synthetic TCP stream on each, TLS and compression undone, so that what
// the client said and what the server was told stand side by side, and every capture tool reads it.
// What was decided and why is in custom blocks with JSON, which such tools skip. Wire bytes are the truth:
// everything that can be derived from them is derived again at each opening, by the same decoder
// that runs live, and a file without our blocks is read all the same. Logins are masked.
//
// # Reading
//
// Open indexes a file: which connections there are, which exchanges they had, when and with what
// result. The index is some hundred bytes an exchange and a few a packet; the bytes stay in the file
// and are read when they are asked for. The same types come from a recording and from somebody's
// tcpdump:
//
//	r, err := sessions.Open("session.pcapng", sessions.Options{})
//	if err != nil {
//		return err
//	}
//	defer r.Close()
//	for _, c := range r.Conns() {
//		fmt.Println(c.User, c.DB, c.Server, c.Marks) // c.Login has capabilities, collation, attributes
//		for rec, err := range r.Records(c.ID) {
//			if err != nil {
//				return err
//			}
//			m, err := rec.Message()            // the command: *mysqlwire.Query, *mysqlwire.StmtExecute with its values, …
//			results, err := rec.Results()      // the answer as the client got it
//			fmt.Println(rec.Statement, rec.DB, rec.Took(), m, results, err)
//		}
//	}
//
// Exchanges are numbered from 1 in the order they began, over all connections; a Seq of one reader is good for
// as long as that is open. An exchange that mydbg itself added (injected by a script or a person) has a
// Parent and MarkInjected: whoever sends a session again skips those, whoever shows it does not.
//
// What is not in a capture is never guessed: a connection whose beginning or middle is missing says so
// in its Marks, exchanges with missing bytes have MarkPartial, and what a connection said under TLS is
// counted and not decoded.
//
// A Reader may be used by several goroutines. Start returns at once and indexes in the background; what
// has been indexed can be read while the rest is.
package sessions
