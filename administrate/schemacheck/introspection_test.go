package schemacheck

import (
	"bytes"
	"context"
	"encoding/json"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"slices"
	"sync"
	"testing"

	"pgregory.net/rapid"

	"github.com/oppflow/oppflow/sandbox"
)

type introspectionJSON map[string]any

// sandboxSchema returns the sandbox's response to the introspection query.
var sandboxSchema = sync.OnceValues(func() ([]byte, error) {
	box, err := sandbox.Open(context.Background(), sandbox.Options{NoAuth: true, Logger: slog.New(slog.DiscardHandler)})
	if err != nil {
		return nil, err
	}
	question, err := json.Marshal(map[string]string{"query": introspectionQuery})
	if err != nil {
		return nil, err
	}
	kept := httptest.NewRecorder()
	r := httptest.NewRequest(http.MethodPost, "/graphql", bytes.NewReader(question))
	r.Header.Set("Content-Type", "application/json")
	box.Handler().ServeHTTP(kept, r)
	return kept.Body.Bytes(), box.Close()
})

// introspected returns a copy of the sandbox's schema that a test may change.
func introspected(t testing.TB) introspectionJSON {
	t.Helper()
	raw, err := sandboxSchema()
	if err != nil {
		t.Fatal(err)
	}
	var answer struct {
		Data struct {
			Schema introspectionJSON `json:"__schema"`
		}
	}
	if err := json.Unmarshal(raw, &answer); err != nil {
		t.Fatal(err)
	}
	if answer.Data.Schema == nil {
		t.Fatalf("the sandbox answers %s", raw)
	}
	return answer.Data.Schema
}

func (s introspectionJSON) clone() introspectionJSON {
	return copied(map[string]any(s)).(map[string]any)
}

func copied(value any) any {
	switch value := value.(type) {
	case map[string]any:
		object := make(map[string]any, len(value))
		for key, member := range value {
			object[key] = copied(member)
		}
		return object
	case []any:
		list := make([]any, len(value))
		for i, entry := range value {
			list[i] = copied(entry)
		}
		return list
	}
	return value
}

func (s introspectionJSON) typ(name string) map[string]any {
	for _, t := range s["types"].([]any) {
		if t := t.(map[string]any); t["name"] == name {
			return t
		}
	}
	panic("no type " + name)
}

func named(list any, name string) map[string]any {
	for _, e := range list.([]any) {
		if e := e.(map[string]any); e["name"] == name {
			return e
		}
	}
	panic("no entry " + name)
}

func without(list any, name string) []any {
	named(list, name)
	return slices.DeleteFunc(slices.Clone(list.([]any)), func(e any) bool { return e.(map[string]any)["name"] == name })
}

func (s introspectionJSON) drop(typ, list, name string) {
	t := s.typ(typ)
	t[list] = without(t[list], name)
}

func scalar(name string) map[string]any { return map[string]any{"kind": "SCALAR", "name": name} }

func required(of any) map[string]any { return map[string]any{"kind": "NON_NULL", "ofType": of} }

func objectOf(name string) map[string]any { return map[string]any{"kind": "OBJECT", "name": name} }

func inputOf(name string) map[string]any { return map[string]any{"kind": "INPUT_OBJECT", "name": name} }

func (s introspectionJSON) addRequiredMember(typ, member string) {
	in := s.typ(typ)
	in["inputFields"] = append(in["inputFields"].([]any), map[string]any{"name": member, "type": required(scalar("ID"))})
}

func (s introspectionJSON) retype(typ, member string, of map[string]any) {
	named(s.typ(typ)["inputFields"], member)["type"] = of
}

func (s introspectionJSON) rename(from, to string) {
	s.typ(from)
	var visit func(v any)
	visit = func(v any) {
		switch v := v.(type) {
		case map[string]any:
			if v["name"] == from {
				v["name"] = to
			}
			for _, inner := range v {
				visit(inner)
			}
		case []any:
			for _, inner := range v {
				visit(inner)
			}
		}
	}
	visit(map[string]any(s))
}

// changedInvoices gives the invoice in the response to an invoice update the new type
// ChangedInvoice. Only ChangedInvoice has comments and a purchase order; the type Invoice loses
// both fields.
func (s introspectionJSON) changedInvoices(t *testing.T) {
	t.Helper()
	raw, err := json.Marshal(s.typ("Invoice"))
	var changed map[string]any
	if err != nil || json.Unmarshal(raw, &changed) != nil {
		t.Fatal("the schema has no invoices")
	}
	changed["name"] = "ChangedInvoice"
	s["types"] = append(s["types"].([]any), changed)
	named(s.typ("InvoicePayload")["fields"], "invoice")["type"] = objectOf("ChangedInvoice")
	s.drop("Invoice", "fields", "comments")
	s.drop("Invoice", "fields", "purchaseOrderReference")
}

