//go:build unix

package cmdline

import (
	"fmt"
	"os/user"
	"strconv"
	"syscall"
)

// Become gives the process the rights of a user, which only root can.
func Become(name string) error {
	u, err := user.Lookup(name)
	if err != nil {
		return Wrong("--user: %w", err)
	}
	uid, err := strconv.Atoi(u.Uid)
	if err != nil {
		return Wrong("--user: %w", err)
	}
	gid, err := strconv.Atoi(u.Gid)
	if err != nil {
		return Wrong("--user: %w", err)
	}
	if syscall.Geteuid() == uid {
		return nil
	}
	for _, step := range []func() error{
		func() error { return syscall.Setgroups([]int{gid}) },
		func() error { return syscall.Setgid(gid) },
		func() error { return syscall.Setuid(uid) },
	} {
		if err := step(); err != nil {
			return Broken(fmt.Errorf("become %s: %w. Only root can", name, err))
		}
	}
	return nil
}
