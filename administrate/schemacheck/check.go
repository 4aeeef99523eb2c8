// Package schemacheck compares a tenant's GraphQL schema with every document that the client may
// send.
package schemacheck

import (
	"context"
	"slices"
	"strings"

	gql "github.com/vektah/gqlparser/v2/ast"
	"github.com/vektah/gqlparser/v2/gqlerror"
	queries "github.com/vektah/gqlparser/v2/parser"
	"github.com/vektah/gqlparser/v2/validator"
	"github.com/vektah/gqlparser/v2/validator/rules"

	"github.com/oppflow/oppflow/administrate"
)

// Report says how a tenant's schema differs from what the client sends and reads.
type Report struct {
	// Operations is the number of different documents that Check compared.
	Operations int
	// Mismatches lists the differences between the tenant's schema and the documented or observed
	// API. Each entry of Mismatches makes at least one operation of Oppflow fail at this tenant.
	Mismatches []Mismatch
	// FailedAssumptions are the assumptions about the API that are wrong for this tenant.
	FailedAssumptions []FailedAssumption
	// SideEffects reports on the operations that only the effects and follow-ups of a playbook use,
	// because a tenant without a playbook does not need these operations. SideEffects repeats no
	// problem that is in the members Mismatches or FailedAssumptions of the Report.
	SideEffects SideEffectsReport
}

// SideEffectsReport is the report on the operations that only the effects and follow-ups of a
// playbook use. If the tenant's schema lacks an operation of this report, only the effects and
// follow-ups that use the operation fail.
type SideEffectsReport struct {
	Operations        int
	Mismatches        []Mismatch
	FailedAssumptions []FailedAssumption
}

// Mismatch is one difference between a document that the client sends and the tenant's schema.
type Mismatch struct {
	// Problem describes the difference in one line, such as `Cannot query field "attributes" on
	// type "Opportunity".`
	Problem string
	// Operations lists the operations that fail because of the difference, such as "read an
	// opportunity".
	Operations []string
}

// FailedAssumption is an assumption about the API that is wrong for the tenant.
type FailedAssumption struct {
	// Entry is the name of the assumption's member in type Assumptions, such as "Regions".
	Entry string
	// Name is the assumed or corrected schema name. Name is empty if the assumption is not about a
	// name but about the form of data.
	Name administrate.SchemaName
	// Cost says what Oppflow cannot do if the assumption is Off.
	Assumption, Cost string
	// Line is the source line of the assumption, such as "administrate/assumed.go:97"; there, a
	// developer corrects the name or sets the assumption to Off.
	Line       string
	Mismatches []Mismatch
}

// Check reads the tenant's schema in one request, which changes nothing in the TMS. Check compares
// the schema with every document that the client may send. Check fails with
// IntrospectionDisabledError if the API does not return the tenant's schema.
func Check(ctx context.Context, client *administrate.Client) (Report, error) {
	schema, err := introspect(ctx, client)
	if err != nil {
		return Report{}, err
	}
	return (&checker{schema: schema, problemsByKey: map[string][]string{}}).check(ctx, client.Assumptions())
}

type checker struct {
	schema        *gql.Schema
	problemsByKey map[string][]string // maps the text and variables of a document to the problems of the document
}

func (c *checker) check(ctx context.Context, assumed administrate.Assumptions) (Report, error) {
	basics, extras := coreRecordings, sideEffectRecordings
	known := mismatchSet{}
	missing, unmet, err := c.findMismatches(ctx, basics, assumed, assumed.Core(), known)
	if err != nil {
		return Report{}, err
	}
	checked := Report{Operations: len(basics.operations), Mismatches: missing, FailedAssumptions: unmet, SideEffects: SideEffectsReport{Operations: len(extras.operations)}}
	checked.SideEffects.Mismatches, checked.SideEffects.FailedAssumptions, err = c.findMismatches(ctx, extras, assumed, assumed.SideEffect(), known)
	return checked, err
}

