package transport

import (
	"context"
	"encoding/json"
	"errors"
	"slices"
	"strings"

	graphql "github.com/hasura/go-graphql-client"
)

// Response is the API's response to a document, if the API executed at least a part of the
// document.
type Response struct {
	Data   json.RawMessage // an object
	Errors []GraphQLError
}

// GraphQLError is an entry of the list of top-level errors in a response.
type GraphQLError struct {
	Message   string `json:"message"`
	Locations []struct {
		Line   int `json:"line"`
		Column int `json:"column"`
	} `json:"locations"`
	Path []any `json:"path"`
}

// executionBegan reports whether the path of one of the errors begins with the response key of a
// root field. An error path that begins with a root field proves that the API began to execute the
// document. If an error prevented the execution, the path of this error begins with a name that is
// not a root field, such as the name of a variable.
func executionBegan(doc Document, errs []GraphQLError) bool {
	return slices.ContainsFunc(errs, func(e GraphQLError) bool {
		if len(e.Path) == 0 {
			return false
		}
		key, ok := e.Path[0].(string)
		return ok && slices.Contains(doc.Keys, key)
	})
}

func errorMessages(errs []GraphQLError) []string {
	var out []string
	for _, e := range errs {
		out = append(out, e.Message)
	}
	return out
}

// documentNames returns the names that the sent document has at the locations of the errors.
func documentNames(doc Document, errs []GraphQLError) []string {
	lines := strings.Split(doc.Text, "\n")
	var names []string
	for _, e := range errs {
		for _, at := range e.Locations {
			if at.Line < 1 || at.Line > len(lines) || at.Column < 1 || at.Column > len(lines[at.Line-1]) {
				continue
			}
			rest := strings.TrimPrefix(lines[at.Line-1][at.Column-1:], "$")
			name := LeadingName(rest)
			// At a location with "alias: field", documentNames returns the field, because the alias
			// is not a name of the schema.
			if after, found := strings.CutPrefix(rest[len(name):], ": "); found && name != "" && LeadingName(after) != "" {
				name = LeadingName(after)
			}
			if name != "" && !slices.Contains(names, name) {
				names = append(names, name)
			}
		}
	}
	return names
}

func refusedError(doc Document, errs []GraphQLError) error {
	return &RefusedError{Operation: doc.Name, DocumentNames: documentNames(doc, errs), Messages: errorMessages(errs)}
}

// OutcomeUnknown returns an UnknownError with the DocumentNames and Messages of the top-level
// errors errs.
func OutcomeUnknown(doc Document, operation, cause string, errs []GraphQLError) error {
	return &UnknownError{
		Operation: operation, Cause: cause, HasGraphQLErrors: len(errs) > 0, DocumentNames: documentNames(doc, errs), Messages: errorMessages(errs),
	}
}

// Send sends a document. Send returns a Response if the API executed at least a part of the
// document, and an error in all other cases.
func (c *Client) Send(ctx context.Context, doc Document) (Response, error) {
	ex := &inFlightRequest{document: doc}
	data, err := c.graphql.ExecRaw(context.WithValue(ctx, inFlightRequestKey{}, ex), doc.Text, doc.Variables,
		graphql.OperationName(doc.Name))
	if ex.err != nil {
		return Response{}, ex.err
	}
	if !ex.handedOver {
		return Response{}, &InvalidError{Where: doc.Name, Problem: "the request cannot be encoded"}
	}
	unknown := func(cause string, errs []GraphQLError) error {
		return OutcomeUnknown(doc, doc.Name, cause, errs)
	}
	var errs []GraphQLError
	if err != nil {
		var list graphql.Errors
		if !errors.As(err, &list) {
			return Response{}, unknown("the response is not a GraphQL response", nil)
		}
		for _, e := range list {
			if e.Unwrap() != nil { // an error of the GraphQL library, not of the API
				return Response{}, unknown("the response does not have the form of a GraphQL response", nil)
			}
			top := GraphQLError{Message: e.Message, Path: e.Path}
			top.Locations = append(top.Locations, e.Locations...)
			errs = append(errs, top)
		}
	}
	switch {
	case len(data) == 0 && len(errs) == 0:
		return Response{}, unknown("the response contains neither data nor errors", nil)
	case len(data) == 0 && executionBegan(doc, errs):
		return Response{}, unknown("the response contains no data, although the API began to execute the document", errs)
	case len(data) == 0:
		return Response{}, refusedError(doc, errs)
	case string(data) == "null":
		return Response{}, unknown("the data in the response is null", errs)
	case data[0] != '{':
		return Response{}, unknown("the data in the response is not an object", errs)
	}
	return Response{Data: data, Errors: errs}, nil
}

// MalformedResponse returns the error for a response that does not have the expected form.
// MalformedResponse does not contain the error of the JSON decoder, because this error quotes the
// response.
func MalformedResponse(operation string) error {
	return &UnknownError{Operation: operation, Cause: "the response does not have the expected form"}
}
