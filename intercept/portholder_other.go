//go:build !linux

package intercept

// portHolder is known on Linux only.
func portHolder(string) string { return "" }
