package playbook_test

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/oppflow/oppflow/opportunity"
	"github.com/oppflow/oppflow/playbook"
)

func TestUndated(t *testing.T) {
	t.Parallel()
	p, err := playbook.Load([]byte(`
steps:
  - at: { state: Open }
    followUps:
      - { name: soon, due: { beforeStart: 2 days }, do: { attention: { text: t } } }
      - { name: large, due: { beforeStart: 2 days }, when: value > 1000, do: { attention: { text: t } } }
      - { name: expires, due: { beforeTokensExpire: 2 days }, do: { attention: { text: t } } }
      - { name: long, due: { inStep: 2 days }, do: { attention: { text: t } } }
  - at: { state: Won }
    followUps: [{ name: won, due: { beforeStart: 2 days }, do: { attention: { text: t } } }]
`))
	if err != nil {
		t.Fatal(err)
	}
	event := playbook.Interest{Item: "e", Kind: opportunity.Event, Quantity: 1, UnitAmount: amount(t, "10")}
	started, costly := event, event
	started.Start, costly.UnitAmount = at(t, "2031-01-18T09:00:00Z"), amount(t, "2000")
	tokens := playbook.Interest{Item: "t", Kind: opportunity.Tokens, Quantity: 1}
	dated := tokens
	dated.ExpiresAt = "2031-01-18T09:00:00"
	soon, large, expires := playbook.Undated{Name: "soon", Missing: playbook.MissingStart}, playbook.Undated{Name: "large", Missing: playbook.MissingStart}, playbook.Undated{Name: "expires", Missing: playbook.MissingExpiry}
	for name, c := range map[string]struct {
		step      string
		interests []playbook.Interest
		want      []playbook.Undated
	}{
		"no interests":      {"Proposed", nil, nil},
		"a course":          {"Proposed", []playbook.Interest{{Item: "c", Kind: opportunity.Course, Quantity: 1}}, nil},
		"an event":          {"Proposed", []playbook.Interest{event}, []playbook.Undated{soon}},
		"two events":        {"Proposed", []playbook.Interest{event, started, event}, []playbook.Undated{soon}},
		"a costly event":    {"Proposed", []playbook.Interest{costly}, []playbook.Undated{soon, large}},
		"a start":           {"Proposed", []playbook.Interest{started}, nil},
		"tokens":            {"Proposed", []playbook.Interest{tokens}, []playbook.Undated{expires}},
		"tokens that end":   {"Proposed", []playbook.Interest{dated}, nil},
		"both":              {"Proposed", []playbook.Interest{tokens, event}, []playbook.Undated{soon, expires}},
		"another step":      {"Won", []playbook.Interest{tokens, event}, []playbook.Undated{{Name: "won", Missing: playbook.MissingStart}}},
		"a step without it": {"Lost", []playbook.Interest{tokens, event}, nil},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			now := time.Date(2026, 11, 30, 10, 0, 0, 0, time.UTC)
			got := p.Undated(playbook.Facts{Now: now, Step: step(c.step), Entered: now, Interests: c.interests})
			if diff := cmp.Diff(c.want, got); diff != "" {
				t.Error(diff)
			}
		})
	}
}
