// Package lpeg is LPeg for scripts: parsing expression grammars as values of Lua, with the interface of
// LPeg 1.0 and the functions that only 0.8, the version of MySQL Proxy, had: Ca, span, print, and Cb with
// the number of a capture.
//
// A pattern is a tree (pattern.go, grammar.go). The first match compiles it (compile.go) for a small
// machine with a stack of choices to come back to (machine.go), which leaves a list of captures. Once the
// whole match is known these become values (capture.go); those of Cmt do while it goes on.
//
// Subjects are bytes. Whatever a script does, its memory has limits: patterns have at most maxSize parts,
// a match at most mostCaptures captures, strings are not longer than string.rep makes them. Host.Tick is
// called every few thousand steps and ends what runs too long.
//
// # Choices
//
// The tree is shared, not copied as in C: p * q costs the same for long patterns as for short ones. What
// patterns look like is bounded by what their program would be. A grammar copies those parts of its rules
// that name rules, so that a pattern with lpeg.V can be part of several grammars.
package lpeg
