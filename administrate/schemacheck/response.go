package schemacheck

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"

	gql "github.com/vektah/gqlparser/v2/ast"

	"github.com/oppflow/oppflow/administrate"
	"github.com/oppflow/oppflow/administrate/transport"
)

// unreadableFields returns the response fields of the document whose types the client cannot read.
// If the client cannot decode a response in which every field has a value, unreadableFields tries
// each field alone. Validate the document before the call of unreadableFields, because the
// validation sets the Definition of each field.
func (c *checker) unreadableFields(ctx context.Context, u administrate.SampleOperation, doc *gql.QueryDocument, assumed administrate.Assumptions) []string {
	operation := doc.Operations[0]
	reads := func(a fakeResponse) bool {
		a.schema = c.schema
		root := c.schema.Query
		if operation.Operation == gql.Mutation {
			root = c.schema.Mutation
		}
		r := &recorder{respond: func(transport.Document) (json.RawMessage, error) {
			return json.Marshal(a.object(root, operation.SelectionSet))
		}}
		err := r.run(ctx, u, assumed)
		var rejected *administrate.RejectedError // the client rejects a mutation when the value is in the list of errors of its payload
		return err == nil || errors.As(err, &rejected)
	}
	// Only the response to a mutation contains a payload with a list of errors.
	if reads(fakeResponse{full: true}) && (operation.Operation != gql.Mutation || reads(fakeResponse{full: true, errors: true})) {
		return nil
	}
	if !reads(fakeResponse{}) {
		return []string{fmt.Sprintf("The client cannot read the structure of the response to the operation %q.", doc.Operations[0].Name)}
	}
	var problems []string
	seen := map[*gql.FieldDefinition]bool{}
	visitLeafFields(doc.Operations[0].SelectionSet, func(f *gql.Field) {
		if seen[f.Definition] {
			return
		}
		seen[f.Definition] = true
		values := sampleValues(c.schema.Types[f.Definition.Type.Name()])
		for _, value := range values {
			if reads(fakeResponse{field: f.Definition, value: value}) {
				return
			}
		}
		if len(values) > 0 {
			problems = append(problems, fmt.Sprintf("Field %q is of type %q, which the client cannot read.",
				f.ObjectDefinition.Name+"."+f.Name, f.Definition.Type))
		}
	})
	return problems
}

func visitLeafFields(set gql.SelectionSet, visit func(*gql.Field)) {
	for _, s := range set {
		switch s := s.(type) {
		case *gql.InlineFragment:
			visitLeafFields(s.SelectionSet, visit)
		case *gql.Field:
			switch {
			case s.Name == "__typename" || s.Definition == nil:
			case len(s.SelectionSet) == 0:
				visit(s)
			default:
				visitLeafFields(s.SelectionSet, visit)
			}
		}
	}
}

// sampleValues returns nil if the possible values of the type are not known. An ID or a String may
// contain any text, so one readable value is enough.
func sampleValues(d *gql.Definition) []any {
	const day, second, offset = "2026-01-31", "T17:00:00", "+00:00"
	switch {
	case d == nil:
	case d.Kind == gql.Enum && len(d.EnumValues) > 0:
		return []any{d.EnumValues[0].Name}
	case d.Name == "ID", d.Name == "String":
		return []any{"text", "1.50", day + second + offset, day + second}
	case d.Name == "Int":
		return []any{1}
	case d.Name == "Float":
		return []any{1.5}
	case d.Name == "Boolean":
		return []any{false}
	case d.Name == "Decimal": // the formats of Decimal and TimeZonedDateTime are documented and observed
		return []any{"1.50"}
	case d.Name == "TimeZonedDateTime":
		return []any{day + second + offset}
	case d.Name == "LocalDateTime":
		return []any{day + second}
	}
	return nil
}

// fakeResponse builds a response as the tenant's API could return it. If full is true, the response
// has a value in every field. If errors is true, the list of mutation errors in the response has
// one entry. If full is false, only the ids and the field in the member field have values. The ids
// always have values, because the client rejects an object without an id.
type fakeResponse struct {
	schema *gql.Schema
	full   bool
	errors bool
	field  *gql.FieldDefinition
	value  any
}

func (m fakeResponse) object(d *gql.Definition, set gql.SelectionSet) map[string]any {
	o := map[string]any{}
	for _, s := range set {
		switch s := s.(type) {
		case *gql.InlineFragment:
			for key, value := range m.object(m.schema.Types[s.TypeCondition], s.SelectionSet) {
				o[key] = value
			}
		case *gql.Field:
			switch {
			case s.Name == "__typename" && d != nil:
				o[s.Alias] = d.Name
			case s.Definition != nil:
				o[s.Alias] = m.fieldValue(s, s.Definition.Type)
			}
		}
	}
	return o
}

func (m fakeResponse) fieldValue(f *gql.Field, t *gql.Type) any {
	// If the list of errors had an entry, the client would report the mutation as rejected and
	// would read no other field.
	if f.Name == "errors" && t.Elem != nil && !m.errors && !m.selectsField(f.SelectionSet) {
		return []any{}
	}
	value, chosen := m.value, f.Definition == m.field
	if m.full && len(f.SelectionSet) == 0 {
		if known := sampleValues(m.schema.Types[f.Definition.Type.Name()]); len(known) > 0 {
			value, chosen = known[0], true
		}
	}
	switch {
	case t.Elem != nil && (chosen || len(f.SelectionSet) > 0):
		return []any{m.fieldValue(f, t.Elem)}
	case len(f.SelectionSet) > 0:
		return m.object(m.schema.Types[t.Name()], f.SelectionSet)
	case chosen:
		return value
	case f.Name == "id":
		return "id"
	}
	return nil
}

func (m fakeResponse) selectsField(set gql.SelectionSet) bool {
	found := false
	visitLeafFields(set, func(f *gql.Field) { found = found || f.Definition == m.field })
	return found
}
