//go:build unix

package modules

import "syscall"

func kill(pid, signal int) error { return syscall.Kill(pid, syscall.Signal(signal)) }
