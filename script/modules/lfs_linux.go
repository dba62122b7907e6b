package modules

import (
	"io/fs"
	"syscall"
)

// systemAttributes are those of lfs.attributes that only the system knows.
func systemAttributes(info fs.FileInfo) map[string]int64 {
	st, ok := info.Sys().(*syscall.Stat_t)
	if !ok {
		return nil
	}
	return map[string]int64{
		"dev": int64(st.Dev), "ino": int64(st.Ino), "nlink": int64(st.Nlink), "uid": int64(st.Uid), "gid": int64(st.Gid),
		"rdev": int64(st.Rdev), "access": int64(st.Atim.Sec), "change": int64(st.Ctim.Sec), "blocks": int64(st.Blocks),
		"blksize": int64(st.Blksize),
	}
}
