package fault

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
)

// ErrUnknown reports that there is no rule with the id.
var ErrUnknown = errors.New("there is no such fault")

// Plan holds the rules in force. It is safe for concurrent use.
type Plan struct {
	mu     sync.Mutex
	last   int
	rules  []*active
	closed bool
}

type active struct {
	id      int
	rule    Rule
	chance  *rand.Rand
	matched int
	hits    int
	held    []*kept
}

// kept is a held request. gone is closed when the request continues or is thrown away.
type kept struct {
	gone   chan struct{}
	thrown bool
}

// Status is a rule and its counters.
type Status struct {
	ID int `json:"id"`
	Rule
	// Matched counts the requests of the rule's operation since the rule was set.
	Matched int `json:"matched"`
	// Hits counts the requests that met the fault.
	Hits int `json:"hits"`
	// Held counts the requests that are held now.
	Held int `json:"held"`
}

// Set puts a rule in force and returns its id. When several rules choose a request, the rule that was set first
// applies.
func (p *Plan) Set(r Rule) (int, error) {
	if err := r.Validate(); err != nil {
		return 0, err
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.last++
	p.rules = append(p.rules, &active{id: p.last, rule: r, chance: rand.New(rand.NewPCG(r.Seed, uint64(len(r.Kind))))}) //nolint:gosec // it decides no secret
	return p.last, nil
}

// Remove takes a rule out of force. The requests that it holds continue.
func (p *Plan) Remove(id int) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	at := slices.IndexFunc(p.rules, func(a *active) bool { return a.id == id })
	if at < 0 {
		return fmt.Errorf("%w: %d", ErrUnknown, id)
	}
	p.rules[at].let(false)
	p.rules = slices.Delete(p.rules, at, at+1)
	return nil
}

// Clear takes all rules out of force. The requests that they hold continue.
func (p *Plan) Clear() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.clear()
}

// Close is Clear for good: from now on no request is held.
func (p *Plan) Close() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.closed = true
	p.clear()
}

func (p *Plan) clear() {
	for _, a := range p.rules {
		a.let(false)
	}
	p.rules = nil
}

// Release lets the requests that the rule holds continue, and returns their number. The rule stays in force.
func (p *Plan) Release(id int) (int, error) { return p.let(id, false) }

// Discard throws away what the rule holds: the request never came, or its answer was lost. It returns the number of
// these requests. The rule stays in force.
func (p *Plan) Discard(id int) (int, error) { return p.let(id, true) }

func (p *Plan) let(id int, thrown bool) (int, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, a := range p.rules {
		if a.id == id {
			n := len(a.held)
			a.let(thrown)
			return n, nil
		}
	}
	return 0, fmt.Errorf("%w: %d", ErrUnknown, id)
}

func (a *active) let(thrown bool) {
	for _, held := range a.held {
		held.thrown = thrown
		close(held.gone)
	}
	a.held = nil
}

// List returns the rules in force in the order they were set.
func (p *Plan) List() []Status {
	p.mu.Lock()
	defer p.mu.Unlock()
	list := make([]Status, len(p.rules))
	for i, a := range p.rules {
		list[i] = Status{ID: a.id, Rule: a.rule, Matched: a.matched, Hits: a.hits, Held: len(a.held)}
	}
	return list
}

// Hit is a fault that a request meets.
type Hit struct {
	Rule Rule
	ID   int
	plan *Plan
}

// Take counts a request with the operations and the text. It returns the fault that the request meets, or nil for none.
func (p *Plan) Take(operations []string, text string) *Hit {
	p.mu.Lock()
	defer p.mu.Unlock()
	var met *active
	for _, a := range p.rules {
		if a.rule.Operation != "" && !slices.Contains(operations, a.rule.Operation) || !strings.Contains(text, a.rule.Mentions) {
			continue
		}
		a.matched++
		if met == nil && a.chooses() {
			met = a
		}
	}
	if met == nil {
		return nil
	}
	met.hits++
	return &Hit{Rule: met.rule, ID: met.id, plan: p}
}

// chooses reports whether the rule chooses the request that was counted last.
func (a *active) chooses() bool {
	r := a.rule
	from, every := max(r.From, 1), max(r.Every, 1)
	if a.matched < from || (a.matched-from)%every != 0 || r.Times > 0 && a.hits >= r.Times {
		return false
	}
	// The chance is drawn only where it decides, so the same requests always have the same chances.
	return r.Probability == 0 || a.chance.Float64() < r.Probability
}

// Keep waits until the request is released or ctx ends. It returns false when the request is thrown away.
func (h *Hit) Keep(ctx context.Context) bool {
	held := h.hold()
	select {
	case <-held.gone:
		return !held.thrown
	case <-ctx.Done():
		h.forget(held)
		return true
	}
}

// hold returns a value that shows when the request is released.
func (h *Hit) hold() *kept {
	h.plan.mu.Lock()
	defer h.plan.mu.Unlock()
	held := &kept{gone: make(chan struct{})}
	for _, a := range h.plan.rules {
		if a.id == h.ID && !h.plan.closed {
			a.held = append(a.held, held)
			return held
		}
	}
	close(held.gone) // the rule was removed in between
	return held
}

// forget forgets a held request that needs no release any more.
func (h *Hit) forget(held *kept) {
	h.plan.mu.Lock()
	defer h.plan.mu.Unlock()
	for _, a := range h.plan.rules {
		if a.id == h.ID {
			a.held = slices.DeleteFunc(a.held, func(k *kept) bool { return k == held })
		}
	}
}
