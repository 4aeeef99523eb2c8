// Package catalogue reads what the sandbox starts with: the steps of a tenant's workflow, its regions, accounts and
// what it sells. It reads and checks; it stores nothing and knows no API.
package catalogue

import (
	_ "embed"
	"errors"
	"fmt"
	"os"
	"regexp"
	"slices"
	"strings"
	"time"
	_ "time/tzdata" // the time zones of events are checked where no zone database is installed, too

	"github.com/goccy/go-yaml"
	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/parser"
)

//go:embed default.yaml
var defaultYAML []byte

// Catalogue is a tenant before anything was sold. Ids are the keys inside the API's global ids.
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
	// SendingAddresses and Templates are what mail is sent from and made of.
	SendingAddresses []SendingAddress `yaml:"sendingAddresses"`
	Templates        []Template       `yaml:"templates"`
	// CustomFields are what the tenant wants to know beside what the API knows itself.
	CustomFields []CustomField `yaml:"customFields"`
	// Opportunities are what a new data file holds; later starts add none.
	Opportunities []Opportunity `yaml:"opportunities"`
}

// Currency is a currency by its ISO 4217 code.
type Currency struct {
	Code   string `yaml:"code"`
	Name   string `yaml:"name"`
	Symbol string `yaml:"symbol"`
}

// Region is a sales region; Currency is the one its opportunities have when they name none.
type Region struct {
	ID       string `yaml:"id"`
	Name     string `yaml:"name"`
	Currency string `yaml:"currency"`
}

// Stage is a phase of selling. State is Open, Won, Lost or Archived.
type Stage struct {
	ID    int64  `yaml:"id"`
	Name  string `yaml:"name"`
	State string `yaml:"state"`
}

// Step is a point inside a stage. The first entry step is where opportunities start.
type Step struct {
	ID    int64  `yaml:"id"`
	Name  string `yaml:"name"`
	Stage int64  `yaml:"stage"`
	Entry bool   `yaml:"entry"`
}

// Transition allows the move from one step to another.
type Transition struct {
	From int64 `yaml:"from"`
	To   int64 `yaml:"to"`
	// Required are what must not be empty for the move: account, contact, owner, interests, or the key of an attribute.
	Required []string `yaml:"required"`
	// Triggers are what the move makes: account, contact, registration, token, invoice. They run in this order.
	Triggers []string `yaml:"triggers"`
}

// Triggers are the kinds of them in the order in which they run.
func Triggers() []string { return []string{"account", "contact", "registration", "token", "invoice"} }

// User is somebody who works with the TMS. Contact is who gets mail to the user, 0 for nobody.
type User struct {
	ID        int64  `yaml:"id"`
	FirstName string `yaml:"firstName"`
	LastName  string `yaml:"lastName"`
	Contact   int64  `yaml:"contact"`
}

// SendingAddress is one that mail can be sent from, once it is verified.
type SendingAddress struct {
	ID       int64  `yaml:"id"`
	Name     string `yaml:"name"`
	Address  string `yaml:"address"`
	Verified bool   `yaml:"verified"`
}

// CustomField is something that the tenant wants to know of records of a type: Event, Opportunity, Account, Contact or
// Learner. Kind is how its values are typed in; they are text all the same.
type CustomField struct {
	ID    int64  `yaml:"id"`
	Type  string `yaml:"type"`
	Label string `yaml:"label"`
	Kind  string `yaml:"kind"`
}

// Template is a mail to be sent again and again.
type Template struct {
	ID      int64  `yaml:"id"`
	Name    string `yaml:"name"`
	Subject string `yaml:"subject"`
	Body    string `yaml:"body"`
}

// Account is an organisation that buys, or one person.
type Account struct {
	ID         int64  `yaml:"id"`
	Name       string `yaml:"name"`
	Email      string `yaml:"email"`
	Individual bool   `yaml:"individual"`
	Owner      int64  `yaml:"owner"` // a user, 0 for none
}

