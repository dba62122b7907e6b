// Package lua51 makes gopher-lua behave as the Lua 5.1 of C does: Open replaces the library functions
// that differ, and the functions of this package read and write values as the C interface would.
//
// Strings are bytes throughout. A number is written with 14 digits, "0x10" and " 12 " are numbers,
// letters are those of ASCII. Where this and C's Lua still differ is told in ../README.md; the
// expressions in testdata are run in both.
package lua51

import (
	lua "github.com/yuin/gopher-lua"
)

// Host is what the libraries need of the program around them.
type Host struct {
	// Tick is called now and then in functions that may take long. It raises an error to end them.
	Tick func(l *lua.LState)
	// Print is given what print prints, without the end of the line.
	Print func(l *lua.LState, text string)
}

// Libs are the libraries of one Lua state.
type Libs struct {
	Host
	l       *lua.LState
	noFiles bool
	xpcall  *lua.LFunction // gopher-lua's
	hidden  []*lua.LTable  // metatables that scripts do not see
}

// Open replaces what differs from Lua 5.1 or would reach beyond a script in a state that has
// gopher-lua's own libraries.
func Open(l *lua.LState, h Host) *Libs {
	b := &Libs{Host: h, l: l}
	b.openBase()
	b.openValues()
	b.openTable()
	b.openMath()
	b.openStrings()
	b.openErrors()
	b.openConcat()
	b.openTraceback()
	b.openGetInfo()
	b.openCoroutines()
	b.openPackage()
	b.openFiles()
	b.openOS()
	return b
}