func contacts(s introspectionJSON) map[string]any {
	return named(s.typ("ContactMutations")["fields"], "createBatch")
}

// For every response to the introspection query, even an invalid one, the check returns a report or
// an error.
func TestCheckTakesAnySchema(t *testing.T) {
	t.Parallel()
	base := introspected(t)
	rapid.Check(t, func(rt *rapid.T) {
		s := copied(map[string]any(base))
		for range rapid.IntRange(1, 5).Draw(rt, "changes") {
			mutateSchema(rt, s)
		}
		data, err := json.Marshal(s)
		if err != nil {
			rt.Fatal(err)
		}
		var answer schemaDTO
		if json.Unmarshal(data, &answer) != nil {
			return
		}
		schema, err := answer.schema()
		if err != nil {
			return
		}
		assumed := assumptions()
		if _, err := (&checker{schema: schema, problemsByKey: map[string][]string{}}).check(context.Background(), assumed); err != nil {
			rt.Fatal(err)
		}
	})
}

func mutateSchema(rt *rapid.T, at any) {
	for {
		switch v := at.(type) {
		case map[string]any:
			keys := []string{}
			for key := range v {
				keys = append(keys, key)
			}
			if len(keys) == 0 {
				return
			}
			slices.Sort(keys)
			key := rapid.SampledFrom(keys).Draw(rt, "key")
			if inner := v[key]; isContainer(inner) && rapid.IntRange(0, 3).Draw(rt, "deeper") > 0 {
				at = inner
				continue
			}
			v[key] = oddValue(rt)
			return
		case []any:
			if len(v) == 0 {
				return
			}
			n := rapid.IntRange(0, len(v)-1).Draw(rt, "entry")
			if isContainer(v[n]) {
				at = v[n]
				continue
			}
			v[n] = oddValue(rt)
			return
		default:
			return
		}
	}
}

func isContainer(v any) bool {
	switch v.(type) {
	case map[string]any, []any:
		return true
	}
	return false
}

func oddValue(rt *rapid.T) any {
	return rapid.SampledFrom([]any{
		nil, "Opportunity", "String", "ID", "id", "SCALAR", "OBJECT", "INTERFACE", "UNION", "ENUM", "INPUT_OBJECT", "LIST", "NON_NULL", "",
		[]any{},
		map[string]any{"kind": "ENUM", "name": "OpportunityField"},
		map[string]any{"kind": "LIST", "ofType": map[string]any{"kind": "INPUT_OBJECT", "name": "OpportunityCreateInput"}},
	}).Draw(rt, "value")
}

func FuzzIntrospection(f *testing.F) {
	f.Add(`{"queryType":{"name":"Query"},"mutationType":{"name":"Mutation"},"types":[{"kind":"OBJECT","name":"Query","fields":[{"name":"hello","args":[],"type":{"kind":"NON_NULL","ofType":{"kind":"SCALAR","name":"String"}}}]},{"kind":"SCALAR","name":"String"}]}`)
	f.Add(`{"queryType":{"name":"Q"},"types":[{"kind":"OBJECT","name":"Q","fields":[{"name":"opportunities","args":[{"name":"filters","type":{"kind":"LIST","ofType":{"kind":"INPUT_OBJECT","name":"F"}},"defaultValue":"[]"}],"type":{"kind":"OBJECT","name":"Q"}}]},{"kind":"INPUT_OBJECT","name":"F","inputFields":[{"name":"field","type":{"kind":"ENUM","name":"E"}}]},{"kind":"ENUM","name":"E","enumValues":[{"name":"id"}]}]}`)
	f.Add(`{"queryType":{"name":"I"},"types":[{"kind":"INTERFACE","name":"I","possibleTypes":[{"name":"I"}]},{"kind":"UNION","name":"U","possibleTypes":[{"name":"I"}]}]}`)
	assumed := assumptions()
	f.Fuzz(func(t *testing.T, text string) {
		var answer schemaDTO
		if json.Unmarshal([]byte(text), &answer) != nil {
			return
		}
		s, err := answer.schema()
		if err != nil {
			return
		}
		if _, err := (&checker{schema: s, problemsByKey: map[string][]string{}}).check(t.Context(), assumed); err != nil {
			t.Fatal(err)
		}
	})
}
