package cli_test

import (
	"context"
	"encoding/json"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"strconv"
	"strings"
	"testing"
	"time"

	commonpb "go.temporal.io/api/common/v1"
	enums "go.temporal.io/api/enums/v1"
	"go.temporal.io/api/serviceerror"
	workflowpb "go.temporal.io/api/workflow/v1"
	"go.temporal.io/api/workflowservice/v1"
	"go.temporal.io/sdk/converter"
	"google.golang.org/protobuf/types/known/timestamppb"

	"github.com/oppflow/oppflow/lifecycle"
)

type visibleRuns []*workflowpb.WorkflowExecutionInfo

func (f *frontend) CountWorkflowExecutions(_ context.Context, r *workflowservice.CountWorkflowExecutionsRequest) (*workflowservice.CountWorkflowExecutionsResponse, error) {
	runs, _ := f.response.(visibleRuns)
	return &workflowservice.CountWorkflowExecutionsResponse{Count: int64(len(runs))}, f.receive("count", r.GetNamespace(), "", nil, r.GetQuery())
}

// ListWorkflowExecutions returns at most 3 runs in a page.
func (f *frontend) ListWorkflowExecutions(_ context.Context, r *workflowservice.ListWorkflowExecutionsRequest) (*workflowservice.ListWorkflowExecutionsResponse, error) {
	runs, _ := f.response.(visibleRuns)
	if err := f.receive("list", r.GetNamespace(), "", nil, r.GetQuery()); err != nil {
		return nil, err
	}
	from, _ := strconv.Atoi(string(r.GetNextPageToken()))
	to := min(from+min(int(r.GetPageSize()), 3), len(runs))
	page := &workflowservice.ListWorkflowExecutionsResponse{Executions: runs[from:to]}
	if to < len(runs) {
		page.NextPageToken = []byte(strconv.Itoa(to))
	}
	return page, nil
}

func (f *frontend) queries() []string {
	f.mu.Lock()
	defer f.mu.Unlock()
	var all []string
	for _, m := range f.received {
		all = append(all, m.Payload)
	}
	return all
}

func listedRun(t *testing.T, workflow string, status enums.WorkflowExecutionStatus, attributes map[string]any) *workflowpb.WorkflowExecutionInfo {
	t.Helper()
	fields := map[string]*commonpb.Payload{}
	for name, value := range attributes {
		payload, err := converter.GetDefaultDataConverter().ToPayload(value)
		if err != nil {
			t.Fatal(err)
		}
		fields[name] = payload
	}
	return &workflowpb.WorkflowExecutionInfo{
		Execution: &commonpb.WorkflowExecution{WorkflowId: workflow}, Type: &commonpb.WorkflowType{Name: lifecycle.WorkflowType}, Status: status,
		StartTime: timestamppb.New(time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)), SearchAttributes: &commonpb.SearchAttributes{IndexedFields: fields},
	}
}

func TestListShowsSearchAttributes(t *testing.T) {
	until := time.Date(2026, 4, 1, 12, 0, 0, 0, time.UTC)
	lead := listedRun(t, "opportunity/lead-1", enums.WORKFLOW_EXECUTION_STATUS_RUNNING, map[string]any{
		"OpportunityId": "O1", "OpportunityAccount": "A1", "OpportunityStep": "Proposed", "OpportunityRegion": "U\nK", "OpportunityState": "Open",
		"OpportunityAttention": []string{"api", "failed"}, "OpportunityReservedUntil": until, "OpportunityNextActionTime": until,
	})
	young := listedRun(t, "opportunity/lead-2", enums.WORKFLOW_EXECUTION_STATUS_CANCELED, nil)
	young.CloseTime = timestamppb.New(until)
	foreign := listedRun(t, "somebody's", enums.WORKFLOW_EXECUTION_STATUS_RUNNING, nil)
	other := listedRun(t, "opportunity/other", enums.WORKFLOW_EXECUTION_STATUS_RUNNING, nil)
	other.Type.Name = "Other"

	ended := listedRun(t, "opportunity/lead-3", enums.WORKFLOW_EXECUTION_STATUS_RUNNING, map[string]any{
		"OpportunityState": "Won", "OpportunityNextActionTime": until.Add(time.Hour),
	})
	service := &frontend{response: visibleRuns{lead, young, ended, foreign, other}}
	env := service.serve(t)
	got := oppflow(t, env, "list")
	got.wantDone(t, "REFERENCE", "RESERVED UNTIL", "lead-1", "running", "Open", "Proposed", "U K", "api, failed", "2026-04-01T12:00:00Z", "2026-03-01T12:00:00Z", "lead-2", "cancelled", "OPEN UNTIL", "lead-3", "2026-04-01T13:00:00Z")
	if lines := strings.Count(got.stdout, "\n"); strings.Contains(got.stdout, "somebody's") || strings.Contains(got.stdout, "other") || lines != 5 {
		t.Errorf("%d lines:\n%s", lines, got.stdout)
	}
	got = oppflow(t, env, "list", "--output", "json")
	got.wantDone(t)
	want := `{"count":5,"opportunities":[
		{"reference":"lead-1","opportunity":"O1","status":"running","state":"Open","step":"Proposed","region":"U\nK","account":"A1","attention":["api","failed"],"reservedUntil":"2026-04-01T12:00:00Z","started":"2026-03-01T12:00:00Z"},
		{"reference":"lead-2","status":"cancelled","attention":[],"started":"2026-03-01T12:00:00Z","closed":"2026-04-01T12:00:00Z"},
		{"reference":"lead-3","status":"running","state":"Won","attention":[],"openUntil":"2026-04-01T13:00:00Z","started":"2026-03-01T12:00:00Z"}]}`
	if !sameJSON(got.stdout, want) {
		t.Errorf("%s, want %s", got.stdout, want)
	}
}

