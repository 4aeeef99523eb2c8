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

// ErrUnknown reports that no active fault has the given id.
var ErrUnknown = errors.New("there is no fault with this id")

// Injector contains the active rules. An Injector is safe for concurrent use.
type Injector struct {
	mu     sync.Mutex
	lastID int
	rules  []*activeRule
	closed bool
}

type activeRule struct {
	id      int
	rule    Rule
	random  *rand.Rand
	matched int
	hits    int
	held    []*heldRequest
}

// The Injector closes the channel released to release or to discard the request.
type heldRequest struct {
	released  chan struct{}
	discarded bool
}

// Status is a rule and its counters.
type Status struct {
	ID int `json:"id"`
	Rule
	// Matched counts the requests since Set that match the rule's Operation and Contains.
	Matched int `json:"matched"`
	// Hits counts the requests to which the fault applied.
	Hits int `json:"hits"`
	// Held is the number of requests that the rule holds at present.
	Held int `json:"held"`
}

// Set activates a rule and returns its id. When several rules match a request, the rule that was set first applies.
func (p *Injector) Set(r Rule) (int, error) {
	if err := r.Validate(); err != nil {
		return 0, err
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.lastID++
	p.rules = append(p.rules, &activeRule{id: p.lastID, rule: r, random: rand.New(rand.NewPCG(r.Seed, uint64(len(r.Kind))))}) //nolint:gosec // it decides no secret
	return p.lastID, nil
}

// Remove removes a rule. After Remove, the requests that the rule holds continue to run.
func (p *Injector) Remove(id int) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	at := slices.IndexFunc(p.rules, func(a *activeRule) bool { return a.id == id })
	if at < 0 {
		return fmt.Errorf("%w: %d", ErrUnknown, id)
	}
	p.rules[at].releaseHeld(false)
	p.rules = slices.Delete(p.rules, at, at+1)
	return nil
}

// Clear removes all rules. After Clear, the requests that the rules hold continue to run.
func (p *Injector) Clear() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.clear()
}

// Close removes all rules like Clear. After Close, no rule holds a request.
func (p *Injector) Close() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.closed = true
	p.clear()
}

func (p *Injector) clear() {
	for _, a := range p.rules {
		a.releaseHeld(false)
	}
	p.rules = nil
}

// Release releases the requests that the rule holds, and returns the number of these requests. The
// rule stays active.
func (p *Injector) Release(id int) (int, error) { return p.releaseHeld(id, false) }

// Discard discards the requests that the rule holds, and returns the number of these requests. If a
// discarded request was held before it ran, the request does not run. If a discarded request was
// held after it ran, the client gets no response. The rule stays active.
func (p *Injector) Discard(id int) (int, error) { return p.releaseHeld(id, true) }

func (p *Injector) releaseHeld(id int, thrown bool) (int, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, a := range p.rules {
		if a.id == id {
			n := len(a.held)
			a.releaseHeld(thrown)
			return n, nil
		}
	}
	return 0, fmt.Errorf("%w: %d", ErrUnknown, id)
}

func (a *activeRule) releaseHeld(thrown bool) {
	for _, held := range a.held {
		held.discarded = thrown
		close(held.released)
	}
	a.held = nil
}

// List returns the active rules in the order in which they were set.
func (p *Injector) List() []Status {
	p.mu.Lock()
	defer p.mu.Unlock()
	list := make([]Status, len(p.rules))
	for i, a := range p.rules {
		list[i] = Status{ID: a.id, Rule: a.rule, Matched: a.matched, Hits: a.hits, Held: len(a.held)}
	}
	return list
}

// Match is a fault that applies to a request.
type Match struct {
	Rule     Rule
	ID       int
	injector *Injector
}

// Match counts a request in each rule that matches the operations and the text of the request.
// Match returns the fault that applies to the request, or nil if no fault applies.
func (p *Injector) Match(operations []string, text string) *Match {
	p.mu.Lock()
	defer p.mu.Unlock()
	var met *activeRule
	for _, a := range p.rules {
		if a.rule.Operation != "" && !slices.Contains(operations, a.rule.Operation) || !strings.Contains(text, a.rule.Contains) {
			continue
		}
		a.matched++
		if met == nil && a.matches() {
			met = a
		}
	}
	if met == nil {
		return nil
	}
	met.hits++
	return &Match{Rule: met.rule, ID: met.id, injector: p}
}

func (a *activeRule) matches() bool {
	r := a.rule
	from, every := max(r.From, 1), max(r.Every, 1)
	if a.matched < from || (a.matched-from)%every != 0 || r.Times > 0 && a.hits >= r.Times {
		return false
	}
	// A random number is drawn only if all other conditions of the rule match, so the same requests
	// always get the same numbers.
	return r.Probability == 0 || a.random.Float64() < r.Probability
}

// Wait waits until the request is released or ctx ends. Wait returns false when the request is
// discarded.
func (h *Match) Wait(ctx context.Context) bool {
	held := h.addHeld()
	select {
	case <-held.released:
		return !held.discarded
	case <-ctx.Done():
		h.removeHeld(held)
		return true
	}
}

func (h *Match) addHeld() *heldRequest {
	h.injector.mu.Lock()
	defer h.injector.mu.Unlock()
	held := &heldRequest{released: make(chan struct{})}
	for _, a := range h.injector.rules {
		if a.id == h.ID && !h.injector.closed {
			a.held = append(a.held, held)
			return held
		}
	}
	close(held.released) // the rule was removed after Match
	return held
}

func (h *Match) removeHeld(held *heldRequest) {
	h.injector.mu.Lock()
	defer h.injector.mu.Unlock()
	for _, a := range h.injector.rules {
		if a.id == h.ID {
			a.held = slices.DeleteFunc(a.held, func(k *heldRequest) bool { return k == held })
		}
	}
}
