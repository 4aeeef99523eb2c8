package e2e_test

import (
	"testing"

	"go.temporal.io/sdk/client"

	"github.com/oppflow/oppflow/administrate"
	"github.com/oppflow/oppflow/e2e/harness"
	"github.com/oppflow/oppflow/lifecycle"
	"github.com/oppflow/oppflow/stack"
	"github.com/oppflow/oppflow/starter/story"
)

type parts struct {
	*harness.Parts
	t        *testing.T
	temporal client.Client
	client   *lifecycle.Client
	api      *administrate.Client
}

func startParts(t *testing.T, o stack.Options) *parts {
	t.Helper()
	return newParts(harness.Start(t, o))
}

func newParts(p *harness.Parts) *parts {
	return &parts{Parts: p, t: p.T, temporal: p.Temporal, client: p.Client, api: p.API}
}

func (p *parts) in(t *testing.T) *parts {
	return newParts(p.In(t))
}

func (p *parts) player() story.Connections {
	return story.Connections{Temporal: p.temporal, API: p.api}
}
