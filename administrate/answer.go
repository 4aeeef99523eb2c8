package administrate

import (
	"context"
	"encoding/json"
	"errors"
	"slices"
	"strings"

	graphql "github.com/hasura/go-graphql-client"
)

// answer is an answer to a document that was executed, at least in part.
type answer struct {
	data   json.RawMessage // an object
	errors []topError
}

// topError is an entry of the answer's top-level errors.
type topError struct {
	Message   string `json:"message"`
	Locations []struct {
		Line   int `json:"line"`
		Column int `json:"column"`
	} `json:"locations"`
	Path []any `json:"path"`
}

// begun reports whether an error belongs to a field of the document, because then the
// document was being executed. Servers also give paths to errors from before execution,
// such as the name of a variable.
func begun(doc document, errs []topError) bool {
	return slices.ContainsFunc(errs, func(e topError) bool {
		if len(e.Path) == 0 {
			return false
		}
		key, ok := e.Path[0].(string)
		return ok && slices.Contains(doc.keys, key)
	})
}

func messages(errs []topError) []string {
	var out []string
	for _, e := range errs {
		out = append(out, e.Message)
	}
	return out
}

// near returns the names in our own document at the error locations.
func near(doc document, errs []topError) []string {
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

func refused(doc document, errs []topError) error {
	return &RefusedError{Operation: doc.name, Near: near(doc, errs), Messages: messages(errs)}
}

// reported returns the error for an answer that shows nothing but top-level errors.
func reported(doc document, operation, cause string, errs []topError) error {
	return &UnknownError{
		Operation: operation, Cause: cause, Answered: len(errs) > 0, Near: near(doc, errs), Messages: messages(errs),
	}
}

// exec sends a document and returns its answer, if any part of the document was executed.
func (c *Client) exec(ctx context.Context, doc document) (answer, error) {
	ex := &exchange{document: doc}
	data, err := c.graphql.ExecRaw(context.WithValue(ctx, exchangeKey{}, ex), doc.text, doc.variables,
		graphql.OperationName(doc.name))
	if ex.err != nil {
		return answer{}, ex.err
	}
	if !ex.carried {
		return answer{}, &InvalidError{Where: doc.name, Problem: "the request cannot be encoded"}
	}
	unknown := func(cause string, errs []topError) error {
		return reported(doc, doc.name, cause, errs)
	}
	var errs []topError
	if err != nil {
		var list graphql.Errors
		if !errors.As(err, &list) {
			return answer{}, unknown("no GraphQL answer", nil)
		}
		for _, e := range list {
			if e.Unwrap() != nil { // the library's own, not one of the API
				return answer{}, unknown("the answer is not of GraphQL's form", nil)
			}
			top := topError{Message: e.Message, Path: e.Path}
			top.Locations = append(top.Locations, e.Locations...)
			errs = append(errs, top)
		}
	}
	switch {
	case len(data) == 0 && len(errs) == 0:
		return answer{}, unknown("the answer has neither data nor errors", nil)
	case len(data) == 0 && begun(doc, errs):
		return answer{}, unknown("the answer has no data although execution had begun", errs)
	case len(data) == 0:
		return answer{}, refused(doc, errs)
	case string(data) == "null":
		return answer{}, unknown("data is null", errs)
	case data[0] != '{':
		return answer{}, unknown("data is no object", errs)
	}
	return answer{data: data, errors: errs}, nil
}

// read sends a query and decodes its answer. A read whose answer has errors is not used
// in part.
func (c *Client) read(ctx context.Context, doc document, into any) error {
	got, err := c.exec(ctx, doc)
	if err != nil {
		return err
	}
	if len(got.errors) > 0 {
		return reported(doc, doc.name, "the API reported errors", got.errors)
	}
	if err := json.Unmarshal(got.data, into); err != nil {
		return misshapen(doc.name)
	}
	return nil
}

// misshapen returns the error for an answer of another shape. The decoder's own error is
// left out, because it quotes the answer.
func misshapen(operation string) error {
	return &UnknownError{Operation: operation, Cause: "the answer is not of the expected form"}
}
