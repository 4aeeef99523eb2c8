//go:build !linux

package compare

import "syscall"

// unprivileged returns no process attributes, so PostgreSQL runs as the user of this program.
// PostgreSQL refuses to run as root.
func unprivileged(string) (*syscall.SysProcAttr, error) { return nil, nil }
