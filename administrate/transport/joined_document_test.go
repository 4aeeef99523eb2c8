package transport_test

import (
	"encoding/json"
	"errors"
	"strings"
	"testing"

	"github.com/oppflow/oppflow/administrate/transport"
)

func rename() transport.Document {
	return transport.Document{
		Name: "Rename", Text: "mutation Rename($id: ID!) { opportunities { update(input: {opportunityId: $id}) { errors { label } } } }",
		Variables: map[string]any{"id": "one"}, Keys: []string{"opportunities"},
	}
}

func createContact() transport.Document {
	return transport.Document{
		Name: "Create", Text: "mutation Create($id: ID!) { contact: contacts { create(id: $id) { errors { label } } } }",
		Variables: map[string]any{"id": "two"}, Keys: []string{"contact"},
	}
}

// Mutations of different namespaces with equal names of variables are joined, and each mutation gets
// its part of the response.
func TestMutationsAreJoined(t *testing.T) {
	t.Parallel()
	joined, err := transport.JoinDocuments([]transport.Document{rename(), createContact()})
	if err != nil {
		t.Fatal(err)
	}
	text := strings.Join(strings.Fields(joined.Text), " ")
	first, second := strings.Index(text, "q0_opportunities: opportunities"), strings.Index(text, "q1_contact: contacts")
	if !strings.HasPrefix(text, "mutation Rename_Create ") || first < 0 || second < first ||
		!strings.Contains(text, "$q0_id") || !strings.Contains(text, "$q1_id") || joined.Variables["q0_id"] != "one" || joined.Variables["q1_id"] != "two" {
		t.Errorf("%s with %v", text, joined.Variables)
	}
	got := transport.Response{Data: json.RawMessage(`{"q0_opportunities":{"update":1},"q1_contact":null}`), Errors: []transport.GraphQLError{
		{Message: "no contact", Path: []any{"q1_contact", "create"}},
	}}
	for i, want := range []struct {
		data   string
		errors int
	}{{`{"opportunities":{"update":1}}`, 0}, {`{"contact":null}`, 1}} {
		part, err := transport.SplitResponse(got, i)
		if err != nil || string(part.Data) != want.data || len(part.Errors) != want.errors {
			t.Errorf("document %d: %s, %+v, %v", i, part.Data, part.Errors, err)
		}
	}
}

func TestDocumentsThatCannotBeJoined(t *testing.T) {
	t.Parallel()
	query := transport.Document{Name: "Read", Text: "query Read { regions { id } }"}
	large := createContact()
	large.Variables = map[string]any{"id": strings.Repeat("x", transport.MaxRequestBytes/2)}
	for name, docs := range map[string][]transport.Document{
		"a query and a mutation": {query, rename()},
		"a mutation and a query": {rename(), query},
		"two operations":         {rename(), {Name: "Two", Text: query.Text + " query Other { regions { id } }"}},
		"a fragment":             {query, {Name: "F", Text: "query F { ...All } fragment All on Query { regions { id } }"}},
		"no GraphQL":             {query, {Name: "N", Text: "query N {"}},
	} {
		if joined, err := transport.JoinDocuments(docs); err == nil || errors.As(err, new(*transport.InvalidError)) {
			t.Errorf("%s: %q, %v", name, joined.Text, err)
		}
	}
	if _, err := transport.JoinDocuments([]transport.Document{rename(), large}); !errors.As(err, new(*transport.InvalidError)) {
		t.Errorf("a large document: %v", err)
	}
}
