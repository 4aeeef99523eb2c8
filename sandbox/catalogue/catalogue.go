// Package catalogue reads and checks the initial data of the sandbox: a tenant's steps, regions,
// accounts and items for sale.
package catalogue

import (
	"bytes"
	_ "embed"
	"errors"
	"fmt"
	"os"
	"unicode/utf8"

	"go.yaml.in/yaml/v4"
)

//go:embed default.yaml
var defaultYAML []byte

// Catalogue is the data of a tenant before the first opportunity. An id in the catalogue is the
// text after the colon in the API's decoded global id.
type Catalogue struct {
	Currencies         []Currency          `yaml:"currencies"`
	Regions            []Region            `yaml:"regions"`
	Stages             []Stage             `yaml:"stages"`
	Steps              []Step              `yaml:"steps"`
	Transitions        []Transition        `yaml:"transitions"`
	Users              []User              `yaml:"users"`
	Accounts           []Account           `yaml:"accounts"`
	Contacts           []Contact           `yaml:"contacts"`
	CourseTemplates    []CourseTemplate    `yaml:"courseTemplates"`
	Events             []Event             `yaml:"events"`
	LearningPaths      []LearningPath      `yaml:"learningPaths"`
	TrainingTokenTypes []TrainingTokenType `yaml:"trainingTokenTypes"`
	SendingAddresses   []SendingAddress    `yaml:"sendingAddresses"`
	Templates          []Template          `yaml:"templates"`
	CustomFields       []CustomField       `yaml:"customFields"`
	// The sandbox writes Opportunities only into a new data file.
	Opportunities []Opportunity `yaml:"opportunities"`
}

// Currency is a currency; Code is its ISO 4217 code.
type Currency struct {
	Code   string `yaml:"code"`
	Name   string `yaml:"name"`
	Symbol string `yaml:"symbol"`
}

// Region is a sales region. Currency is the currency of a new opportunity in the region if the
// create mutation names no currency.
type Region struct {
	ID       string `yaml:"id"`
	Name     string `yaml:"name"`
	Currency string `yaml:"currency"`
}

// Stage is a phase of the sale. State is Open, Won, Lost or Archived.
type Stage struct {
	ID    int64  `yaml:"id"`
	Name  string `yaml:"name"`
	State string `yaml:"state"`
}

// Step is a point inside a stage. A new opportunity starts in the first entry step if the create
// mutation names no step.
type Step struct {
	ID    int64  `yaml:"id"`
	Name  string `yaml:"name"`
	Stage int64  `yaml:"stage"`
	Entry bool   `yaml:"entry"`
}

// Transition allows an opportunity to progress from one step to another.
type Transition struct {
	From int64 `yaml:"from"`
	To   int64 `yaml:"to"`
	// Required lists the values that must not be empty for the transition: account, contact, owner, interests, or
	// the key of an attribute.
	Required []string `yaml:"required,omitempty"`
	// Triggers lists the triggers of the transition: account, contact, registration, token and
	// invoice. The triggers run in the order of the function Triggers, not in the order of the
	// list.
	Triggers []string `yaml:"triggers,omitempty"`
}

// Triggers returns the kinds of triggers in the order in which the triggers of a transition run.
func Triggers() []string { return []string{"account", "contact", "registration", "token", "invoice"} }

// User is a person who works with the TMS. Contact is the contact that receives the user's mail; 0
// means that the user has no contact.
type User struct {
	ID        int64  `yaml:"id"`
	FirstName string `yaml:"firstName"`
	LastName  string `yaml:"lastName"`
	Contact   int64  `yaml:"contact"`
}

// SendingAddress is an e-mail address of the tenant. The TMS sends mail only from a verified
// address.
type SendingAddress struct {
	ID       int64  `yaml:"id"`
	Name     string `yaml:"name"`
	Address  string `yaml:"address"`
	Verified bool   `yaml:"verified"`
}

// CustomField is a field that the tenant has defined for all objects of one type. Type is the kind
// of object that has the field: Event, Opportunity, Account, Contact or Learner. Kind says in which
// form a user enters the values of the field. All values are text.
type CustomField struct {
	ID    int64  `yaml:"id"`
	Type  string `yaml:"type"`
	Label string `yaml:"label"`
	Kind  string `yaml:"kind"`
}

// Template is a mail template with a subject and a body.
type Template struct {
	ID      int64  `yaml:"id"`
	Name    string `yaml:"name"`
	Subject string `yaml:"subject"`
	Body    string `yaml:"body"`
}

// Account is an organisation that buys, or an individual.
type Account struct {
	ID         int64  `yaml:"id"`
	Name       string `yaml:"name"`
	Email      string `yaml:"email"`
	Individual bool   `yaml:"individual"`
	Owner      int64  `yaml:"owner"` // the id of a user; 0 means no owner
}

// Contact is a person with or without an account.
type Contact struct {
	ID        int64  `yaml:"id"`
	Account   int64  `yaml:"account"`
	FirstName string `yaml:"firstName"`
	LastName  string `yaml:"lastName"`
	Email     string `yaml:"email"`
	// Instructor reports that the person teaches. Staff reports that the person works for the
	// tenant.
	Instructor bool `yaml:"instructor"`
	Staff      bool `yaml:"staff"`
}

