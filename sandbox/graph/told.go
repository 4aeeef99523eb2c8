package graph

import (
	"bytes"
	"context"
	"encoding/json"

	"github.com/99designs/gqlgen/graphql"
	"github.com/vektah/gqlparser/v2/ast"
)

// InterceptResponse implements graphql.ResponseInterceptor. It sets __typename to the names of types that were split, and
// sets the prefixes of ids.
func (d *Dialect) InterceptResponse(ctx context.Context, next graphql.ResponseHandler) *graphql.Response {
	response := next(ctx)
	if response == nil || len(d.told)+len(d.prefixes) == 0 {
		return response
	}
	for _, err := range response.Errors {
		err.Message = d.prefixes.text(err.Message)
	}
	if len(response.Data) == 0 {
		return response
	}
	operation := graphql.GetOperationContext(ctx).Operation
	if operation == nil { // the document was refused
		return response
	}
	var told bytes.Buffer
	decoder := json.NewDecoder(bytes.NewReader(response.Data))
	decoder.UseNumber()
	if err := d.tell(decoder, &told, "", []ast.SelectionSet{operation.SelectionSet}); err == nil {
		response.Data = told.Bytes()
	}
	return response
}

// tell copies one value of an answer. declared is the type of the value's field. sets are the selections for the
// value.
func (d *Dialect) tell(from *json.Decoder, to *bytes.Buffer, declared string, sets []ast.SelectionSet) error {
	token, err := from.Token()
	if err != nil {
		return err
	}
	switch token {
	case json.Delim('['):
		return d.each(from, to, ']', func() error { return d.tell(from, to, declared, sets) })
	case json.Delim('{'):
		return d.each(from, to, '}', func() error { return d.tellField(from, to, declared, sets) })
	}
	if text, ok := token.(string); ok {
		token = d.prefixes.text(text)
	}
	encoded, err := json.Marshal(token)
	to.Write(encoded)
	return err
}

func (d *Dialect) each(from *json.Decoder, to *bytes.Buffer, end byte, one func() error) error {
	to.WriteByte(map[byte]byte{']': '[', '}': '{'}[end])
	for first := true; from.More(); first = false {
		if !first {
			to.WriteByte(',')
		}
		if err := one(); err != nil {
			return err
		}
	}
	_, err := from.Token()
	to.WriteByte(end)
	return err
}

func (d *Dialect) tellField(from *json.Decoder, to *bytes.Buffer, declared string, sets []ast.SelectionSet) error {
	token, err := from.Token()
	if err != nil {
		return err
	}
	key, _ := token.(string)
	encoded, err := json.Marshal(key)
	if err != nil {
		return err
	}
	to.Write(encoded)
	to.WriteByte(':')
	var inner []ast.SelectionSet
	var typ string
	for _, f := range selected(sets, key, nil) {
		inner = append(inner, f.SelectionSet)
		if f.Definition != nil {
			typ = f.Definition.Type.Name()
		}
		if isTypeName(f) {
			return d.tellType(from, to, declared)
		}
	}
	return d.tell(from, to, typ, inner)
}

func (d *Dialect) tellType(from *json.Decoder, to *bytes.Buffer, declared string) error {
	token, err := from.Token()
	if err != nil {
		return err
	}
	if name, ok := token.(string); ok && d.told[[2]string{declared, name}] != "" {
		token = d.told[[2]string{declared, name}]
	}
	encoded, err := json.Marshal(token)
	to.Write(encoded)
	return err
}

// selected returns the fields of a document that may produce the given key of an answer.
func selected(sets []ast.SelectionSet, key string, found []*ast.Field) []*ast.Field {
	for _, set := range sets {
		for _, s := range set {
			switch s := s.(type) {
			case *ast.Field:
				if s.Alias == key {
					found = append(found, s)
				}
			case *ast.InlineFragment:
				found = selected([]ast.SelectionSet{s.SelectionSet}, key, found)
			case *ast.FragmentSpread:
				if s.Definition != nil {
					found = selected([]ast.SelectionSet{s.Definition.SelectionSet}, key, found)
				}
			}
		}
	}
	return found
}
