//go:build !unix

package modules

import "errors"

func kill(pid, signal int) error { return errors.ErrUnsupported }
