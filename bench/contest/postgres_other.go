//go:build !linux

package contest

import "syscall"

// unprivileged is how PostgreSQL is run: by whoever runs this program. It refuses to be run by root.
func unprivileged(string) (*syscall.SysProcAttr, error) { return nil, nil }
