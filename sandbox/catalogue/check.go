package catalogue

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
	"time"
	_ "time/tzdata" // so events' time zones can be checked on a machine without a zone database

	"go.yaml.in/yaml/v4"
)

type checker struct {
	name     string
	entries  map[string][]yaml.Node
	problems []error
}

// The reported position is the position of the key's value, or the position of the entry if the
// entry lacks the key.
func (c *checker) report(list string, index int, key, format string, args ...any) {
	at := c.entries[list][index]
	var members map[string]yaml.Node
	if err := at.Load(&members); err == nil {
		if member, given := members[key]; given {
			at = member
		}
	}
	c.problems = append(c.problems, fmt.Errorf("%s:%d:%d: %s", c.name, at.Line, at.Column, fmt.Sprintf(format, args...)))
}

func (c *checker) reportGlobal(format string, args ...any) {
	c.problems = append(c.problems, fmt.Errorf("%s: %s", c.name, fmt.Sprintf(format, args...)))
}

var (
	regionID    = regexp.MustCompile(`^[A-Za-z]+$`)
	currency    = regexp.MustCompile(`^[A-Z]{3}$`)
	tokenTypeID = regexp.MustCompile(`^[0-9a-f]{32}$`)
	price       = regexp.MustCompile(`^[0-9]{1,9}(\.[0-9]{1,2})?$`)
)

func checkIDs[T any, K comparable](c *checker, list, key string, rows []T, id func(T) K, valid func(K) bool, right string) map[K]bool {
	seen := make(map[K]bool, len(rows))
	for i, row := range rows {
		k := id(row)
		switch {
		case !valid(k):
			c.report(list, i, key, "%s in the list %s is %#v, but must be %s", key, list, k, right)
		case seen[k]:
			c.report(list, i, key, "%s %#v occurs twice in the list %s", key, k, list)
		}
		seen[k] = true
	}
	return seen
}

func positive(n int64) bool { return n > 0 }

const positiveNumber = "a number above 0"

func (c *checker) checkRequired(list string, i int, key, value string) {
	if strings.TrimSpace(value) == "" {
		c.report(list, i, key, "%s is missing", key)
	}
}

func (c *checker) checkState(list string, i int, value string, words ...string) {
	if !slices.Contains(words, value) {
		c.report(list, i, "state", "state is %q, but must be one of %s", value, strings.Join(words, ", "))
	}
}

func checkReference[K comparable](c *checker, list string, i int, key string, value K, known map[K]bool, in string) {
	if !known[value] {
		c.report(list, i, key, "%s is %#v, which is not in %s of the catalogue", key, value, in)
	}
}

func (c *checker) catalogue(k *Catalogue) {
	currencies := checkIDs(c, "currencies", "code", k.Currencies, func(r Currency) string { return r.Code }, currency.MatchString, "three capital letters")
	for i, r := range k.Currencies {
		c.checkRequired("currencies", i, "name", r.Name)
	}
	regions := checkIDs(c, "regions", "id", k.Regions, func(r Region) string { return r.ID }, regionID.MatchString, "letters")
	for i, r := range k.Regions {
		c.checkRequired("regions", i, "name", r.Name)
		checkReference(c, "regions", i, "currency", r.Currency, currencies, "currencies")
	}
	c.workflow(k)

	accounts := checkIDs(c, "accounts", "id", k.Accounts, func(r Account) int64 { return r.ID }, positive, positiveNumber)
	for i, r := range k.Accounts {
		c.checkRequired("accounts", i, "name", r.Name)
	}
	contacts := checkIDs(c, "contacts", "id", k.Contacts, func(r Contact) int64 { return r.ID }, positive, positiveNumber)
	for i, r := range k.Contacts {
		c.checkRequired("contacts", i, "firstName", r.FirstName)
		c.checkRequired("contacts", i, "lastName", r.LastName)
		if r.Account != 0 {
			checkReference(c, "contacts", i, "account", r.Account, accounts, "accounts")
		}
	}
	c.people(k, contacts)
	c.items(k, regions, currencies, accounts)
	c.opportunities(k, regions, accounts, currencies)
}

