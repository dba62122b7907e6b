// Package clients compares what client programs get through the proxy with what they get without it.
//
// Its tests run one list of statements (testdata/statements.txt) with many client libraries, first
// directly, then through a proxy that relays, through one whose hook decodes every message and encodes
// it again, and through one with TLS and compression towards the client, and compare every answer:
// columns with their metadata, rows, counts, warnings, errors. What each program prints need not be
// what the others print; it must be the same every time.
//
// A program is a file of testdata, run by an interpreter of the system, for which Debian has packages;
// go-sql-driver runs in the test itself. It is told by its environment what to do: HOST, PORT, DBUSER,
// PASSWORD, DB, STATEMENTS and UPLOAD (files), and TLS, COMPRESS and BIG if they are set.
package clients
