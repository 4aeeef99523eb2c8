package names

import (
	"sync"
	"time"

	"github.com/oppflow/oppflow/exchange"
	"github.com/oppflow/oppflow/opportunity"
)

// Cache stores the ids of names for the time ttl, so that most commands need no look-up. Cache
// stores a name only if the name matches exactly one object.
type Cache struct {
	ttl time.Duration
	now func() time.Time

	mu       sync.Mutex
	meanings map[exchange.UnresolvedName]cachedName
	steps    map[opportunity.ID]cachedStep
	// A region without a name is a region that the last look-up did not find.
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

// NewCache returns an empty cache.
func NewCache(ttl time.Duration, now func() time.Time) *Cache {
	return &Cache{
		ttl: ttl, now: now, meanings: make(map[exchange.UnresolvedName]cachedName), steps: make(map[opportunity.ID]cachedStep),
		regions: make(map[opportunity.ID]cachedName),
	}
}

// When a map is full, the cache deletes all entries of the map.
const maxCachedNames = 10_000

// Store stores the object that the name means.
func (c *Cache) Store(name exchange.UnresolvedName, meaning opportunity.Ref) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if len(c.meanings) >= maxCachedNames {
		clear(c.meanings)
	}
	c.meanings[name] = cachedName{meaning: meaning, expiresAt: c.now().Add(c.ttl)}
}

// Lookup returns the object that the name means, if the cache contains the name.
func (c *Cache) Lookup(name exchange.UnresolvedName) (opportunity.Ref, bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	found, ok := c.meanings[name]
	if !ok || c.now().After(found.expiresAt) {
		return opportunity.Ref{}, false
	}
	return found.meaning, true
}

const freshFor = 30 * time.Second

// IsFresh reports whether a look-up within the time freshFor returned the id for the name.
func (c *Cache) IsFresh(name exchange.UnresolvedName, id opportunity.ID) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	found, ok := c.meanings[name]
	return ok && found.meaning.ID == id && found.expiresAt.Sub(c.now()) > c.ttl-freshFor
}

// Forget removes names and their ids from the cache, because the ids may no longer be right.
func (c *Cache) Forget(names []exchange.UnresolvedName) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, name := range names {
		delete(c.meanings, name)
	}
}

// StoreRegion stores the name of a region.
func (c *Cache) StoreRegion(region opportunity.Ref) { c.StoreRegionFor(region, c.ttl) }

// StoreRegionFor stores the name of a region for the given time.
func (c *Cache) StoreRegionFor(region opportunity.Ref, ttl time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if len(c.regions) >= maxCachedNames {
		clear(c.regions)
	}
	c.regions[region.ID] = cachedName{meaning: region, expiresAt: c.now().Add(ttl)}
}

// Region returns the region with the id and its last known name. current is false if the cache time
// of the region is over, or if the region is not in the cache.
func (c *Cache) Region(id opportunity.ID) (region opportunity.Ref, current bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	found, ok := c.regions[id]
	if !ok {
		return opportunity.Ref{ID: id}, false
	}
	return found.meaning, !c.now().After(found.expiresAt)
}

// StoreStep stores a step.
func (c *Cache) StoreStep(step opportunity.Step) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if len(c.steps) >= maxCachedNames {
		clear(c.steps)
	}
	c.steps[step.ID] = cachedStep{step: step, expiresAt: c.now().Add(c.ttl)}
}

// Step returns the step with the id, if the cache contains the step.
func (c *Cache) Step(id opportunity.ID) (opportunity.Step, bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	found, ok := c.steps[id]
	if !ok || c.now().After(found.expiresAt) {
		return opportunity.Step{}, false
	}
	return found.step, true
}
