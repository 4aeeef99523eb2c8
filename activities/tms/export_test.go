package tms

import "time"

// AskFor sets how long the namespace is asked for other runs.
func (a *Activities) AskFor(within time.Duration) { a.askFor = within }
