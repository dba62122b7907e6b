// Package capture makes TCP streams of captured packets: what each side of a connection sent, in
// order, once. It knows nothing of MySQL.
//
// It keeps no bytes. A segment is handed on when it is its turn, with its place in the file; one that
// came too early is remembered by its place alone and read again when what was missing has come. What
// never comes is reported as missing, as soon as that is plain: the receiver has acknowledged it, or
// much has come behind it, or the capture ends.
//
// Ethernet, loopback, raw IP and Linux' "any" device are decoded here, in a few nanoseconds a packet;
// every other link type, and tunnels, by gopacket's layers. Its reassembly packages are not used: they
// copy every byte and do not say where in the file it was.
package capture
