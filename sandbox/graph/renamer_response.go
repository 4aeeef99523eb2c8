package graph

import (
	"bytes"
	"context"
	"encoding/json"

	"github.com/99designs/gqlgen/graphql"
	"github.com/vektah/gqlparser/v2/ast"
)

// InterceptResponse implements graphql.ResponseInterceptor. InterceptResponse replaces names in
// __typename and prefixes in ids, so the response has the names and prefixes of the visible schema.
func (d *Renamer) InterceptResponse(ctx context.Context, next graphql.ResponseHandler) *graphql.Response {
	response := next(ctx)
	if response == nil || len(d.typeNames)+len(d.prefixes) == 0 {
		return response
	}
	for _, err := range response.Errors {
		err.Message = d.prefixes.replaceIn(err.Message)
	}
	if len(response.Data) == 0 {
		return response
	}
	operation := graphql.GetOperationContext(ctx).Operation
	if operation == nil { // the document was rejected
		return response
	}
	var told bytes.Buffer
	decoder := json.NewDecoder(bytes.NewReader(response.Data))
	decoder.UseNumber()
	if err := d.rewriteValue(decoder, &told, "", []ast.SelectionSet{operation.SelectionSet}); err == nil {
		response.Data = told.Bytes()
	}
	return response
}

// declared is the type of the field that contains the value. sets are the selections that apply to
// the value.
func (d *Renamer) rewriteValue(from *json.Decoder, to *bytes.Buffer, declared string, sets []ast.SelectionSet) error {
	token, err := from.Token()
	if err != nil {
		return err
	}
	switch token {
	case json.Delim('['):
		return d.rewriteEach(from, to, ']', func() error { return d.rewriteValue(from, to, declared, sets) })
	case json.Delim('{'):
		return d.rewriteEach(from, to, '}', func() error { return d.rewriteField(from, to, declared, sets) })
	}
	if text, ok := token.(string); ok {
		token = d.prefixes.replaceIn(text)
	}
	encoded, err := json.Marshal(token)
	to.Write(encoded)
	return err
}

func (d *Renamer) rewriteEach(from *json.Decoder, to *bytes.Buffer, end byte, one func() error) error {
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

func (d *Renamer) rewriteField(from *json.Decoder, to *bytes.Buffer, declared string, sets []ast.SelectionSet) error {
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
	for _, f := range fieldsForKey(sets, key, nil) {
		inner = append(inner, f.SelectionSet)
		if f.Definition != nil {
			typ = f.Definition.Type.Name()
		}
		if isTypeName(f) {
			return d.rewriteTypeName(from, to, declared)
		}
	}
	return d.rewriteValue(from, to, typ, inner)
}

func (d *Renamer) rewriteTypeName(from *json.Decoder, to *bytes.Buffer, declared string) error {
	token, err := from.Token()
	if err != nil {
		return err
	}
	if name, ok := token.(string); ok && d.typeNames[[2]string{declared, name}] != "" {
		token = d.typeNames[[2]string{declared, name}]
	}
	encoded, err := json.Marshal(token)
	to.Write(encoded)
	return err
}

func fieldsForKey(sets []ast.SelectionSet, key string, found []*ast.Field) []*ast.Field {
	for _, set := range sets {
		for _, s := range set {
			switch s := s.(type) {
			case *ast.Field:
				if s.Alias == key {
					found = append(found, s)
				}
			case *ast.InlineFragment:
				found = fieldsForKey([]ast.SelectionSet{s.SelectionSet}, key, found)
			case *ast.FragmentSpread:
				if s.Definition != nil {
					found = fieldsForKey([]ast.SelectionSet{s.Definition.SelectionSet}, key, found)
				}
			}
		}
	}
	return found
}
