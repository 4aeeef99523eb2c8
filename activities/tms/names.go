package tms

import (
	"sync"
	"time"

	"github.com/oppflow/oppflow/activities"
	"github.com/oppflow/oppflow/opportunity"
)

// names remembers the meanings of names for a while, so that most commands need no
// look-up. Only unambiguous meanings are kept.
type names struct {
	keep time.Duration
	now  func() time.Time

	mu    sync.Mutex
	known map[opportunity.Name]remembered
	// steps are the steps from the last look-ups, by their ids.
	steps map[opportunity.ID]rememberedStep
}

type remembered struct {
	meaning opportunity.Named
	until   time.Time
}

type rememberedStep struct {
	step  opportunity.Step
	until time.Time
}

func newNames(keep time.Duration, now func() time.Time) *names {
	return &names{
		keep: keep, now: now, known: make(map[opportunity.Name]remembered), steps: make(map[opportunity.ID]rememberedStep),
	}
}

// maxNames bounds the cache; when the cache is full, everything is looked up again.
const maxNames = 10_000

func (n *names) remember(name opportunity.Name, meaning opportunity.Named) {
	n.mu.Lock()
	defer n.mu.Unlock()
	if len(n.known) >= maxNames {
		clear(n.known)
	}
	n.known[name] = remembered{meaning: meaning, until: n.now().Add(n.keep)}
}

func (n *names) lookup(name opportunity.Name) (opportunity.Named, bool) {
	n.mu.Lock()
	defer n.mu.Unlock()
	found, ok := n.known[name]
	if !ok || n.now().After(found.until) {
		return opportunity.Named{}, false
	}
	return found.meaning, true
}

func (n *names) rememberStep(step opportunity.Step) {
	n.mu.Lock()
	defer n.mu.Unlock()
	if len(n.steps) >= maxNames {
		clear(n.steps)
	}
	n.steps[step.ID] = rememberedStep{step: step, until: n.now().Add(n.keep)}
}

func (n *names) step(id opportunity.ID) (opportunity.Step, bool) {
	n.mu.Lock()
	defer n.mu.Unlock()
	found, ok := n.steps[id]
	if !ok || n.now().After(found.until) {
		return opportunity.Step{}, false
	}
	return found.step, true
}

// dictionary finds ids from what the workflow resolved already and what the worker
// remembers. It collects the names that neither knows.
type dictionary struct {
	resolved map[opportunity.Name]opportunity.ID
	names    *names
	missing  []opportunity.Name
}

func (a *Activities) dictionary(resolved []opportunity.Resolved) *dictionary {
	d := &dictionary{resolved: make(map[opportunity.Name]opportunity.ID, len(resolved)), names: a.names}
	for _, one := range resolved {
		d.resolved[one.Name] = one.ID
	}
	return d
}

// id returns what the API needs for the text: an id, or a currency's code. Text that
// already is an id or a code passes.
func (d *dictionary) id(typ, text string, wanted []opportunity.Name) string {
	name := opportunity.Name{Type: typ, Text: text}
	for _, w := range wanted {
		if w != name {
			continue
		}
		if id, ok := d.resolved[name]; ok {
			return string(id)
		}
		if meaning, ok := d.names.lookup(name); ok {
			return string(meaning.ID)
		}
		d.missing = append(d.missing, name)
		return ""
	}
	return text
}

// unresolved returns the result that nothing was sent because names are missing.
func (d *dictionary) unresolved() activities.Sending {
	return activities.Sending{Fate: opportunity.FateNotSent, Reason: activities.ReasonNames, Missing: d.missing}
}