func (c *checker) workflow(k *Catalogue) {
	stages := checkIDs(c, "stages", "id", k.Stages, func(r Stage) int64 { return r.ID }, positive, positiveNumber)
	for i, r := range k.Stages {
		c.checkRequired("stages", i, "name", r.Name)
		c.checkState("stages", i, r.State, "Open", "Won", "Lost", "Archived")
	}
	steps := checkIDs(c, "steps", "id", k.Steps, func(r Step) int64 { return r.ID }, positive, positiveNumber)
	entry := false
	for i, r := range k.Steps {
		c.checkRequired("steps", i, "name", r.Name)
		checkReference(c, "steps", i, "stage", r.Stage, stages, "stages")
		entry = entry || r.Entry
	}
	if !entry {
		c.reportGlobal("no step has entry: true, but at least one step must have entry: true")
	}
	checkIDs(c, "transitions", "to", k.Transitions, func(r Transition) [2]int64 { return [2]int64{r.From, r.To} }, func([2]int64) bool { return true }, "")
	for i, r := range k.Transitions {
		checkReference(c, "transitions", i, "from", r.From, steps, "steps")
		checkReference(c, "transitions", i, "to", r.To, steps, "steps")
		if r.From == r.To {
			c.report("transitions", i, "to", "a transition leads from step %d to itself", r.From)
		}
		c.checkWords("transitions", i, "required", r.Required, nil)
		c.checkWords("transitions", i, "triggers", r.Triggers, Triggers())
	}
}

func (c *checker) people(k *Catalogue, contacts map[int64]bool) {
	users := checkIDs(c, "users", "id", k.Users, func(r User) int64 { return r.ID }, positive, positiveNumber)
	for i, r := range k.Users {
		c.checkRequired("users", i, "firstName", r.FirstName)
		c.checkRequired("users", i, "lastName", r.LastName)
		if r.Contact != 0 {
			checkReference(c, "users", i, "contact", r.Contact, contacts, "contacts")
		}
	}
	for i, r := range k.Accounts {
		if r.Owner != 0 {
			checkReference(c, "accounts", i, "owner", r.Owner, users, "users")
		}
	}
	checkIDs(c, "sendingAddresses", "id", k.SendingAddresses, func(r SendingAddress) int64 { return r.ID }, positive, positiveNumber)
	for i, r := range k.SendingAddresses {
		c.checkRequired("sendingAddresses", i, "address", r.Address)
	}
	checkIDs(c, "customFields", "id", k.CustomFields, func(r CustomField) int64 { return r.ID }, positive, positiveNumber)
	for i, r := range k.CustomFields {
		c.checkWords("customFields", i, "type", []string{r.Type}, []string{"Event", "Opportunity", "Account", "Contact", "Learner"})
		c.checkRequired("customFields", i, "label", r.Label)
		c.checkRequired("customFields", i, "kind", r.Kind)
	}
	checkIDs(c, "templates", "id", k.Templates, func(r Template) int64 { return r.ID }, positive, positiveNumber)
	for i, r := range k.Templates {
		c.checkRequired("templates", i, "name", r.Name)
		c.checkRequired("templates", i, "subject", r.Subject)
	}
}

// The argument "of" lists the allowed words; nil allows every word.
func (c *checker) checkWords(list string, i int, key string, words, of []string) {
	seen := make(map[string]bool)
	for _, word := range words {
		switch {
		case strings.TrimSpace(word) == "":
			c.report(list, i, key, "%s has an empty entry", key)
		case seen[word]:
			c.report(list, i, key, "%s contains %s twice", key, word)
		case of != nil && !slices.Contains(of, word):
			c.report(list, i, key, "%s contains %q, but each entry must be one of %s", key, word, strings.Join(of, ", "))
		}
		seen[word] = true
	}
}