// Contact is a person, of an account or of none.
type Contact struct {
	ID        int64  `yaml:"id"`
	Account   int64  `yaml:"account"`
	FirstName string `yaml:"firstName"`
	LastName  string `yaml:"lastName"`
	Email     string `yaml:"email"`
	// Instructor and Staff say that the person teaches, or works for the tenant.
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

// Event is a scheduled run of a course template. State is draft, published or cancelled; Start and End are local to
// TimeZone.
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
	// Type is public or private, "" for public; LearningMode is a word of the tenant's, "" for classroom.
	Type                 string `yaml:"type"`
	LearningMode         string `yaml:"learningMode"`
	RegistrationDeadline string `yaml:"registrationDeadline"` // local to TimeZone
	// Price is what a place costs, a number with two decimal places at the most; Currency is the region's unless given.
	Price    string `yaml:"price"`
	Currency string `yaml:"currency"`
	// Account is who the event is run for, 0 for nobody; Notes are internal.
	Account int64  `yaml:"account"`
	Notes   string `yaml:"notes"`
}

// LearningPath is a sequence of courses sold as one. State is draft or published.
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

// Opportunity is a sale that is under way when the sandbox starts for the first time.
type Opportunity struct {
	ID       int64  `yaml:"id"`
	Name     string `yaml:"name"`
	Region   string `yaml:"region"`
	Account  int64  `yaml:"account"`
	Currency string `yaml:"currency"`
	Step     int64  `yaml:"step"`
}

// Default returns the embedded catalogue: every id and name that the API documentation shows, and some more.
func Default() (*Catalogue, error) { return Parse("default.yaml", defaultYAML) }

// Load reads the catalogue file at path. Errors name the file, line and column.
func Load(path string) (*Catalogue, error) {
	data, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("catalogue: %w", err)
	}
	return Parse(path, data)
}

// Parse reads a catalogue. Unknown and repeated keys, ids that are given twice and references to what is not there
// are errors; each names the file, line and column, and what would be right. All that Parse finds is reported at once.
func Parse(name string, data []byte) (*Catalogue, error) {
	file, err := parser.ParseBytes(data, 0)
	if err != nil {
		return nil, located(name, err)
	}
	if len(file.Docs) > 1 {
		if body := file.Docs[1].Body; body != nil {
			pos := body.GetToken().Position
			return nil, fmt.Errorf("%s:%d:%d: a catalogue is one YAML document, here a second one starts", name, pos.Line, pos.Column)
		}
	}
	var c Catalogue
	if err := yaml.UnmarshalWithOptions(data, &c, yaml.Strict()); err != nil {
		return nil, located(name, err)
	}
	check := &checker{name: name, file: file}
	check.catalogue(&c)
	if len(check.problems) > 0 {
		return nil, errors.Join(check.problems...)
	}
	return &c, nil
}

// located turns an error of the YAML library into one line with a position.
func located(name string, err error) error {
	var y yaml.Error
	if errors.As(err, &y) && y.GetToken() != nil && y.GetToken().Position != nil {
		pos := y.GetToken().Position
		return fmt.Errorf("%s:%d:%d: %s", name, pos.Line, pos.Column, y.GetMessage())
	}
	return fmt.Errorf("%s: %w", name, err)
}

// checker collects what is wrong with a catalogue that could be read.
type checker struct {
	name     string
	file     *ast.File
	problems []error
}

// at reports a problem of one member of a list; key is the key inside the member, or "".
func (c *checker) at(list string, index int, key, format string, args ...any) {
	position := ""
	path := fmt.Sprintf("$.%s[%d]", list, index)
	for _, p := range []string{path + "." + key, path, "$." + list} {
		yp, err := yaml.PathString(strings.TrimSuffix(p, "."))
		if err != nil {
			continue
		}
		node, err := yp.FilterFile(c.file)
		if err == nil && node != nil && node.GetToken() != nil {
			tok := node.GetToken()
			position = fmt.Sprintf(":%d:%d", tok.Position.Line, tok.Position.Column)
			break
		}
	}
	c.problems = append(c.problems, fmt.Errorf("%s%s: %s", c.name, position, fmt.Sprintf(format, args...)))
}

