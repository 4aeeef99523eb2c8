package administrate

import (
	"context"
	"encoding/json"
	"errors"
	"slices"
	"strings"

	graphql "github.com/hasura/go-graphql-client"
)

// documentResult is an answer to a document that was executed, at least in part.
type documentResult struct {
	data   json.RawMessage // an object
	errors []topLevelError
}

// topLevelError is an entry of the answer's top-level errors.
type topLevelError struct {
	Message   string `json:"message"`
	Locations []struct {
		Line   int `json:"line"`
		Column int `json:"column"`
	} `json:"locations"`
	Path []any `json:"path"`
}

// executionBegan reports whether an error belongs to a field of the document, because such an
// error shows that the document was being executed. Servers also give paths to errors from
// before execution, such as the name of a variable.
func executionBegan(doc document, errs []topLevelError) bool {
	return slices.ContainsFunc(errs, func(e topLevelError) bool {
		if len(e.Path) == 0 {
			return false
		}
		key, ok := e.Path[0].(string)
		return ok && slices.Contains(doc.keys, key)
	})
}

func errorMessages(errs []topLevelError) []string {
	var out []string
	for _, e := range errs {
		out = append(out, e.Message)
	}
	return out
}

// documentNames returns the names in our own document at the error locations.
func documentNames(doc document, errs []topLevelError) []string {
	lines := strings.Split(doc.text, "\n")
	var names []string
	for _, e := range errs {
		for _, at := range e.Locations {
			if at.Line < 1 || at.Line > len(lines) || at.Column < 1 || at.Column > len(lines[at.Line-1]) {
				continue
			}
			rest := strings.TrimPrefix(lines[at.Line-1][at.Column-1:], "$")
			name := leadingName(rest)
			// With an alias and a field, the field is the name that the schema knows.
			if after, found := strings.CutPrefix(rest[len(name):], ": "); found && name != "" && leadingName(after) != "" {
				name = leadingName(after)
			}
			if name != "" && !slices.Contains(names, name) {
				names = append(names, name)
			}
		}
	}
	return names
}

func refusedError(doc document, errs []topLevelError) error {
	return &RefusedError{Operation: doc.name, DocumentNames: documentNames(doc, errs), Messages: errorMessages(errs)}
}

// outcomeUnknown returns an UnknownError with the names and the messages of the top-level
// errors.
func outcomeUnknown(doc document, operation, cause string, errs []topLevelError) error {
	return &UnknownError{
		Operation: operation, Cause: cause, HasGraphQLErrors: len(errs) > 0, DocumentNames: documentNames(doc, errs), Messages: errorMessages(errs),
	}
}

// execute sends a document and returns the answer, if any part of the document was executed.
func (c *Client) execute(ctx context.Context, doc document) (documentResult, error) {
	ex := &inFlightRequest{document: doc}
	data, err := c.graphql.ExecRaw(context.WithValue(ctx, inFlightRequestKey{}, ex), doc.text, doc.variables,
		graphql.OperationName(doc.name))
	if ex.err != nil {
		return documentResult{}, ex.err
	}
	if !ex.handedOver {
		return documentResult{}, &InvalidError{Where: doc.name, Problem: "the request cannot be encoded"}
	}
	unknown := func(cause string, errs []topLevelError) error {
		return outcomeUnknown(doc, doc.name, cause, errs)
	}
	var errs []topLevelError
	if err != nil {
		var list graphql.Errors
		if !errors.As(err, &list) {
			return documentResult{}, unknown("no GraphQL answer", nil)
		}
		for _, e := range list {
			if e.Unwrap() != nil { // the library's own, not one of the API
				return documentResult{}, unknown("the answer is not of GraphQL's form", nil)
			}
			top := topLevelError{Message: e.Message, Path: e.Path}
			top.Locations = append(top.Locations, e.Locations...)
			errs = append(errs, top)
		}
	}
	switch {
	case len(data) == 0 && len(errs) == 0:
		return documentResult{}, unknown("the answer has neither data nor errors", nil)
	case len(data) == 0 && executionBegan(doc, errs):
		return documentResult{}, unknown("the answer has no data although execution had begun", errs)
	case len(data) == 0:
		return documentResult{}, refusedError(doc, errs)
	case string(data) == "null":
		return documentResult{}, unknown("data is null", errs)
	case data[0] != '{':
		return documentResult{}, unknown("data is no object", errs)
	}
	return documentResult{data: data, errors: errs}, nil
}

// read sends a query and decodes the answer. It uses no part of an answer with errors.
func (c *Client) read(ctx context.Context, doc document, into any) error {
	got, err := c.execute(ctx, doc)
	if err != nil {
		return err
	}
	if len(got.errors) > 0 {
		return outcomeUnknown(doc, doc.name, "the API reported errors", got.errors)
	}
	if err := json.Unmarshal(got.data, into); err != nil {
		return malformedResponse(doc.name)
	}
	return nil
}

// malformedResponse returns the error for an answer of another shape. The decoder's own error is
// left out, because it quotes the answer.
func malformedResponse(operation string) error {
	return &UnknownError{Operation: operation, Cause: "the answer is not of the expected form"}
}
