// Package tenant contains the playbooks and the catalogue of the tenant of a chaos test.
package tenant

import (
	_ "embed"
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"slices"

	"go.yaml.in/yaml/v4"

	"github.com/oppflow/oppflow/playbook"
	"github.com/oppflow/oppflow/sandbox/catalogue"
)

// Playbook is the playbook of an experiment. Every playbook also calls the tenant's service.
type Playbook string

const (
	// Calls is a playbook that only calls the tenant's service.
	Calls Playbook = ""
	// DefaultPlaybook is the playbook that Oppflow deploys by default.
	DefaultPlaybook Playbook = "default"
	// RichPlaybook has effects before and after each transition, and follow-ups by mail. The
	// disruption DeployPlaybook deploys the default playbook and this playbook in turn.
	RichPlaybook Playbook = "rich"
)

// Playbooks are the playbooks with effects.
func Playbooks() []Playbook { return []Playbook{DefaultPlaybook, RichPlaybook} }

//go:embed rich.yaml
var richFile string

// For a transition between the open steps, the playbook calls the service before and after the
// transition. A follow-up becomes due after some seconds without a message.
const playbookFormat = `services:
  erp: { url: %s, secret: chaos-key }
transitions:
  - name: propose
    to: { step: Opportunity }
    before:
      - call: { service: erp, path: /hold, undo: /drop }
    after:
      - call: { service: erp, path: /moved }
steps:
  - at: { state: Open }
    followUps:
      - name: nudge
        due: { idle: %d seconds }
        repeat: { times: 3, every: 3 seconds }
        do:
          call: { service: erp, path: /nudge }
      - name: long
        due: { inStep: 20 seconds }
        do:
          attention: { text: "the opportunity has been in this step for a long time" }
`

// Text returns the text of a version of the playbook. The first version has the number 0. Each
// version of the playbook rich contains all mails, because a waiting effect may need a mail of an
// earlier version.
func (p Playbook) Text(serviceURL string, version int) (string, error) {
	calls := fmt.Sprintf(playbookFormat, serviceURL, 3+version%2)
	if p == Calls {
		return calls, nil
	}
	merged, err := parseMembers(calls)
	if err != nil {
		return "", err
	}
	rich, err := parseMembers(richFile)
	if err != nil {
		return "", err
	}
	rules := rich
	if p == DefaultPlaybook || version%2 == 1 {
		if rules, err = parseMembers(string(playbook.DefaultFile())); err != nil {
			return "", err
		}
	}
	if p == RichPlaybook {
		merged.add(members{"emails": rich["emails"]})
	}
	merged.add(rules)
	text, err := yaml.Marshal(merged)
	return string(text), err
}

type members map[string]any

func parseMembers(text string) (members, error) {
	var m map[string]any
	err := yaml.Unmarshal([]byte(text), &m)
	return m, err
}

// add joins the lists and objects of both playbooks, and puts the follow-ups of one step into one
// rule.
func (m members) add(other members) {
	for name, value := range other {
		switch value := value.(type) {
		case []any:
			mine, _ := m[name].([]any)
			for _, rule := range value {
				if name != "steps" || !addFollowUps(mine, rule) {
					mine = append(mine, rule)
				}
			}
			m[name] = mine
		case map[string]any:
			mine, _ := m[name].(map[string]any)
			if mine == nil {
				mine = map[string]any{}
			}
			for key, one := range value {
				mine[key] = one
			}
			m[name] = mine
		default:
			m[name] = value
		}
	}
}

// addFollowUps adds the follow-ups of a rule to the rule for the same step, and reports whether the
// list has such a rule.
func addFollowUps(rules []any, rule any) bool {
	added, _ := rule.(map[string]any)
	for _, one := range rules {
		known, _ := one.(map[string]any)
		if !reflect.DeepEqual(known["at"], added["at"]) {
			continue
		}
		first, _ := known["followUps"].([]any)
		second, _ := added["followUps"].([]any)
		known["followUps"] = slices.Concat(first, second)
		return true
	}
	return false
}

// SaleEvents are the keys of the events of sales. Each event has places for all learners.
func SaleEvents() []int64 { return []int64{101, 102, 103} }

// WriteCatalogue writes the default catalogue of the sandbox with the events of sales, and with the
// triggers of a typical tenant for a won opportunity.
func WriteCatalogue(directory string) (path string, err error) {
	c, err := catalogue.Default()
	if err != nil {
		return "", err
	}
	for n := range c.Transitions {
		if c.Transitions[n].To == wonStep {
			c.Transitions[n].Triggers = []string{"account", "token", "invoice"}
		}
	}
	for _, id := range SaleEvents() {
		c.Events = append(c.Events, catalogue.Event{
			ID: id, Template: 12, Region: "UK", Code: fmt.Sprintf("FA-%d", id), Title: "First Aid at Work", State: "published",
			Start: "2032-04-07T09:30:00", End: "2032-04-09T16:30:00", TimeZone: "Europe/London", MaxPlaces: 50_000, Price: "199.90",
		})
	}
	text, err := yaml.Marshal(c)
	if err != nil {
		return "", err
	}
	path = filepath.Join(directory, "catalogue.yaml")
	return path, os.WriteFile(path, text, 0o600)
}

const wonStep = 5