func TestListReadsAsManyAsAreAskedFor(t *testing.T) {
	var runs visibleRuns
	for n := range 10 {
		runs = append(runs, listedRun(t, fmt.Sprintf("opportunity/lead-%d", n), enums.WORKFLOW_EXECUTION_STATUS_RUNNING, nil))
	}
	service := &frontend{response: runs}
	env := service.serve(t)
	for limit, want := range map[string]int{"": 10, "1": 1, "3": 3, "4": 4, "10": 10, "100": 10} {
		args := []string{"list", "--output", "json"}
		if limit != "" {
			args = append(args, "--limit", limit)
		}
		got := oppflow(t, env, args...)
		got.wantDone(t)
		var read struct {
			Count         int
			Opportunities []struct{ Reference string }
		}
		if err := json.Unmarshal([]byte(got.stdout), &read); err != nil {
			t.Fatal(err)
		}
		different := map[string]bool{}
		for _, o := range read.Opportunities {
			different[o.Reference] = true
		}
		if read.Count != 10 || len(read.Opportunities) != want || len(different) != want {
			t.Errorf("limit %q: %d of %d, want %d", limit, len(read.Opportunities), read.Count, want)
		}
	}
	oppflow(t, env, "list", "--limit", "4").wantDone(t, "4 of 10 opportunities are shown; set --limit to show more")
}

func TestListAsksForAllConditionsTogether(t *testing.T) {
	const base = `WorkflowType = "Lifecycle" and ExecutionStatus != "ContinuedAsNew"`
	for _, test := range []struct {
		args []string
		want string
	}{
		{nil, ""},
		{[]string{"--status", "running"}, ` and ExecutionStatus = "Running"`},
		{[]string{"--status", "closed"}, ` and ExecutionStatus != "Running"`},
		{[]string{"--status", "completed"}, ` and ExecutionStatus = "Completed"`},
		{[]string{"--status", "failed"}, ` and ExecutionStatus = "Failed"`},
		{[]string{"--status", "cancelled"}, ` and ExecutionStatus = "Canceled"`},
		{[]string{"--status", "terminated"}, ` and ExecutionStatus = "Terminated"`},
		{[]string{"--status", "timed-out"}, ` and ExecutionStatus = "TimedOut"`},
		{[]string{"--state", "won"}, ` and OpportunityState = "Won"`},
		{[]string{"--attention", "any"}, ` and (OpportunityAttention is not null or TemporalReportedProblems is not null)`},
		{[]string{"--attention", "undecided"}, ` and OpportunityAttention = "undecided"`},
		{[]string{"--step", "Waiting' or 'x", "--region", "O'Neill"}, ` and OpportunityStep = "Waiting' or 'x" and OpportunityRegion = "O'Neill"`},
		{[]string{"--region", "I\u0302le"}, " and (OpportunityRegion = \"I\u0302le\" or OpportunityRegion = \"\u00cele\")"},
		{[]string{"--step", "\u00cele"}, " and (OpportunityStep = \"\u00cele\" or OpportunityStep = \"I\u0302le\")"},
		{[]string{"--region", "UK", "--query", `a = "x)" or b = 1`}, ` and OpportunityRegion = "UK" and (a = "x)" or b = 1)`},
		{[]string{"--query", `a = 'it\'s' and (b = "(")`}, ` and (a = 'it\'s' and (b = "("))`},
	} {
		service := &frontend{response: visibleRuns{}}
		oppflow(t, service.serve(t), append([]string{"list"}, test.args...)...).wantDone(t, "REFERENCE")
		asked := service.queries()
		if len(asked) != 2 || asked[0] != asked[1] || asked[0] != base+test.want {
			t.Errorf("%v sends the query %q, want %q", test.args, asked, base+test.want)
		}
	}
}

