package playbook

import (
	"github.com/oppflow/oppflow/exchange"
)

// ReleaseRule has no settings.
type ReleaseRule struct{}

func (r *ReleaseRule) undo() (exchange.UndoLevel, string) {
	return exchange.UndoNone, "an opportunity whose places were released can never reserve places again"
}

func (r *ReleaseRule) describe() string { return "all places are released" }
