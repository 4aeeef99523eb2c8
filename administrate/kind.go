package administrate

import "slices"

// Kind is the kind of an interest's item. It selects the details object of an interest.
type Kind string

// The four kinds of the API documentation. The zero value sends no details object at all
// (observed to be accepted), so it has no learners and no expiry.
const (
	Course       Kind = "course"
	Event        Kind = "event"
	LearningPath Kind = "learning path"
	Tokens       Kind = "tokens"
)

// kindInfo describes a kind: how interests of the kind are added, and how items of the kind are
// looked up by text.
type kindInfo struct {
	kind       Kind
	schemaType string // the type of the items in the schema
	// learnersIn is the details object that holds the learners (documented); empty where the kind
	// has none.
	learnersIn string
	// root is the root field that finds the items.
	root       func(*Assumptions) SchemaName
	alias      string   // of the root field in a document
	textFields []string // the fields that a text is compared with
	selection  string
}

// kinds returns the descriptions of all kinds.
func kinds() []kindInfo {
	return []kindInfo{
		// Events and their filter fields: observed.
		{Event, "Event", "eventDetails", func(*Assumptions) SchemaName { return "events" }, "events", []string{"code", "title"}, "id code title"},
		{Course, "CourseTemplate", "courseDetails", func(a *Assumptions) SchemaName { return a.CourseTemplates }, "templates", []string{"code", "title"}, "id code title"},
		{LearningPath, "LearningPath", "learningPathDetails", func(a *Assumptions) SchemaName { return a.LearningPaths }, "paths", []string{"code", "name"}, "id code title: name"},
		{Tokens, "TrainingTokenType", "", func(a *Assumptions) SchemaName { return a.TokenTypes }, "tokens", []string{"name"}, "id title: name"},
	}
}

// KindOfSchemaType returns the kind of the items that have the type in the schema; "" for a type
// that is no type of items.
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
