package load_test

import (
	"testing"

	"github.com/oppflow/oppflow/e2e/harness"
	"github.com/oppflow/oppflow/stack"
)

type parts struct{ *harness.Parts }

func startParts(t *testing.T, o stack.Options) *parts {
	t.Helper()
	return &parts{harness.Start(t, o)}
}

func startPartsWithoutRace(t *testing.T, o stack.Options) *parts {
	t.Helper()
	return &parts{harness.StartWithoutRace(t, o)}
}

func (p *parts) in(t *testing.T) *parts { return &parts{p.In(t)} }
