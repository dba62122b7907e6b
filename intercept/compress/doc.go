// Package compress is the layer of compressed packets that MySQL's protocol puts under its frames,
// with zlib or zstd, as a net.Conn: Read returns the stream of frames, Write takes it. It begins
// with the first byte behind the OK of the login, on each leg of a proxy for itself; it knows
// nothing of what the frames say.
//
// # Numbers
//
// Under compression the numbers of the frames mean nothing to servers and clients: MySQL's server
// sets them to those of its compressed packets whenever it flushes. Somebody without compression
// on the other leg does look at them. So Read gives every frame the number that it would have
// without compression, and whoever reads from a Conn need not know that it is one. Servers do check
// the numbers of compressed packets, which begin anew with each command, so that a Conn that is a
// client begins a packet with every command that it writes.
//
// # Memory
//
// A body expands to less than 16 MiB. It is kept until it has come whole, and expanded whole: what
// does not expand to what its header says is an *Error, and none of it is passed on. Buffers grow
// with what comes, not with what is announced, and large ones are given back at once.
//
// Both algorithms are github.com/klauspost/compress's. The standard library has no zstd, and its
// inflater allocates its tables for each body, which the untouched traffic of a proxy must not.
package compress
