package transport

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/vektah/gqlparser/v2/ast"
	"github.com/vektah/gqlparser/v2/formatter"
	"github.com/vektah/gqlparser/v2/parser"
)

const joinedNameSeparator = "_"

var errNotJoinable = errors.New("the document cannot be joined with other documents; only documents with one operation of the same type and without fragments can be joined")

// JoinDocuments returns one document with the root fields of all documents, in the order of the
// documents. All documents must be queries, or all must be mutations. JoinDocuments adds a prefix
// with the number i to the response keys and variables of the document with index i. The name of the
// returned document consists of the names of all documents. JoinDocuments fails with InvalidError if
// the returned document is too large for one request.
func JoinDocuments(docs []Document) (Document, error) {
	joined := &ast.OperationDefinition{}
	out := Document{Variables: make(map[string]any)}
	names := make([]string, len(docs))
	for i, doc := range docs {
		operation, err := parseOperation(doc)
		if err != nil {
			return Document{}, err
		}
		if i == 0 {
			joined.Operation = operation.Operation
		} else if operation.Operation != joined.Operation {
			return Document{}, errNotJoinable
		}
		prefix := joinedPrefix(i)
		for _, v := range operation.VariableDefinitions {
			v.Variable = prefix + v.Variable
		}
		prefixVariables(operation.SelectionSet, prefix)
		for _, root := range operation.SelectionSet {
			field, ok := root.(*ast.Field)
			if !ok {
				return Document{}, errNotJoinable
			}
			field.Alias = prefix + field.Alias
		}
		for name, value := range doc.Variables {
			out.Variables[prefix+name] = value
		}
		for _, key := range doc.Keys {
			out.Keys = append(out.Keys, prefix+key)
		}
		joined.VariableDefinitions = append(joined.VariableDefinitions, operation.VariableDefinitions...)
		joined.SelectionSet = append(joined.SelectionSet, operation.SelectionSet...)
		names[i] = doc.Name
	}
	out.Name = strings.Join(names, joinedNameSeparator)
	joined.Name = out.Name
	var text bytes.Buffer
	formatter.NewFormatter(&text, formatter.WithIndent("  ")).FormatQueryDocument(&ast.QueryDocument{Operations: ast.OperationList{joined}})
	out.Text = text.String()
	return out, checkJoinedSize(out)
}

func checkJoinedSize(doc Document) error {
	values, err := json.Marshal(doc.Variables)
	if err == nil && len(doc.Text)+len(values) > MaxRequestBytes/2 { // JSON may escape characters of the text
		return &InvalidError{Where: doc.Name, Problem: "the joined document is too large for one request"}
	}
	return err
}

func joinedPrefix(i int) string { return fmt.Sprintf("q%d_", i) }

func parseOperation(doc Document) (*ast.OperationDefinition, error) {
	parsed, err := parser.ParseQuery(&ast.Source{Name: doc.Name, Input: doc.Text})
	switch {
	case err != nil:
		return nil, err
	case len(parsed.Operations) != 1 || len(parsed.Fragments) > 0:
		return nil, errNotJoinable
	}
	return parsed.Operations[0], nil
}

func prefixVariables(selections ast.SelectionSet, prefix string) {
	for _, selection := range selections {
		switch s := selection.(type) {
		case *ast.Field:
			for _, argument := range s.Arguments {
				prefixValue(argument.Value, prefix)
			}
			prefixDirectives(s.Directives, prefix)
			prefixVariables(s.SelectionSet, prefix)
		case *ast.InlineFragment:
			prefixDirectives(s.Directives, prefix)
			prefixVariables(s.SelectionSet, prefix)
		}
	}
}

func prefixDirectives(directives ast.DirectiveList, prefix string) {
	for _, directive := range directives {
		for _, argument := range directive.Arguments {
			prefixValue(argument.Value, prefix)
		}
	}
}

func prefixValue(value *ast.Value, prefix string) {
	if value.Kind == ast.Variable {
		value.Raw = prefix + value.Raw
	}
	for _, child := range value.Children {
		prefixValue(child.Value, prefix)
	}
}

// SplitResponse returns the part of a joined query's response that belongs to the document with
// index i. An error without a path is in the part of every document. SplitResponse omits the
// locations of errors, because they are positions in the joined query and not in a single document.
func SplitResponse(got Response, i int) (Response, error) {
	var roots map[string]json.RawMessage
	if err := json.Unmarshal(got.Data, &roots); err != nil {
		return Response{}, err
	}
	prefix := joinedPrefix(i)
	own := make(map[string]json.RawMessage)
	for key, value := range roots {
		if name, is := strings.CutPrefix(key, prefix); is {
			own[name] = value
		}
	}
	data, err := json.Marshal(own)
	if err != nil {
		return Response{}, err
	}
	part := Response{Data: data}
	for _, e := range got.Errors {
		if len(e.Path) == 0 {
			part.Errors = append(part.Errors, GraphQLError{Message: e.Message})
			continue
		}
		root, _ := e.Path[0].(string)
		if name, is := strings.CutPrefix(root, prefix); is {
			part.Errors = append(part.Errors, GraphQLError{Message: e.Message, Path: append([]any{name}, e.Path[1:]...)})
		}
	}
	return part, nil
}

// Unaffected returns the indexes of the documents that contain none of the names at which the API
// reported an error. Unaffected returns nothing if the API reported no names, or if no document
// contains the names.
func Unaffected(docs []Document, err error) []int {
	var names []string
	var refused *RefusedError
	var unknown *UnknownError
	switch {
	case errors.As(err, &refused):
		names = refused.DocumentNames
	case errors.As(err, &unknown):
		names = unknown.DocumentNames
	}
	var rest []int
	for i, doc := range docs {
		if !slices.ContainsFunc(names, func(name string) bool { return strings.Contains(doc.Text, name) }) {
			rest = append(rest, i)
		}
	}
	if len(names) == 0 || len(rest) == len(docs) {
		return nil
	}
	return rest
}
