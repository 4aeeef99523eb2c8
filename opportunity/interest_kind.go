package opportunity

import (
	"slices"
	"strings"
)

// InterestKind is the kind of an interest's item.
type InterestKind string

// The kinds of interests.
const (
	Course InterestKind = "course" // a published course template
	Event  InterestKind = "event"
	Path   InterestKind = "path"   // a learning path
	Tokens InterestKind = "tokens" // training tokens
)

// These are the types in the global ids of items. Some of these names differ from the names of the
// types in the API's schema.
const (
	TypeCourse = "CourseTemplate"
	TypeEvent  = "Course" // an Event in the schema
	TypePath   = "LearningPath"
	TypeTokens = "TokenType" // a TrainingTokenType in the schema
)

// InterestKindInfo describes one kind of interests.
type InterestKindInfo struct {
	Kind InterestKind
	// IDType is the type in the global ids of the items.
	IDType string
	// SchemaType is the name of the items' type in the API's schema.
	SchemaType string
	Noun       string
	// HasPlaces says that places on an item of this kind can be reserved. HasLearners says that an
	// interest of this kind can name learners and contacts. Expires says that an interest of this
	// kind can have an expiry time.
	HasPlaces, HasLearners, Expires bool
}

// InterestKinds returns the descriptions of all kinds.
func InterestKinds() []InterestKindInfo {
	return []InterestKindInfo{
		{Kind: Course, IDType: TypeCourse, SchemaType: "CourseTemplate", Noun: "course template", HasLearners: true},
		{Kind: Event, IDType: TypeEvent, SchemaType: "Event", Noun: "event", HasPlaces: true, HasLearners: true},
		{Kind: Path, IDType: TypePath, SchemaType: "LearningPath", Noun: "learning path", HasLearners: true},
		{Kind: Tokens, IDType: TypeTokens, SchemaType: "TrainingTokenType", Noun: "type of training token", Expires: true},
	}
}

// InterestKindNames returns the names of all kinds.
func InterestKindNames() []string {
	var names []string
	for _, k := range InterestKinds() {
		names = append(names, string(k.Kind))
	}
	return names
}

// InterestKindList returns the names of all kinds as a text: "course, event, path or tokens".
func InterestKindList() string { return anyOf(InterestKindNames()) }

// KindOfIDType returns the kind of interest for a type in a global id.
func KindOfIDType(typ string) (InterestKind, bool) {
	k, ok := findInterestKind(func(k InterestKindInfo) bool { return k.IDType == typ })
	return k.Kind, ok
}

// Info returns the description of the kind; ok is false for an unknown kind.
func (k InterestKind) Info() (_ InterestKindInfo, ok bool) {
	return findInterestKind(func(info InterestKindInfo) bool { return info.Kind == k })
}

func (k InterestKindInfo) withArticle() string {
	if strings.ContainsRune("aeiou", rune(k.Noun[0])) {
		return "an " + k.Noun
	}
	return "a " + k.Noun
}

func findInterestKind(is func(InterestKindInfo) bool) (InterestKindInfo, bool) {
	all := InterestKinds()
	at := slices.IndexFunc(all, is)
	if at < 0 {
		return InterestKindInfo{}, false
	}
	return all[at], true
}

func anyOf(texts []string) string {
	last := len(texts) - 1
	return strings.Join(texts[:last], ", ") + " or " + texts[last]
}
