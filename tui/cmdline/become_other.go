//go:build !unix

package cmdline

// Become is for systems with users as Unix has them.
func Become(string) error { return Wrong("--user: this system has no such thing") }
