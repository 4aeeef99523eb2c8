package cli

import (
	"context"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	commonpb "go.temporal.io/api/common/v1"
	workflowpb "go.temporal.io/api/workflow/v1"
	"go.temporal.io/api/workflowservice/v1"
	"go.temporal.io/sdk/client"

	"github.com/oppflow/oppflow/activities/tms"
	"github.com/oppflow/oppflow/administrate"
	"github.com/oppflow/oppflow/administrate/oauth"
	"github.com/oppflow/oppflow/administrate/transport"
)

// restoredNamespace is a fake namespace that knows two opportunities and returns one opportunity on
// each page.
type restoredNamespace struct{ client.Client }

func (restoredNamespace) ListWorkflow(_ context.Context, r *workflowservice.ListWorkflowExecutionsRequest) (*workflowservice.ListWorkflowExecutionsResponse, error) {
	id, next := "opportunity/r-1", []byte("more")
	if string(r.GetNextPageToken()) == "more" {
		id, next = "opportunity/r-2", nil
	}
	return &workflowservice.ListWorkflowExecutionsResponse{
		Executions: []*workflowpb.WorkflowExecutionInfo{{Execution: &commonpb.WorkflowExecution{WorkflowId: id}}}, NextPageToken: next,
	}, nil
}

// The list of unknown records is complete even if the API cannot search records by the time of
// creation.
func TestRecordsThatTemporalDoesNotKnow(t *testing.T) {
	record := func(id, reference string) string {
		return `{"node":{"id":"` + id + `","name":"N","attributes":[{"definitionKey":"oppflow","value":"` + reference + `"}]}}`
	}
	page := func(more bool, rows ...string) string {
		next := `"hasNextPage":false`
		if more {
			next = `"hasNextPage":true`
		}
		return `{"data":{"opportunities":{"edges":[` + strings.Join(rows, ",") + `],"pageInfo":{` + next + `,"endCursor":"E","totalRecords":4}}}}`
	}
	for name, searches := range map[string]bool{"by the time of creation": true, "among all": false} {
		t.Run(name, func(t *testing.T) {
			var asked []string
			server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				body, _ := io.ReadAll(r.Body)
				asked = append(asked, string(body))
				switch {
				case !searches && strings.Contains(string(body), "createdAt"):
					w.WriteHeader(http.StatusBadRequest)
					_, _ = io.WriteString(w, `{"errors":[{"message":"no such field"}]}`)
				case strings.Contains(string(body), `"E"`):
					_, _ = io.WriteString(w, page(false, record("4", "r-4"), record("2", "r-2")))
				default:
					_, _ = io.WriteString(w, page(true, record("1", "r-1"), record("3", "r-3"), record("5", "")))
				}
			}))
			defer server.Close()
			api, err := administrate.New(administrate.Options{Options: transport.Options{URL: server.URL, Tokens: oauth.StaticToken("t"), RequestsPerSecond: 1000}})
			if err != nil {
				t.Fatal(err)
			}
			got, err := unknownRecords(t.Context(), restoredNamespace{}, "default", api, tms.ReferenceTag{Attribute: "oppflow"}, time.Now())
			if want := []unknownRecord{{"3", "r-3"}, {"4", "r-4"}}; err != nil || !slices.Equal(got, want) {
				t.Errorf("got %v, %v; want %v", got, err, want)
			}
			if want := 2 + len(asked)%2; len(asked) != want || searches != (want == 2) {
				t.Errorf("%d requests", len(asked))
			}
		})
	}
}
