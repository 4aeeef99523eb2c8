package names

import (
	"github.com/oppflow/oppflow/activities"
	"github.com/oppflow/oppflow/exchange"
	"github.com/oppflow/oppflow/opportunity"
)

// Resolver looks up ids in the names that the workflow has resolved already and in the worker's
// cache.
type Resolver struct {
	resolved map[exchange.UnresolvedName]opportunity.ID
	cache    *Cache
	// Missing are the names whose ids were not found.
	Missing []exchange.UnresolvedName
	// Used contains the names whose ids were found, with their ids.
	Used map[exchange.UnresolvedName]opportunity.ID
}

// NewResolver returns a Resolver.
func NewResolver(cache *Cache, resolved []exchange.ResolvedName) *Resolver {
	r := &Resolver{
		resolved: make(map[exchange.UnresolvedName]opportunity.ID, len(resolved)), cache: cache, Used: make(map[exchange.UnresolvedName]opportunity.ID),
	}
	for _, one := range resolved {
		r.resolved[one.UnresolvedName] = one.ID
	}
	return r
}

// ID returns the id for the text, or the currency code if the text names a currency. ID returns a
// text unchanged if the text is already an id or a currency code.
func (r *Resolver) ID(typ, text string, wanted []exchange.UnresolvedName) string {
	name := exchange.UnresolvedName{Type: typ, Text: text}
	for _, w := range wanted {
		if w != name {
			continue
		}
		if id, ok := r.resolved[name]; ok {
			r.Used[name] = id
			return string(id)
		}
		if meaning, ok := r.cache.Lookup(name); ok {
			r.Used[name] = meaning.ID
			return string(meaning.ID)
		}
		r.Missing = append(r.Missing, name)
		return ""
	}
	return text
}

// UnresolvedResult returns the result of a request that the worker did not send because it could
// not resolve names.
func (r *Resolver) UnresolvedResult() activities.CallResult {
	return activities.CallResult{Status: exchange.StatusNotSent, Reason: activities.ReasonUnresolvedNames, MissingNames: r.Missing}
}
