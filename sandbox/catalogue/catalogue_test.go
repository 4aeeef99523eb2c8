package catalogue_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/oppflow/oppflow/sandbox/catalogue"
)

func TestDefaultHoldsWhatTheDocumentationShows(t *testing.T) {
	c, err := catalogue.Default()
	if err != nil {
		t.Fatal(err)
	}
	regions := map[string]string{}
	for _, r := range c.Regions {
		regions[r.ID] = r.Name
	}
	if regions["DR"] != "Dominican Republic" || regions["UK"] != "UK" {
		t.Errorf("regions are %v", regions)
	}
	stages, state := map[int64]catalogue.Stage{}, map[string]bool{}
	for _, s := range c.Stages {
		stages[s.ID] = s
		state[s.State] = true
	}
	if len(state) != 4 {
		t.Errorf("stages have the states %v, want Open, Won, Lost and Archived", state)
	}
	steps := map[int64]catalogue.Step{}
	for _, s := range c.Steps {
		steps[s.ID] = s
	}
	if s := steps[3]; s.Name != "Proposed" || !s.Entry || stages[s.Stage] != (catalogue.Stage{ID: 3, Name: "Proposed", State: "Open"}) {
		t.Errorf("step 3 is %+v in %+v", s, stages[s.Stage])
	}
	if s := steps[4]; s.Name != "Opportunity" || stages[s.Stage].State != "Open" {
		t.Errorf("step 4 is %+v", s)
	}
	reached := map[int64]bool{3: true}
	for range c.Steps {
		for _, tr := range c.Transitions {
			if reached[tr.From] {
				reached[tr.To] = true
			}
		}
	}
	for id, s := range steps {
		if !reached[id] {
			t.Errorf("no transition leads to step %d %s", id, s.Name)
		}
	}
}

const validCatalogue = `
currencies:
  - { code: GBP, name: Pounds, symbol: "£" }
regions:
  - { id: UK, name: UK, currency: GBP }
stages:
  - { id: 1, name: Open, state: Open }
steps:
  - { id: 1, name: First, stage: 1, entry: true }
  - { id: 2, name: Second, stage: 1 }
transitions:
  - { from: 1, to: 2 }
`

func TestParseAcceptsASmallCatalogue(t *testing.T) {
	if _, err := catalogue.Parse("c.yaml", []byte(validCatalogue)); err != nil {
		t.Fatal(err)
	}
}