// findMismatches compares the schema with the documents of uses, and returns the problems that a
// failed assumption causes separately from all other problems. A problem that occurs while every
// assumption is Off has no assumption as its cause. If only one assumption is on and a further
// problem occurs, this assumption is the cause.
//
// findMismatches adds every problem to known.
func (c *checker) findMismatches(
	ctx context.Context, uses *recordings, assumed administrate.Assumptions, own []administrate.Assumption, known mismatchSet,
) ([]Mismatch, []FailedAssumption, error) {
	var nothing administrate.Assumptions
	for _, e := range nothing.All() {
		*e.Name = administrate.Off
	}
	documented := mismatchSet{}
	if err := c.compare(ctx, uses, nothing, documented); err != nil {
		return nil, nil, err
	}
	notes, err := administrate.AssumptionNotes()
	if err != nil {
		return nil, nil, err
	}
	all := documented.withoutKnown(known)
	known.addAll(documented)
	var unmet []FailedAssumption
	explained := mismatchSet{}
	for i, e := range assumed.All() {
		if *e.Name == administrate.Off {
			continue
		}
		one := nothing
		*one.All()[i].Name = *e.Name
		found := mismatchSet{}
		if err := c.compare(ctx, uses, one, found); err != nil {
			return nil, nil, err
		}
		missing := found.withoutKnown(known)
		if len(missing) == 0 {
			continue
		}
		explained.addAll(found)
		if !slices.ContainsFunc(own, func(o administrate.Assumption) bool { return o.Entry == e.Entry }) {
			continue
		}
		note := notes[e.Entry]
		unmet = append(unmet, FailedAssumption{
			Entry: e.Entry, Name: *e.Name, Assumption: note.Assumption, Cost: note.Cost, Line: note.Line, Mismatches: missing,
		})
	}

	// A problem that is in together but not yet in known occurs only if several assumptions are on
	// at the same time.
	together := mismatchSet{}
	if err := c.compare(ctx, uses, assumed, together); err != nil {
		return nil, nil, err
	}
	known.addAll(explained)
	all = append(all, together.withoutKnown(known)...)
	known.addAll(together)
	return all, unmet, nil
}

type mismatchSet map[string][]string

func (d mismatchSet) addOne(problem, use string) {
	if !slices.Contains(d[problem], use) {
		d[problem] = append(d[problem], use)
	}
}

func (d mismatchSet) addAll(other mismatchSet) {
	for problem, uses := range other {
		for _, use := range uses {
			d.addOne(problem, use)
		}
	}
}

func (d mismatchSet) withoutKnown(known mismatchSet) []Mismatch {
	var all []Mismatch
	for problem, uses := range d {
		if _, old := known[problem]; !old {
			all = append(all, Mismatch{Problem: problem, Operations: uses})
		}
	}
	slices.SortFunc(all, func(a, b Mismatch) int { return strings.Compare(a.Problem, b.Problem) })
	return all
}

func (c *checker) compare(ctx context.Context, uses *recordings, assumed administrate.Assumptions, found mismatchSet) error {
	made, err := uses.forAssumptions(ctx, assumed)
	if err != nil {
		return err
	}
	for _, r := range made {
		for _, problem := range c.findProblems(ctx, r, assumed) {
			found.addOne(problem, r.operation.Name)
		}
	}
	return nil
}

// findProblems returns the reasons why the tenant's API would refuse the document of the recording.
// If there is no such reason, findProblems returns the response fields whose type the client cannot
// read.
func (c *checker) findProblems(ctx context.Context, r *recording, assumed administrate.Assumptions) []string {
	if problems, done := c.problemsByKey[r.key]; done {
		return problems
	}
	doc := r.document
	parsed, err := queries.ParseQuery(&gql.Source{Input: doc.Text})
	list := gqlerror.List{gqlerror.Wrap(err)}
	if err == nil {
		list = validator.ValidateWithRules(c.schema, parsed, rules.NewDefaultRules())
	}
	var problems []string
	for _, e := range list {
		// In a document of Apply, the name of each variable begins with the alias of its mutation;
		// the reported problem omits the alias.
		problems = append(problems, strings.ReplaceAll(e.Message, "$"+administrate.MutationAlias(0)+"_", "$"))
	}
	if len(problems) == 0 {
		for _, v := range parsed.Operations[0].VariableDefinitions {
			problems = append(problems, c.badValues(v.Type, doc.Variables[v.Variable])...)
		}
	}
	if len(problems) == 0 {
		problems = c.unreadableFields(ctx, r.operation, parsed, assumed)
	}
	c.problemsByKey[r.key] = problems
	return problems
}
