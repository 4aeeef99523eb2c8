package playbook

import (
	"net/url"
	"strings"

	"github.com/oppflow/oppflow/exchange"
	"github.com/oppflow/oppflow/playbook/diagnostic"
)

// CallRule says which service is called.
type CallRule struct {
	// Service is the name of a service in the playbook's member "services".
	Service string `json:"service"`
	// Path is the path that Oppflow adds to the URL of the service; it begins with a slash.
	Path string `json:"path"`
	// Undo is the path that Oppflow calls in order to undo the call.
	Undo string `json:"undo,omitempty"`
}

func (r *CallRule) undo() (exchange.UndoLevel, string) {
	if r.Undo != "" {
		return exchange.UndoPartial, "Oppflow calls the undo path of the service"
	}
	return exchange.UndoNone, "the call has no undo path"
}

func (r *CallRule) adviceBefore() string {
	return "or set the member \"undo\" to the path of the undo call"
}

func (r *CallRule) describe() string { return "service " + r.Service + " is called at " + r.Path }

func (r *CallRule) check(c *checker, path string) {
	if at := path + ".service"; c.isGiven(at) {
		if _, known := c.rules.Services[r.Service]; !known {
			c.report(at, "there is no service %q under services; %s", diagnostic.Quote(r.Service), diagnostic.Suggest(r.Service, sortedNames(c.rules.Services)))
		}
	}
	for _, one := range []struct{ at, value string }{{path + ".path", r.Path}, {path + ".undo", r.Undo}} {
		if !c.isGiven(one.at) {
			continue
		}
		if u, err := url.Parse(one.value); err != nil || !strings.HasPrefix(one.value, "/") || strings.HasPrefix(one.value, "//") || u.Fragment != "" {
			c.report(one.at, "%q is not a path; begin the path with one slash, such as /orders", diagnostic.Quote(one.value))
		}
	}
}

func (r *CallRule) plan(_ *planner, _ string) any { return r.settings() }

func (r *CallRule) settings() exchange.CallService {
	return exchange.CallService{Service: r.Service, Path: r.Path, UndoPath: r.Undo}
}

func (r *CallRule) isRepeatable() bool { return true }
