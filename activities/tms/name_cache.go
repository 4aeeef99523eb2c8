package tms

import (
	"sync"
	"time"

	"github.com/oppflow/oppflow/activities"
	"github.com/oppflow/oppflow/exchange"
	"github.com/oppflow/oppflow/opportunity"
)

// nameCache stores the ids of names for ttl, so that most commands need no look-up. nameCache
// stores only names that match exactly one object.
type nameCache struct {
	ttl time.Duration
	now func() time.Time

	mu       sync.Mutex
	meanings map[exchange.UnresolvedName]cachedName
	// steps are the steps from the last look-ups, by their ids.
	steps map[opportunity.ID]cachedStep
	// regions are the names of regions, by their ids. A region has no name if the last look-up did
	// not find it.
	regions map[opportunity.ID]cachedName
}

type cachedName struct {
	meaning   opportunity.Ref
	expiresAt time.Time
}

type cachedStep struct {
	step      opportunity.Step
	expiresAt time.Time
}

func newNameCache(keep time.Duration, now func() time.Time) *nameCache {
	return &nameCache{
		ttl: keep, now: now, meanings: make(map[exchange.UnresolvedName]cachedName), steps: make(map[opportunity.ID]cachedStep),
		regions: make(map[opportunity.ID]cachedName),
	}
}

// maxCachedNames is the largest size of each map of the cache. When a map is full, the cache
// empties it.
const maxCachedNames = 10_000

func (n *nameCache) store(name exchange.UnresolvedName, meaning opportunity.Ref) {
	n.mu.Lock()
	defer n.mu.Unlock()
	if len(n.meanings) >= maxCachedNames {
		clear(n.meanings)
	}
	n.meanings[name] = cachedName{meaning: meaning, expiresAt: n.now().Add(n.ttl)}
}

func (n *nameCache) lookup(name exchange.UnresolvedName) (opportunity.Ref, bool) {
	n.mu.Lock()
	defer n.mu.Unlock()
	found, ok := n.meanings[name]
	if !ok || n.now().After(found.expiresAt) {
		return opportunity.Ref{}, false
	}
	return found.meaning, true
}

// freshFor is how long a name counts as just looked up.
const freshFor = 30 * time.Second

// isFresh reports whether the name was looked up just now, with the id as its meaning.
func (n *nameCache) isFresh(name exchange.UnresolvedName, id opportunity.ID) bool {
	n.mu.Lock()
	defer n.mu.Unlock()
	found, ok := n.meanings[name]
	return ok && found.meaning.ID == id && found.expiresAt.Sub(n.now()) > n.ttl-freshFor
}

// forget removes the meanings of names, because they may no longer be right.
func (n *nameCache) forget(names []exchange.UnresolvedName) {
	n.mu.Lock()
	defer n.mu.Unlock()
	for _, name := range names {
		delete(n.meanings, name)
	}
}

// storeRegion stores the name of a region for the time.
func (n *nameCache) storeRegion(region opportunity.Ref, keep time.Duration) {
	n.mu.Lock()
	defer n.mu.Unlock()
	if len(n.regions) >= maxCachedNames {
		clear(n.regions)
	}
	n.regions[region.ID] = cachedName{meaning: region, expiresAt: n.now().Add(keep)}
}

// region returns the region with the id, and its last known name. current is false if no look-up
// has read the regions lately.
func (n *nameCache) region(id opportunity.ID) (region opportunity.Ref, current bool) {
	n.mu.Lock()
	defer n.mu.Unlock()
	found, ok := n.regions[id]
	if !ok {
		return opportunity.Ref{ID: id}, false
	}
	return found.meaning, !n.now().After(found.expiresAt)
}

func (n *nameCache) storeStep(step opportunity.Step) {
	n.mu.Lock()
	defer n.mu.Unlock()
	if len(n.steps) >= maxCachedNames {
		clear(n.steps)
	}
	n.steps[step.ID] = cachedStep{step: step, expiresAt: n.now().Add(n.ttl)}
}

func (n *nameCache) step(id opportunity.ID) (opportunity.Step, bool) {
	n.mu.Lock()
	defer n.mu.Unlock()
	found, ok := n.steps[id]
	if !ok || n.now().After(found.expiresAt) {
		return opportunity.Step{}, false
	}
	return found.step, true
}

// nameResolver finds ids in the names that the workflow has resolved already and in the worker's
// cache. nameResolver collects the names whose ids it cannot find.
type nameResolver struct {
	resolved map[exchange.UnresolvedName]opportunity.ID
	cache    *nameCache
	missing  []exchange.UnresolvedName
	// used are the ids of the names that were found.
	used map[exchange.UnresolvedName]opportunity.ID
}

func (a *Activities) newNameResolver(resolved []exchange.ResolvedName) *nameResolver {
	d := &nameResolver{
		resolved: make(map[exchange.UnresolvedName]opportunity.ID, len(resolved)), cache: a.nameCache, used: make(map[exchange.UnresolvedName]opportunity.ID),
	}
	for _, one := range resolved {
		d.resolved[one.UnresolvedName] = one.ID
	}
	return d
}

// id returns the id for the text, or the code if the text names a currency. id returns a text
// unchanged if the text is already an id or a code.
func (d *nameResolver) id(typ, text string, wanted []exchange.UnresolvedName) string {
	name := exchange.UnresolvedName{Type: typ, Text: text}
	for _, w := range wanted {
		if w != name {
			continue
		}
		if id, ok := d.resolved[name]; ok {
			d.used[name] = id
			return string(id)
		}
		if meaning, ok := d.cache.lookup(name); ok {
			d.used[name] = meaning.ID
			return string(meaning.ID)
		}
		d.missing = append(d.missing, name)
		return ""
	}
	return text
}

// unresolvedResult returns the result of a request that the worker did not send because it could
// not resolve names.
func (d *nameResolver) unresolvedResult() activities.CallResult {
	return activities.CallResult{Status: exchange.StatusNotSent, Reason: activities.ReasonUnresolvedNames, MissingNames: d.missing}
}
