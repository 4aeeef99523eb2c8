package store

import (
	"context"
	"database/sql"
	"errors"

	"github.com/oppflow/oppflow/sandbox/assumptions"
	"github.com/oppflow/oppflow/sandbox/connection"
	"github.com/oppflow/oppflow/sandbox/globalid"
)

// Stage is a phase of the sale; its State is Open, Won, Lost or Archived.
type Stage struct {
	ID    int64
	Name  string
	State string
}

// GlobalID returns the API's id of the stage.
func (s Stage) GlobalID() string { return globalid.EncodeInt(globalid.OpportunityStage, s.ID) }

// Step is an exact point in the sale, inside a stage.
type Step struct {
	ID    int64
	Name  string
	Stage Stage
}

// GlobalID returns the API's id of the step.
func (s Step) GlobalID() string { return globalid.EncodeInt(globalid.OpportunityStep, s.ID) }

// StepPage is a page of steps.
type StepPage = connection.Page[Step]

// StepEdge is a step with its cursor.
type StepEdge = connection.Edge[Step]

var stages = listing[Stage]{
	from:    "stages g",
	columns: "g.id, g.name, g.state",
	key:     "g.id",
	scan: func(row scanner) (Stage, error) {
		var g Stage
		err := row.Scan(&g.ID, &g.Name, &g.State)
		return g, err
	},
}

var steps = listing[Step]{
	from:    "steps s JOIN stages g ON g.id = s.stage_id",
	columns: "s.id, s.name, g.id, g.name, g.state",
	key:     "s.id",
	fields: map[string]column{
		"id":         intKeyColumn("s.id", globalid.OpportunityStep),
		"name":       {sql: "s.name"},
		"stageId":    intKeyColumn("g.id", globalid.OpportunityStage),
		"stageName":  {sql: "g.name"},
		"stageState": {sql: "g.state"},
	},
	scan: func(row scanner) (Step, error) {
		var s Step
		err := row.Scan(&s.ID, &s.Name, &s.Stage.ID, &s.Stage.Name, &s.Stage.State)
		return s, err
	},
}

// Steps returns the tenant's steps that match the search.
func (s *Store) Steps(ctx context.Context, q Search) (*StepPage, error) {
	return steps.page(ctx, s, q)
}

// entryStep returns the step in which an opportunity starts: the requested step, or the first entry
// step if asked is nil. By default, entryStep refuses a requested step that is not an entry step.
func (s *Store) entryStep(ctx context.Context, q queryer, asked *string) (int64, error) {
	if asked == nil {
		var id int64
		err := q.QueryRowContext(ctx, `SELECT id FROM steps WHERE entry > 0 ORDER BY entry LIMIT 1`).Scan(&id)
		return id, err
	}
	id, err := intKey("entryStepId", *asked, globalid.OpportunityStep)
	if err != nil {
		return 0, err
	}
	var entry int64
	err = q.QueryRowContext(ctx, `SELECT entry FROM steps WHERE id = ?`, id).Scan(&entry)
	switch {
	case errors.Is(err, sql.ErrNoRows):
		return 0, notFound("Step", *asked)
	case err != nil:
		return 0, err
	case entry == 0 && !s.choices.Is(assumptions.CreateEntry, "any"):
		return 0, newRefusal(LabelInvalidValue, *asked, "entryStepId: step %s is not an entry step", *asked)
	}
	return id, nil
}
