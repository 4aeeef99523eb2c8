package administrate

import (
	"encoding/json"
	"slices"
	"strings"
)

// Kind is the kind of the item that an interest is about.
type Kind string

// The API documentation describes the four kinds of items: courses, events, learning paths and
// training tokens. For an empty Kind, the client sends no details object (which would contain
// learners or an expiry), so the interest has no learners and no expiry. The API accepts an
// interest without a details object (observed).
const (
	Course       Kind = "course"
	Event        Kind = "event"
	LearningPath Kind = "learning path"
	Tokens       Kind = "tokens"
)

type kindInfo struct {
	kind       Kind
	schemaType string
	noun       string
	// learnersIn is the name of the details object with the learners (documented), "" for a kind
	// without learners. The member expiryIn is the name of the details object with the expiry
	// (documented), "" for a kind without an expiry.
	learnersIn, expiryIn string
	itemType             func(*Assumptions) SchemaName
	// codeField is the schema field with the code of an item, empty for a kind without codes;
	// titleField is the field with the title. The members codeAlias and titleAlias are the aliases
	// of codeField and titleField in the selection of an interest's item. Each kind needs its own
	// aliases, because the API refuses a query that uses one response key for fields of different
	// types.
	codeField, codeAlias, titleField, titleAlias string
	// hasStart says that items of this kind have the field start, which contains a local time
	// (observed, API notes 5.3).
	hasStart  bool
	root      func(*Assumptions) SchemaName
	rootAlias string
}

func kinds() []kindInfo {
	named := func(name SchemaName) func(*Assumptions) SchemaName {
		return func(*Assumptions) SchemaName { return name }
	}
	return []kindInfo{
		{ // the type of events and the filter fields code and title are observed
			kind: Event, schemaType: "Event", noun: "event", learnersIn: "eventDetails",
			itemType:  func(a *Assumptions) SchemaName { return a.EventItem },
			codeField: "code", codeAlias: "eventCode", titleField: "title", titleAlias: "eventTitle", hasStart: true,
			root: named("events"), rootAlias: "events",
		},
		{
			kind: Course, schemaType: "CourseTemplate", noun: "course", learnersIn: "courseDetails",
			itemType:  named("CourseTemplate"),
			codeField: "code", codeAlias: "templateCode", titleField: "title", titleAlias: "templateTitle",
			root: func(a *Assumptions) SchemaName { return a.CourseTemplates }, rootAlias: "templates",
		},
		{
			kind: LearningPath, schemaType: "LearningPath", noun: "learning path", learnersIn: "learningPathDetails",
			itemType:  named("LearningPath"),
			codeField: "code", codeAlias: "pathCode", titleField: "name", titleAlias: "pathName",
			root: func(a *Assumptions) SchemaName { return a.LearningPaths }, rootAlias: "paths",
		},
		{
			kind: Tokens, schemaType: "TrainingTokenType", noun: "tokens", expiryIn: "trainingTokenDetails",
			itemType:   named("TrainingTokenType"),
			titleField: "name", titleAlias: "tokenName",
			root: func(a *Assumptions) SchemaName { return a.TokenTypes }, rootAlias: "tokens",
		},
	}
}

func (k kindInfo) textFields() []string {
	if k.codeField == "" {
		return []string{k.titleField}
	}
	return []string{k.codeField, k.titleField}
}

func (k kindInfo) selection() string {
	selection := "id"
	if k.codeField != "" {
		selection += " code"
	}
	if k.hasStart {
		selection += " start"
	}
	if k.titleField == "title" {
		return selection + " title"
	}
	return selection + " title: " + k.titleField
}

func (a *Assumptions) selectItem() string {
	selection := "item { id __typename"
	for _, k := range kinds() {
		if k.itemType(a) == Off {
			continue
		}
		selection += " ... on " + string(k.itemType(a)) + " {"
		if k.codeField != "" {
			selection += " " + k.codeAlias + ": " + k.codeField
		}
		selection += " " + k.titleAlias + ": " + k.titleField + " }"
	}
	return selection + " }"
}

type itemDTO map[string]json.RawMessage

func (i itemDTO) text(alias string) string {
	var text string
	_ = json.Unmarshal(i[alias], &text) // text stays empty for a missing member and for null
	return text
}

// A response contains the aliases of only one kind, because an item has only one type.
func (i itemDTO) item() Item {
	item := Item{ID: i.text("id"), Type: i.text("__typename")}
	for _, k := range kinds() {
		item.Code += i.text(k.codeAlias)
		item.Title += i.text(k.titleAlias)
	}
	return item
}

// KindOfSchemaType returns the Kind whose items have the schema type typ, or "" if no Kind has this
// type.
func KindOfSchemaType(typ string) Kind {
	all := kinds()
	at := slices.IndexFunc(all, func(k kindInfo) bool { return k.schemaType == typ })
	if at < 0 {
		return ""
	}
	return all[at].kind
}

func (k Kind) info() (_ kindInfo, known bool) {
	all := kinds()
	at := slices.IndexFunc(all, func(i kindInfo) bool { return i.kind == k })
	if at < 0 {
		return kindInfo{}, false
	}
	return all[at], true
}

func nounsOf(selected func(kindInfo) bool) string {
	var nouns []string
	for _, k := range kinds() {
		if selected(k) {
			nouns = append(nouns, k.noun)
		}
	}
	if last := len(nouns) - 1; last > 0 {
		return strings.Join(nouns[:last], ", ") + " and " + nouns[last]
	}
	return nouns[0]
}