// If a Temporal query cannot find a whole name, the command compares the rest of the name and
// counts the matching opportunities.
func TestListFindsNamesTemporalCannotLookFor(t *testing.T) {
	var runs visibleRuns
	for n := range 8 {
		runs = append(runs, listedRun(t, fmt.Sprintf("opportunity/lead-%d", n), enums.WORKFLOW_EXECUTION_STATUS_RUNNING, map[string]any{
			"OpportunityStep": []string{`Say "yes"`, `Say "no"`}[n%2], "OpportunityRegion": `\`,
		}))
	}
	service := &frontend{response: runs}
	env := service.serve(t)
	got := oppflow(t, env, "list", "--step", `Say "no"`, "--region", `\`, "--limit", "3")
	got.wantDone(t, "lead-1", "lead-3", "lead-5", "3 of 4 opportunities are shown; set --limit to show more")
	if strings.Contains(got.stdout, "yes") || strings.Contains(got.stdout, "lead-7") {
		t.Error(got.stdout)
	}
	for _, asked := range service.queries() {
		if want := ` and OpportunityStep STARTS_WITH "Say " and OpportunityRegion is not null`; !strings.HasSuffix(asked, want) {
			t.Errorf("asks %q, want %q", asked, want)
		}
	}
}

// The command finds a name with an accent in each Unicode form, even if the command itself compares
// the name.
func TestListFindsNamesInAnotherUnicodeForm(t *testing.T) {
	region := func(name string) map[string]any { return map[string]any{"OpportunityRegion": name} }
	service := &frontend{response: visibleRuns{
		listedRun(t, "opportunity/lead-1", enums.WORKFLOW_EXECUTION_STATUS_RUNNING, region("\u00cele \"A\"")),
		listedRun(t, "opportunity/lead-2", enums.WORKFLOW_EXECUTION_STATUS_RUNNING, region("\u00cele \"B\"")),
	}}
	got := oppflow(t, service.serve(t), "list", "--region", "I\u0302le \"A\"")
	got.wantDone(t, "lead-1")
	if strings.Contains(got.stdout, "lead-2") {
		t.Error(got.stdout)
	}
	for _, asked := range service.queries() {
		if want := " and (OpportunityRegion STARTS_WITH \"I\u0302le \" or OpportunityRegion STARTS_WITH \"\u00cele \")"; !strings.HasSuffix(asked, want) {
			t.Errorf("asks %q, want %q", asked, want)
		}
	}
}

func TestListExplainsRejectedQueries(t *testing.T) {
	service := &frontend{err: serviceerror.NewInvalidArgument("invalid search attribute: Opportunity\nState")}
	env := service.serve(t)
	oppflow(t, env, "list").wantUsageError(t, 1, "invalid search attribute: Opportunity State", "oppflow setup")
	oppflow(t, env, "list", "--query", "Colour = 1").wantUsageError(t, 2, `--query "Colour = 1"`, "invalid search attribute")
	service.err = serviceerror.NewPermissionDenied("not yours", "")
	oppflow(t, env, "list").wantUsageError(t, 1, "not yours")
}

func TestListTakesEveryAttentionKind(t *testing.T) {
	file, err := parser.ParseFile(token.NewFileSet(), "../../opportunity/attention.go", nil, 0)
	if err != nil {
		t.Fatal(err)
	}
	service := &frontend{response: visibleRuns{}}
	env := service.serve(t)
	words := 0
	ast.Inspect(file, func(n ast.Node) bool {
		value, ok := n.(*ast.ValueSpec)
		if !ok || fmt.Sprint(value.Type) != "AttentionKind" {
			return true
		}
		word, err := strconv.Unquote(value.Values[0].(*ast.BasicLit).Value)
		if err != nil {
			t.Fatal(err)
		}
		words++
		oppflow(t, env, "list", "--attention", word).wantDone(t)
		return true
	})
	if words < 6 {
		t.Errorf("the test found only %d attention kinds", words)
	}
}