func (c *checker) items(k *Catalogue, regions, currencies map[string]bool, accounts map[int64]bool) {
	templates := checkIDs(c, "courseTemplates", "id", k.CourseTemplates, func(r CourseTemplate) int64 { return r.ID }, positive, positiveNumber)
	for i, r := range k.CourseTemplates {
		c.checkRequired("courseTemplates", i, "code", r.Code)
		c.checkRequired("courseTemplates", i, "title", r.Title)
		c.checkState("courseTemplates", i, r.State, "draft", "published")
	}
	checkIDs(c, "events", "id", k.Events, func(r Event) int64 { return r.ID }, positive, positiveNumber)
	for i, r := range k.Events {
		c.event(i, r, regions, currencies, templates)
		if r.Account != 0 {
			checkReference(c, "events", i, "account", r.Account, accounts, "accounts")
		}
	}
	checkIDs(c, "learningPaths", "id", k.LearningPaths, func(r LearningPath) int64 { return r.ID }, positive, positiveNumber)
	for i, r := range k.LearningPaths {
		c.checkRequired("learningPaths", i, "code", r.Code)
		c.checkRequired("learningPaths", i, "name", r.Name)
		c.checkState("learningPaths", i, r.State, "draft", "published")
	}
	checkIDs(c, "trainingTokenTypes", "id", k.TrainingTokenTypes, func(r TrainingTokenType) string { return r.ID }, tokenTypeID.MatchString, "32 hexadecimal digits in lower case")
	for i, r := range k.TrainingTokenTypes {
		c.checkRequired("trainingTokenTypes", i, "name", r.Name)
	}
}

func (c *checker) event(i int, r Event, regions, currencies map[string]bool, templates map[int64]bool) {
	c.checkRequired("events", i, "code", r.Code)
	c.checkRequired("events", i, "title", r.Title)
	c.checkState("events", i, r.State, "draft", "published", "cancelled")
	if r.Template != 0 {
		checkReference(c, "events", i, "template", r.Template, templates, "courseTemplates")
	}
	if r.Region != "" {
		checkReference(c, "events", i, "region", r.Region, regions, "regions")
	}
	if r.Type != "" && r.Type != "public" && r.Type != "private" {
		c.report("events", i, "type", "type is %q, but must be public or private", r.Type)
	}
	if r.Price != "" && !price.MatchString(r.Price) {
		c.report("events", i, "price", "price is %q, but must be a number such as 250.00", r.Price)
	}
	if r.Currency != "" {
		checkReference(c, "events", i, "currency", r.Currency, currencies, "currencies")
	}
	for _, t := range []struct{ key, value string }{{"start", r.Start}, {"end", r.End}, {"registrationDeadline", r.RegistrationDeadline}} {
		if _, err := time.Parse("2006-01-02T15:04:05", t.value); t.value != "" && err != nil {
			c.report("events", i, t.key, "%s is %q, but must be a local date and time such as 2031-03-03T09:00:00", t.key, t.value)
		}
	}
	if r.Start != "" && r.End != "" && r.End < r.Start {
		c.report("events", i, "end", "end is before start")
	}
	if r.TimeZone != "" {
		if _, err := time.LoadLocation(r.TimeZone); err != nil {
			c.report("events", i, "timeZone", "timeZone is %q, but must be an IANA name such as Europe/London", r.TimeZone)
		}
	}
	if r.MaxPlaces < 0 || r.MinPlaces < 0 || r.BookedPlaces < 0 {
		c.report("events", i, "maxPlaces", "maxPlaces, minPlaces and bookedPlaces must not be negative")
	}
}

func (c *checker) opportunities(k *Catalogue, regions map[string]bool, accounts map[int64]bool, currencies map[string]bool) {
	steps := make(map[int64]bool, len(k.Steps))
	for _, s := range k.Steps {
		steps[s.ID] = true
	}
	checkIDs(c, "opportunities", "id", k.Opportunities, func(r Opportunity) int64 { return r.ID }, positive, positiveNumber)
	for i, r := range k.Opportunities {
		c.checkRequired("opportunities", i, "name", r.Name)
		checkReference(c, "opportunities", i, "region", r.Region, regions, "regions")
		checkReference(c, "opportunities", i, "step", r.Step, steps, "steps")
		checkReference(c, "opportunities", i, "currency", r.Currency, currencies, "currencies")
		if r.Account != 0 {
			checkReference(c, "opportunities", i, "account", r.Account, accounts, "accounts")
		}
	}
}