// whole reports a problem of the catalogue as a whole.
func (c *checker) whole(format string, args ...any) {
	c.problems = append(c.problems, fmt.Errorf("%s: %s", c.name, fmt.Sprintf(format, args...)))
}

var (
	regionID    = regexp.MustCompile(`^[A-Za-z]+$`)
	currency    = regexp.MustCompile(`^[A-Z]{3}$`)
	tokenTypeID = regexp.MustCompile(`^[0-9a-f]{32}$`)
	price       = regexp.MustCompile(`^[0-9]{1,9}(\.[0-9]{1,2})?$`)
)

// distinct checks the ids of a list and returns them as a set.
func distinct[T any, K comparable](c *checker, list, key string, rows []T, id func(T) K, valid func(K) bool, right string) map[K]bool {
	seen := make(map[K]bool, len(rows))
	for i, row := range rows {
		k := id(row)
		switch {
		case !valid(k):
			c.at(list, i, key, "%s of %s is %#v, it must be %s", key, list, k, right)
		case seen[k]:
			c.at(list, i, key, "%s %#v is given twice in %s", key, k, list)
		}
		seen[k] = true
	}
	return seen
}

func positive(n int64) bool { return n > 0 }

const aNumber = "a number above 0"

// required checks that a text is there.
func (c *checker) required(list string, i int, key, value string) {
	if strings.TrimSpace(value) == "" {
		c.at(list, i, key, "%s is missing", key)
	}
}

// state checks a state against the words that are allowed.
func (c *checker) state(list string, i int, value string, words ...string) {
	if !slices.Contains(words, value) {
		c.at(list, i, "state", "state is %q, it must be one of %s", value, strings.Join(words, ", "))
	}
}

// refers checks a reference.
func refers[K comparable](c *checker, list string, i int, key string, value K, known map[K]bool, in string) {
	if !known[value] {
		c.at(list, i, key, "%s is %#v, which is not in %s", key, value, in)
	}
}

func (c *checker) catalogue(k *Catalogue) {
	currencies := distinct(c, "currencies", "code", k.Currencies, func(r Currency) string { return r.Code }, currency.MatchString, "three capital letters")
	for i, r := range k.Currencies {
		c.required("currencies", i, "name", r.Name)
	}
	regions := distinct(c, "regions", "id", k.Regions, func(r Region) string { return r.ID }, regionID.MatchString, "letters")
	for i, r := range k.Regions {
		c.required("regions", i, "name", r.Name)
		refers(c, "regions", i, "currency", r.Currency, currencies, "currencies")
	}
	c.workflow(k)

	accounts := distinct(c, "accounts", "id", k.Accounts, func(r Account) int64 { return r.ID }, positive, aNumber)
	for i, r := range k.Accounts {
		c.required("accounts", i, "name", r.Name)
	}
	contacts := distinct(c, "contacts", "id", k.Contacts, func(r Contact) int64 { return r.ID }, positive, aNumber)
	for i, r := range k.Contacts {
		c.required("contacts", i, "firstName", r.FirstName)
		c.required("contacts", i, "lastName", r.LastName)
		if r.Account != 0 {
			refers(c, "contacts", i, "account", r.Account, accounts, "accounts")
		}
	}
	c.people(k, contacts)
	c.items(k, regions, currencies, accounts)
	c.opportunities(k, regions, accounts, currencies)
}

