package load_test

import (
	"testing"

	"github.com/oppflow/oppflow/e2e/harness"
	"github.com/oppflow/oppflow/stack"
)

// parts are the real parts that a test uses.
type parts struct{ *harness.Parts }

func startParts(t *testing.T, o stack.Options) *parts {
	t.Helper()
	return &parts{harness.Start(t, o)}
}

func startPartsWithoutRace(t *testing.T, o stack.Options) *parts {
	t.Helper()
	return &parts{harness.StartWithoutRace(t, o)}
}

// in returns the same parts for a subtest of the test that started the parts.
func (p *parts) in(t *testing.T) *parts { return &parts{p.In(t)} }