// Each test case makes one mistake in validCatalogue.
func TestParseErrorsHavePositions(t *testing.T) {
	for _, c := range []struct {
		name, old, new string
		where          string // line:column
		what           string
	}{
		{"unknown key", "name: Second,", "nmae: Second,", "10:14", "nmae"},
		{"unknown list", "transitions:", "transitoins:", "11:1", "transitoins"},
		{"repeated key", "{ from: 1, to: 2 }", "{ from: 1, to: 2, to: 2 }", "12:23", "to"},
		{"wrong type", "{ from: 1,", "{ from: one,", "12:13", "int64"},
		{"broken YAML", "{ from: 1, to: 2 }", "{ from: 1, to: 2", "", "12"},
		{"state", "state: Open", "state: Opened", "7:33", "Archived"},
		{"unknown stage", "Second, stage: 1", "Second, stage: 9", "10:", "not in stages"},
		{"unknown step", "to: 2 }", "to: 9 }", "12:", "not in steps"},
		{"to itself", "to: 2 }", "to: 1 }", "12:", "itself"},
		{"given twice", "{ id: 2,", "{ id: 1,", "10:", "twice"},
		{"not a number above 0", "{ id: 2,", "{ id: 0,", "10:", "above 0"},
		{"region with digits", "{ id: UK,", "{ id: UK1,", "5:", "letters"},
		{"unknown currency", "currency: GBP", "currency: ZZZ", "5:", "not in currencies"},
		{"currency code", "code: GBP", "code: gbp", "3:", "three capital letters"},
		{"no name", "name: Second", "name: \"\"", "10:", "name is missing"},
		{"no entry", ", entry: true", "", "", "entry: true"},
		{"no such trigger", "to: 2 }", "to: 2, triggers: [account, bill] }", "12:", "account, contact, registration, token, invoice"},
		{"trigger twice", "to: 2 }", "to: 2, triggers: [token, token] }", "12:", "token twice"},
		{"requirement twice", "to: 2 }", "to: 2, required: [po, po] }", "12:", "po twice"},
		{"empty requirement", "to: 2 }", "to: 2, required: [\"\"] }", "12:", "empty entry"},
		{"type of an event", "transitions:", "events:\n  - { id: 1, code: a, title: b, state: draft, type: open }\ntransitions:", "12:", "public or private"},
		{"price of an event", "transitions:", "events:\n  - { id: 1, code: a, title: b, state: draft, price: \"1.234\" }\ntransitions:", "12:", "such as 250.00"},
		{"currency of an event", "transitions:", "events:\n  - { id: 1, code: a, title: b, state: draft, currency: ZZZ }\ntransitions:", "12:", "not in currencies"},
		{"account of an event", "transitions:", "events:\n  - { id: 1, code: a, title: b, state: draft, account: 7 }\ntransitions:", "12:", "not in accounts"},
		{"negative places", "transitions:", "events:\n  - { id: 1, code: a, title: b, state: draft, minPlaces: -1 }\ntransitions:", "12:", "negative"},
		{"deadline of an event", "transitions:", "events:\n  - { id: 1, code: a, title: b, state: draft, registrationDeadline: tomorrow }\ntransitions:", "12:", "registrationDeadline"},
		{"empty entry", "transitions:", "  -\ntransitions:", "11:4", "above 0"},
		{"empty key", "transitions:", "~: 1\ntransitions:", "11:1", "~"},
		{"second document", "to: 2 }", "to: 2 }\n---\na: 1", "14:", "one YAML document"},
	} {
		text := strings.Replace(validCatalogue, c.old, c.new, 1)
		if text == validCatalogue {
			t.Fatalf("%s: the case changes nothing", c.name)
		}
		_, err := catalogue.Parse("c.yaml", []byte(text))
		if err == nil {
			t.Errorf("%s: accepted", c.name)
			continue
		}
		line, _, _ := strings.Cut(err.Error(), "\n")
		if !strings.HasPrefix(line, "c.yaml:"+c.where) || !strings.Contains(line, c.what) {
			t.Errorf("%s: %q, want c.yaml:%s and %q", c.name, err, c.where, c.what)
		}
	}
}

func TestParseReportsAllAtOnce(t *testing.T) {
	text := strings.NewReplacer("state: Open", "state: Shut", "to: 2 }", "to: 9 }").Replace(validCatalogue)
	_, err := catalogue.Parse("c.yaml", []byte(text))
	if err == nil || len(strings.Split(err.Error(), "\n")) != 2 {
		t.Errorf("two mistakes are reported as %q", err)
	}
}

func TestLoad(t *testing.T) {
	path := filepath.Join(t.TempDir(), "mine.yaml")
	if err := os.WriteFile(path, []byte(validCatalogue), 0o600); err != nil {
		t.Fatal(err)
	}
	c, err := catalogue.Load(path)
	if err != nil || len(c.Steps) != 2 {
		t.Fatalf("%+v, %v", c, err)
	}
	if _, err := catalogue.Load(path + ".missing"); err == nil || !strings.Contains(err.Error(), "mine.yaml.missing") {
		t.Errorf("a missing file: %v, want its path", err)
	}
}

func FuzzParse(f *testing.F) {
	f.Add([]byte(validCatalogue))
	f.Add([]byte("steps: [1]"))
	f.Add([]byte("- a"))
	f.Add([]byte("a: &a [*a]"))
	f.Add([]byte(""))
	f.Fuzz(func(_ *testing.T, data []byte) {
		_, _ = catalogue.Parse("c.yaml", data) // Parse must return, not panic
	})
}
