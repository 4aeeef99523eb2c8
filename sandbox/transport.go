package sandbox

import (
	"encoding/json"
	"errors"
	"io"
	"mime"
	"net/http"
	"slices"

	"github.com/99designs/gqlgen/graphql"
	"github.com/vektah/gqlparser/v2/ast"
	"github.com/vektah/gqlparser/v2/gqlerror"

	"github.com/oppflow/oppflow/sandbox/graph"
)

// endpoint serves GraphQL over HTTP POST as the API does. The HTTP status is 200 for every GraphQL
// result. For an invalid document, the handler of the GraphQL library would return the status 422
// and "data": null.
type endpoint struct {
	exec graphql.GraphExecutor
	// If nullOnFailure is true, the response has "data": null after an internal failure of a
	// mutation.
	nullOnFailure bool
	// If rejectedWithNullData is true, the response to a rejected document has the status 200 and
	// "data": null; otherwise the response has rejectedStatus and no data.
	rejectedWithNullData bool
	rejectedStatus       int
	// If emptyErrors is true, a response without errors contains an empty list of errors.
	emptyErrors bool
}

func (e endpoint) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	ctx := graphql.StartOperationTrace(r.Context())
	started := graphql.Now()
	if media, _, err := mime.ParseMediaType(r.Header.Get("Content-Type")); err != nil || media != "application/json" {
		writeError(w, http.StatusUnsupportedMediaType, "the request must have the Content-Type application/json")
		return
	}
	var params graphql.RawParams
	if status, message := readBody(r, &params); status != 0 {
		writeError(w, status, message)
		return
	}
	params.Headers = r.Header
	params.ReadTime = graphql.TraceTiming{Start: started, End: graphql.Now()}

	operation, refused := e.exec.CreateOperationContext(ctx, &params)
	if refused != nil {
		answer := e.exec.DispatchError(graphql.WithOperationContext(ctx, operation), refused)
		for _, e := range answer.Errors {
			addVariableName(e)
		}
		if e.rejectedWithNullData {
			writeJSON(w, http.StatusOK, &graphql.Response{Errors: answer.Errors, Data: json.RawMessage("null")})
			return
		}
		writeJSON(w, e.rejectedStatus, rejectedBody{Errors: answer.Errors})
		return
	}
	responses, ctx := e.exec.DispatchOperation(ctx, operation)
	response := responses(ctx)
	if e.nullOnFailure && operation.Operation.Operation == ast.Mutation && slices.ContainsFunc(response.Errors, isMutationError) {
		response.Data = json.RawMessage("null")
		response.Errors = slices.DeleteFunc(response.Errors, func(e *gqlerror.Error) bool { return errors.Is(e, graph.ErrNotRun) })
	}
	if e.emptyErrors && len(response.Errors) == 0 {
		writeJSON(w, http.StatusOK, emptyErrorsBody{Errors: gqlerror.List{}, Data: response.Data})
		return
	}
	writeJSON(w, http.StatusOK, response)
}

// isMutationError reports whether an error belongs to a mutation or to the top-level field that
// groups mutations, such as opportunities.
func isMutationError(e *gqlerror.Error) bool { return len(e.Path) == 1 || len(e.Path) == 2 }

// The GraphQL library writes the name of an invalid variable into the path of the error, not into
// the message.
func addVariableName(e *gqlerror.Error) {
	if len(e.Path) > 1 && e.Path[0] == ast.PathName("variable") {
		e.Message = "variable $" + e.Path[1:].String() + ": " + e.Message
		e.Path = nil // the path leads to the variable, not to a field of the response
	}
}

// readBody reads the body of the request into params. If the body is invalid, readBody returns the
// HTTP status and the message of the response; otherwise status is 0.
func readBody(r *http.Request, params *graphql.RawParams) (status int, message string) {
	decoder := json.NewDecoder(r.Body)
	decoder.UseNumber() // json.Number keeps all digits of a number
	if err := decoder.Decode(params); err != nil {
		return http.StatusBadRequest, "the request is not a JSON object with query, variables and operationName: " + err.Error()
	}
	if _, err := decoder.Token(); !errors.Is(err, io.EOF) {
		return http.StatusBadRequest, "the request has text after its JSON object"
	}
	if params.Query == "" {
		return http.StatusBadRequest, "the JSON object of the request has no query member"
	}
	return 0, ""
}

type rejectedBody struct {
	Errors gqlerror.List `json:"errors"`
}

type emptyErrorsBody struct {
	Errors gqlerror.List   `json:"errors"`
	Data   json.RawMessage `json:"data"`
}

func writeError(w http.ResponseWriter, status int, message string) {
	writeJSON(w, status, rejectedBody{Errors: gqlerror.List{{Message: message}}})
}

func writeJSON(w http.ResponseWriter, status int, body any) {
	encoded, err := json.Marshal(body)
	if err != nil {
		status, encoded = http.StatusInternalServerError, []byte(`{"errors":[{"message":"the response could not be encoded"}]}`)
	}
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_, _ = w.Write(encoded) // an error means that the client has gone
}