func (c *checker) workflow(k *Catalogue) {
	stages := distinct(c, "stages", "id", k.Stages, func(r Stage) int64 { return r.ID }, positive, aNumber)
	for i, r := range k.Stages {
		c.required("stages", i, "name", r.Name)
		c.state("stages", i, r.State, "Open", "Won", "Lost", "Archived")
	}
	steps := distinct(c, "steps", "id", k.Steps, func(r Step) int64 { return r.ID }, positive, aNumber)
	entry := false
	for i, r := range k.Steps {
		c.required("steps", i, "name", r.Name)
		refers(c, "steps", i, "stage", r.Stage, stages, "stages")
		entry = entry || r.Entry
	}
	if !entry {
		c.whole("no step has entry: true, so no opportunity could be created")
	}
	distinct(c, "transitions", "to", k.Transitions, func(r Transition) [2]int64 { return [2]int64{r.From, r.To} }, func([2]int64) bool { return true }, "")
	for i, r := range k.Transitions {
		refers(c, "transitions", i, "from", r.From, steps, "steps")
		refers(c, "transitions", i, "to", r.To, steps, "steps")
		if r.From == r.To {
			c.at("transitions", i, "to", "a transition leads from step %d to itself", r.From)
		}
		c.words("transitions", i, "required", r.Required, nil)
		c.words("transitions", i, "triggers", r.Triggers, Triggers())
	}
}

// people checks who works with the TMS, and what mail is sent from and made of.
func (c *checker) people(k *Catalogue, contacts map[int64]bool) {
	users := distinct(c, "users", "id", k.Users, func(r User) int64 { return r.ID }, positive, aNumber)
	for i, r := range k.Users {
		c.required("users", i, "firstName", r.FirstName)
		c.required("users", i, "lastName", r.LastName)
		if r.Contact != 0 {
			refers(c, "users", i, "contact", r.Contact, contacts, "contacts")
		}
	}
	for i, r := range k.Accounts {
		if r.Owner != 0 {
			refers(c, "accounts", i, "owner", r.Owner, users, "users")
		}
	}
	distinct(c, "sendingAddresses", "id", k.SendingAddresses, func(r SendingAddress) int64 { return r.ID }, positive, aNumber)
	for i, r := range k.SendingAddresses {
		c.required("sendingAddresses", i, "address", r.Address)
	}
	distinct(c, "customFields", "id", k.CustomFields, func(r CustomField) int64 { return r.ID }, positive, aNumber)
	for i, r := range k.CustomFields {
		c.words("customFields", i, "type", []string{r.Type}, []string{"Event", "Opportunity", "Account", "Contact", "Learner"})
		c.required("customFields", i, "label", r.Label)
		c.required("customFields", i, "kind", r.Kind)
	}
	distinct(c, "templates", "id", k.Templates, func(r Template) int64 { return r.ID }, positive, aNumber)
	for i, r := range k.Templates {
		c.required("templates", i, "name", r.Name)
		c.required("templates", i, "subject", r.Subject)
	}
}

// words checks a list in which nothing may stand twice; of may name the words there are.
func (c *checker) words(list string, i int, key string, words, of []string) {
	seen := make(map[string]bool)
	for _, word := range words {
		switch {
		case strings.TrimSpace(word) == "":
			c.at(list, i, key, "%s has an empty entry", key)
		case seen[word]:
			c.at(list, i, key, "%s names %s twice", key, word)
		case of != nil && !slices.Contains(of, word):
			c.at(list, i, key, "%s names %q, it must be one of %s", key, word, strings.Join(of, ", "))
		}
		seen[word] = true
	}
}

