//go:build !linux

package modules

import "io/fs"

// systemAttributes are those of lfs.attributes that only the system knows: not asked for here.
func systemAttributes(fs.FileInfo) map[string]int64 { return nil }
