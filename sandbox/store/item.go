package store

import (
	"context"

	"github.com/oppflow/oppflow/sandbox/connection"
	"github.com/oppflow/oppflow/sandbox/globalid"
)

// Item is the item of an interest: a CourseTemplate, an Event, a LearningPath or a TrainingTokenType.
type Item interface{ isItem() }

const (
	published = "published"
	cancelled = "cancelled"
)

// CourseTemplate is a course that can be scheduled.
type CourseTemplate struct {
	ID             int64
	Code           string
	Title          string
	LifecycleState string
}

func (CourseTemplate) isItem() {}

// GlobalID returns the API's id of the course template.
func (t CourseTemplate) GlobalID() string { return globalid.EncodeInt(globalid.CourseTemplate, t.ID) }

// CourseTemplatePage is a page of course templates.
type CourseTemplatePage = connection.Page[CourseTemplate]

// CourseTemplateEdge is a course template with its cursor.
type CourseTemplateEdge = connection.Edge[CourseTemplate]

var courseTemplates = listing[CourseTemplate]{
	from:    "course_templates t",
	columns: "t.id, t.code, t.title, t.lifecycle_state",
	key:     "t.id",
	fields: map[string]column{
		"id":             intKeyColumn("t.id", globalid.CourseTemplate),
		"code":           {sql: "t.code"},
		"title":          {sql: "t.title"},
		"lifecycleState": {sql: "t.lifecycle_state"},
	},
	scan: func(row scanner) (CourseTemplate, error) {
		var t CourseTemplate
		err := row.Scan(&t.ID, &t.Code, &t.Title, &t.LifecycleState)
		return t, err
	},
}

// CourseTemplates returns the course templates that match a search, including unpublished course
// templates.
func (s *Store) CourseTemplates(ctx context.Context, q Search) (*CourseTemplatePage, error) {
	return courseTemplates.page(ctx, s, q)
}

// LearningPath is a sequence of courses that is sold as one item.
type LearningPath struct {
	ID             int64
	Code           string
	Name           string
	LifecycleState string
}

func (LearningPath) isItem() {}

// GlobalID returns the API's id of the learning path.
func (p LearningPath) GlobalID() string { return globalid.EncodeInt(globalid.LearningPath, p.ID) }

// LearningPathPage is a page of learning paths.
type LearningPathPage = connection.Page[LearningPath]

// LearningPathEdge is a learning path with its cursor.
type LearningPathEdge = connection.Edge[LearningPath]

var learningPaths = listing[LearningPath]{
	from:    "learning_paths l",
	columns: "l.id, l.code, l.name, l.lifecycle_state",
	key:     "l.id",
	fields: map[string]column{
		"id":             intKeyColumn("l.id", globalid.LearningPath),
		"code":           {sql: "l.code"},
		"name":           {sql: "l.name"},
		"lifecycleState": {sql: "l.lifecycle_state"},
	},
	scan: func(row scanner) (LearningPath, error) {
		var p LearningPath
		err := row.Scan(&p.ID, &p.Code, &p.Name, &p.LifecycleState)
		return p, err
	},
}

// LearningPaths returns the learning paths that match a search, including unpublished learning
// paths.
func (s *Store) LearningPaths(ctx context.Context, q Search) (*LearningPathPage, error) {
	return learningPaths.page(ctx, s, q)
}

// TrainingTokenType is a kind of training token; its key has 32 hexadecimal digits.
type TrainingTokenType struct {
	ID   string
	Code *string
	Name string
}

func (TrainingTokenType) isItem() {}

// GlobalID returns the API's id of the token type, with the prefix "TokenType".
func (t TrainingTokenType) GlobalID() string {
	return globalid.Encode(globalid.TrainingTokenType, t.ID)
}

// TrainingTokenTypePage is a page of training token types.
type TrainingTokenTypePage = connection.Page[TrainingTokenType]

// TrainingTokenTypeEdge is a training token type with its cursor.
type TrainingTokenTypeEdge = connection.Edge[TrainingTokenType]

var trainingTokenTypes = listing[TrainingTokenType]{
	from:    "training_token_types k",
	columns: "k.id, k.code, k.name",
	key:     "k.id",
	fields: map[string]column{
		"id":   textKeyColumn("k.id", globalid.TrainingTokenType),
		"code": {sql: "k.code"},
		"name": {sql: "k.name"},
	},
	scan: func(row scanner) (TrainingTokenType, error) {
		var t TrainingTokenType
		err := row.Scan(&t.ID, &t.Code, &t.Name)
		return t, err
	},
}

// TrainingTokenTypes searches the training token types.
func (s *Store) TrainingTokenTypes(ctx context.Context, q Search) (*TrainingTokenTypePage, error) {
	return trainingTokenTypes.page(ctx, s, q)
}