func (c *checker) items(k *Catalogue, regions, currencies map[string]bool, accounts map[int64]bool) {
	templates := distinct(c, "courseTemplates", "id", k.CourseTemplates, func(r CourseTemplate) int64 { return r.ID }, positive, aNumber)
	for i, r := range k.CourseTemplates {
		c.required("courseTemplates", i, "code", r.Code)
		c.required("courseTemplates", i, "title", r.Title)
		c.state("courseTemplates", i, r.State, "draft", "published")
	}
	distinct(c, "events", "id", k.Events, func(r Event) int64 { return r.ID }, positive, aNumber)
	for i, r := range k.Events {
		c.event(i, r, regions, currencies, templates)
		if r.Account != 0 {
			refers(c, "events", i, "account", r.Account, accounts, "accounts")
		}
	}
	distinct(c, "learningPaths", "id", k.LearningPaths, func(r LearningPath) int64 { return r.ID }, positive, aNumber)
	for i, r := range k.LearningPaths {
		c.required("learningPaths", i, "code", r.Code)
		c.required("learningPaths", i, "name", r.Name)
		c.state("learningPaths", i, r.State, "draft", "published")
	}
	distinct(c, "trainingTokenTypes", "id", k.TrainingTokenTypes, func(r TrainingTokenType) string { return r.ID }, tokenTypeID.MatchString, "32 hexadecimal digits in lower case")
	for i, r := range k.TrainingTokenTypes {
		c.required("trainingTokenTypes", i, "name", r.Name)
	}
}

func (c *checker) event(i int, r Event, regions, currencies map[string]bool, templates map[int64]bool) {
	c.required("events", i, "code", r.Code)
	c.required("events", i, "title", r.Title)
	c.state("events", i, r.State, "draft", "published", "cancelled")
	if r.Template != 0 {
		refers(c, "events", i, "template", r.Template, templates, "courseTemplates")
	}
	if r.Region != "" {
		refers(c, "events", i, "region", r.Region, regions, "regions")
	}
	if r.Type != "" && r.Type != "public" && r.Type != "private" {
		c.at("events", i, "type", "type is %q, it must be public or private", r.Type)
	}
	if r.Price != "" && !price.MatchString(r.Price) {
		c.at("events", i, "price", "price is %q, it must be a number such as 250.00", r.Price)
	}
	if r.Currency != "" {
		refers(c, "events", i, "currency", r.Currency, currencies, "currencies")
	}
	for _, t := range []struct{ key, value string }{{"start", r.Start}, {"end", r.End}, {"registrationDeadline", r.RegistrationDeadline}} {
		if _, err := time.Parse("2006-01-02T15:04:05", t.value); t.value != "" && err != nil {
			c.at("events", i, t.key, "%s is %q, it must be a local date and time such as 2031-03-03T09:00:00", t.key, t.value)
		}
	}
	if r.Start != "" && r.End != "" && r.End < r.Start {
		c.at("events", i, "end", "end is before start")
	}
	if r.TimeZone != "" {
		if _, err := time.LoadLocation(r.TimeZone); err != nil {
			c.at("events", i, "timeZone", "timeZone is %q, it must be an IANA name such as Europe/London", r.TimeZone)
		}
	}
	if r.MaxPlaces < 0 || r.MinPlaces < 0 || r.BookedPlaces < 0 {
		c.at("events", i, "maxPlaces", "maxPlaces, minPlaces and bookedPlaces must not be negative")
	}
}

func (c *checker) opportunities(k *Catalogue, regions map[string]bool, accounts map[int64]bool, currencies map[string]bool) {
	steps := make(map[int64]bool, len(k.Steps))
	for _, s := range k.Steps {
		steps[s.ID] = true
	}
	distinct(c, "opportunities", "id", k.Opportunities, func(r Opportunity) int64 { return r.ID }, positive, aNumber)
	for i, r := range k.Opportunities {
		c.required("opportunities", i, "name", r.Name)
		refers(c, "opportunities", i, "region", r.Region, regions, "regions")
		refers(c, "opportunities", i, "step", r.Step, steps, "steps")
		refers(c, "opportunities", i, "currency", r.Currency, currencies, "currencies")
		if r.Account != 0 {
			refers(c, "opportunities", i, "account", r.Account, accounts, "accounts")
		}
	}
}
