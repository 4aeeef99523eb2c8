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

// endpoint answers GraphQL over HTTP POST as the API does: status 200 whatever GraphQL has to say, and a request that
// was refused before anything ran has errors and no data at all. (The handler that comes with the GraphQL library
// answers 422 and "data": null there, which would look like a failed execution.)
type endpoint struct {
	exec graphql.GraphExecutor
	// strict has a mutation that fails inside take the whole answer with it.
	strict bool
	// refusedNull and refusedStatus are how a document is refused.
	refusedNull   bool
	refusedStatus int
	// emptyErrors has answers without errors say so.
	emptyErrors bool
}

func (e endpoint) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	ctx := graphql.StartOperationTrace(r.Context())
	started := graphql.Now()
	if media, _, err := mime.ParseMediaType(r.Header.Get("Content-Type")); err != nil || media != "application/json" {
		refuse(w, http.StatusUnsupportedMediaType, "the request must have the Content-Type application/json")
		return
	}
	var params graphql.RawParams
	if status, message := readBody(r, &params); status != 0 {
		refuse(w, status, message)
		return
	}
	params.Headers = r.Header
	params.ReadTime = graphql.TraceTiming{Start: started, End: graphql.Now()}

	operation, refused := e.exec.CreateOperationContext(ctx, &params)
	if refused != nil {
		answer := e.exec.DispatchError(graphql.WithOperationContext(ctx, operation), refused)
		for _, e := range answer.Errors {
			nameVariable(e)
		}
		if e.refusedNull {
			writeJSON(w, http.StatusOK, &graphql.Response{Errors: answer.Errors, Data: json.RawMessage("null")})
			return
		}
		writeJSON(w, e.refusedStatus, refusedBody{Errors: answer.Errors})
		return
	}
	responses, ctx := e.exec.DispatchOperation(ctx, operation)
	response := responses(ctx)
	if e.strict && operation.Operation.Operation == ast.Mutation && slices.ContainsFunc(response.Errors, ofMutation) {
		response.Data = json.RawMessage("null")
		response.Errors = slices.DeleteFunc(response.Errors, func(e *gqlerror.Error) bool { return errors.Is(e, graph.ErrStopped) })
	}
	if e.emptyErrors && len(response.Errors) == 0 {
		writeJSON(w, http.StatusOK, soundBody{Errors: gqlerror.List{}, Data: response.Data})
		return
	}
	writeJSON(w, http.StatusOK, response)
}

// ofMutation reports whether an error is that of a field of a namespace, or of a namespace, which are not null.
func ofMutation(e *gqlerror.Error) bool { return len(e.Path) == 1 || len(e.Path) == 2 }

// nameVariable puts the variable an error is about, which the GraphQL library has in the path only, into its message.
func nameVariable(e *gqlerror.Error) {
	if len(e.Path) > 1 && e.Path[0] == ast.PathName("variable") {
		e.Message = "variable $" + e.Path[1:].String() + ": " + e.Message
		e.Path = nil // it is none into the answer
	}
}

// readBody reads the request; a status that is not 0 says that it could not, and message why.
func readBody(r *http.Request, params *graphql.RawParams) (status int, message string) {
	decoder := json.NewDecoder(r.Body)
	decoder.UseNumber() // numbers stay as they are written
	if err := decoder.Decode(params); err != nil {
		return http.StatusBadRequest, "the request is not a JSON object with query, variables and operationName: " + err.Error()
	}
	if _, err := decoder.Token(); !errors.Is(err, io.EOF) {
		return http.StatusBadRequest, "the request goes on after its JSON object"
	}
	if params.Query == "" {
		return http.StatusBadRequest, "the request has no query"
	}
	return 0, ""
}

// refusedBody is the answer to what did not run: it has no data member.
type refusedBody struct {
	Errors gqlerror.List `json:"errors"`
}

// soundBody is an answer that says that it has no errors.
type soundBody struct {
	Errors gqlerror.List   `json:"errors"`
	Data   json.RawMessage `json:"data"`
}

func refuse(w http.ResponseWriter, status int, message string) {
	writeJSON(w, status, refusedBody{Errors: gqlerror.List{{Message: message}}})
}

func writeJSON(w http.ResponseWriter, status int, body any) {
	encoded, err := json.Marshal(body)
	if err != nil {
		status, encoded = http.StatusInternalServerError, []byte(`{"errors":[{"message":"the answer could not be written"}]}`)
	}
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_, _ = w.Write(encoded) // the client has gone: nobody is left to tell
}
