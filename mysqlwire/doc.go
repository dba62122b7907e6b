// Package mysqlwire turns MySQL client/server frames into typed messages and back.
// It does no I/O and knows nothing about proxies. Decoded messages share memory with
// the bytes they came from: clone what must outlive the next read.
//
// The package has three layers, each usable without the next:
//
//   - Header, AppendPacket: frames of up to MaxFrame bytes, their sequence numbers, and
//     payloads split over and joined from them.
//   - Tracker: given the header and the first HeadLen bytes of every frame that crosses a
//     connection, says what each frame is, and where an exchange (one command and its whole
//     answer) begins and ends. Decoder adds the memory that decoding needs: statement texts,
//     parameter types and column definitions that earlier packets carried.
//   - Message: the typed form of one payload. Decode and Encode are inverse to each other for
//     every payload that decodes; bytes past what is known are kept in a Rest field. Dissect
//     runs the same decoder with a trace and returns the tree of fields with their byte
//     ranges, so what a person is shown cannot differ from what the program understood.
//
// What decoding needs beyond the bytes (agreed capabilities, column types, parameter types) is
// passed in a Context, never set on a message. Lengths from the wire are checked before they
// size anything. An unknown payload is not an error: it becomes Unknown and survives unchanged.
//
// Names are MySQL's own: packets and commands as in the server's protocol documentation,
// capability and status flags as in its headers without the CLIENT_ and SERVER_STATUS_ prefix.
package mysqlwire