// CourseTemplate is a course that can be scheduled. State is draft or published.
type CourseTemplate struct {
	ID    int64  `yaml:"id"`
	Code  string `yaml:"code"`
	Title string `yaml:"title"`
	State string `yaml:"state"`
}

// Event is a training event: one date of a course template. State is draft, published or cancelled;
// Start and End are local times of the time zone TimeZone.
type Event struct {
	ID           int64  `yaml:"id"`
	Template     int64  `yaml:"template"`
	Region       string `yaml:"region"`
	Code         string `yaml:"code"`
	Title        string `yaml:"title"`
	State        string `yaml:"state"`
	Start        string `yaml:"start"`
	End          string `yaml:"end"`
	TimeZone     string `yaml:"timeZone"`
	MaxPlaces    int64  `yaml:"maxPlaces"`
	MinPlaces    int64  `yaml:"minPlaces"`
	BookedPlaces int64  `yaml:"bookedPlaces"`
	// Type is public or private; "" means public. The tenant defines the values of LearningMode; ""
	// means classroom.
	Type                 string `yaml:"type"`
	LearningMode         string `yaml:"learningMode"`
	RegistrationDeadline string `yaml:"registrationDeadline"` // a local time of the time zone TimeZone
	// Price is the price of a place, a number with at most two decimal places. If Currency is
	// empty, the price is in the currency of the region.
	Price    string `yaml:"price"`
	Currency string `yaml:"currency"`
	// Account is the account for which the event is held; 0 means no account.
	Account int64  `yaml:"account"`
	Notes   string `yaml:"notes"`
}

// LearningPath is a sequence of courses that is sold as one item. State is draft or published.
type LearningPath struct {
	ID    int64  `yaml:"id"`
	Code  string `yaml:"code"`
	Name  string `yaml:"name"`
	State string `yaml:"state"`
}

// TrainingTokenType is a kind of prepaid token. ID has 32 hexadecimal digits.
type TrainingTokenType struct {
	ID   string `yaml:"id"`
	Code string `yaml:"code"`
	Name string `yaml:"name"`
}

// Opportunity is an open opportunity that a new data file contains at its creation.
type Opportunity struct {
	ID       int64  `yaml:"id"`
	Name     string `yaml:"name"`
	Region   string `yaml:"region"`
	Account  int64  `yaml:"account"`
	Currency string `yaml:"currency"`
	Step     int64  `yaml:"step"`
}

// Default returns the embedded catalogue, which contains every id and name of the API documentation
// and some further entries.
func Default() (*Catalogue, error) { return Parse("default.yaml", defaultYAML) }

// Load reads the catalogue file at path.
func Load(path string) (*Catalogue, error) {
	data, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("catalogue: %w", err)
	}
	return Parse(path, data)
}

// Parse reads a catalogue. Unknown keys, repeated keys, repeated ids and references to missing
// entries are errors. Each error names the file, the line, the column and the correct form. Parse
// reports all errors at once.
func Parse(name string, data []byte) (*Catalogue, error) {
	var documents []yaml.Node
	if err := yaml.Load(data, &documents, yaml.WithAllDocuments()); err != nil {
		return nil, withPosition(name, data, err)
	}
	if len(documents) > 1 {
		second := documents[1].Content[0]
		return nil, fmt.Errorf("%s:%d:%d: a catalogue must be one YAML document, but a second document starts here", name, second.Line, second.Column)
	}
	var c Catalogue
	check := &checker{name: name}
	for _, document := range documents { // none when the file is empty, or has comments only
		keepNulls(&document)
		if err := document.Load(&c, yaml.WithKnownFields()); err != nil {
			return nil, withPosition(name, data, err)
		}
		if err := document.Load(&check.entries); err != nil {
			return nil, withPosition(name, data, err)
		}
	}
	check.catalogue(&c)
	if len(check.problems) > 0 {
		return nil, errors.Join(check.problems...)
	}
	return &c, nil
}

// keepNulls turns null list entries into empty mappings and null keys into strings. Without
// keepNulls, the YAML library would drop null entries and null keys.
func keepNulls(node *yaml.Node) {
	for i, inner := range node.Content {
		keepNulls(inner)
		if inner.Kind != yaml.ScalarNode || inner.ShortTag() != "!!null" {
			continue
		}
		switch {
		case node.Kind == yaml.SequenceNode:
			inner.Kind, inner.Tag, inner.Value = yaml.MappingNode, "!!map", ""
		case node.Kind == yaml.MappingNode && i%2 == 0:
			inner.Tag = "!!str"
		}
	}
}

func withPosition(name string, data []byte, err error) error {
	var wrong *yaml.LoadError
	if !errors.As(err, &wrong) {
		return fmt.Errorf("%s: %w", name, err)
	}
	at := wrong.Mark
	if wrong.ContextMark.Line > 0 && at.Index >= utf8.RuneCount(bytes.TrimRight(data, " \t\r\n")) {
		at = wrong.ContextMark // the position of the YAML construct that is not closed
	}
	return fmt.Errorf("%s:%d:%d: %s", name, max(at.Line, 1), max(at.Column, 1), wrong.Message)
}
