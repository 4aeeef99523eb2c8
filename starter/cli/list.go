package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"
	enums "go.temporal.io/api/enums/v1"
	"go.temporal.io/api/serviceerror"
	workflowpb "go.temporal.io/api/workflow/v1"
	"go.temporal.io/api/workflowservice/v1"
	"go.temporal.io/sdk/client"
	"go.temporal.io/sdk/converter"
	"golang.org/x/text/unicode/norm"

	"github.com/oppflow/oppflow/lifecycle"
	"github.com/oppflow/oppflow/opportunity"
)

const (
	listTimeout = time.Minute
	// maxListPage is the largest number of runs in one page of Temporal's list.
	maxListPage = 1000
)

func (p *program) list() *cobra.Command {
	var conditions listConditions
	limit := rowsFlag(50)
	command := &cobra.Command{
		Use:   "list [flags]",
		Short: "List the opportunities that run or ran in Temporal, newest first",
		Long: `list reads the opportunities and their search attributes from Temporal. list needs no worker and sends nothing to the TMS.
list shows the opportunities that meet all conditions. The list is usually less than a second old: for the current state of one
opportunity, use show. STARTED is the start of the current run; earlier runs of the opportunity may have started before. OPEN UNTIL
is the time until which an ended opportunity takes messages. An opportunity with follow-ups or effects may take messages longer.`,
		Example: `  oppflow list --status running --attention any
  oppflow list --state open --region UK --output json
  oppflow list --query 'OpportunityReservedUntil < "2026-12-31T00:00:00Z"'`,
		Args:              exactArgs(),
		ValidArgsFunction: completeNothing,
	}
	fs := command.Flags()
	words := func(name, usage string, to *string, known []string) {
		fs.Var(&choiceFlag{to, known}, name, usage+": "+strings.Join(known, ", "))
		_ = command.RegisterFlagCompletionFunc(name, cobra.FixedCompletions(known, cobra.ShellCompDirectiveNoFileComp))
	}
	words("status", "status of the run", &conditions.status, statuses)
	words("state", "state of the stage", &conditions.state, states)
	words("attention", "attention kind; any selects every kind, and task selects each opportunity whose workflow task fails", &conditions.attention, attentionKinds)
	fs.StringVar(&conditions.step, "step", "", "name of the step")
	fs.StringVar(&conditions.region, "region", "", "name of the region")
	fs.StringVar(&conditions.raw, "query", "", "additional condition, in the query language of Temporal's Web UI")
	fs.Var(&limit, "limit", "maximum number of opportunities to show")
	form := outputFlag(command)
	connection := p.connection(fs, listTimeout)
	command.RunE = func(command *cobra.Command, _ []string) error {
		query, err := conditions.query()
		if err != nil {
			return err
		}
		ctx, temporal, done, err := connection.open(command.Context())
		if err != nil {
			return err
		}
		defer done()
		result, err := listUpTo(ctx, temporal, connection.namespace, query, conditions.localFilter(), int(limit))
		if err != nil {
			return connection.explainError(conditions.explainError(err))
		}
		return form.show(p.stdout, result, func(w io.Writer) { showList(w, result) })
	}
	return command
}

// statuses, states and attentionKinds contain the words that the flags accept; the method query has
// a condition for each word.
var (
	statuses       = []string{"running", "closed", "completed", "failed", "cancelled", "terminated", "timed-out"}
	states         = []string{"open", "won", "lost", "archived"}
	attentionKinds = []string{
		anyAttention, taskAttention, string(opportunity.AttentionUndecided), string(opportunity.AttentionAPI), string(opportunity.AttentionReservation),
		string(opportunity.AttentionCredentials), string(opportunity.AttentionOperation), string(opportunity.AttentionClock),
		string(opportunity.AttentionLimit), string(opportunity.AttentionService), string(opportunity.AttentionRecord),
		string(opportunity.AttentionFailed), string(opportunity.AttentionMessage), string(opportunity.AttentionParked),
		string(opportunity.AttentionEffect), string(opportunity.AttentionFollowUp), string(opportunity.AttentionPlaybook), string(opportunity.AttentionPaused),
	}
)

const (
	anyAttention = "any"
	// taskAttention selects an opportunity whose workflow task fails repeatedly. Only the Temporal
	// server reports these failures, because a workflow cannot report its own failed task.
	taskAttention = "task"
)

type listConditions struct{ status, state, attention, step, region, raw string }

// The query excludes runs that ended with continue as new, because the list contains the next run
// of the opportunity.
func (l listConditions) query() (string, error) {
	all := []string{"WorkflowType = " + quoted(lifecycle.WorkflowType), `ExecutionStatus != "ContinuedAsNew"`}
	switch l.status {
	case "":
	case "closed":
		all = append(all, `ExecutionStatus != "Running"`)
	case "cancelled":
		all = append(all, `ExecutionStatus = "Canceled"`)
	case "timed-out":
		all = append(all, `ExecutionStatus = "TimedOut"`)
	default:
		all = append(all, "ExecutionStatus = "+quoted(strings.ToUpper(l.status[:1])+l.status[1:]))
	}
	if l.state != "" {
		all = append(all, lifecycle.OpportunityState.GetName()+" = "+quoted(strings.ToUpper(l.state[:1])+l.state[1:]))
	}
	switch l.attention {
	case "":
	case anyAttention:
		all = append(all, "("+lifecycle.OpportunityAttention.GetName()+" is not null or "+lifecycle.ReportedProblems+" is not null)")
	case taskAttention:
		all = append(all, lifecycle.ReportedProblems+" is not null")
	default:
		all = append(all, lifecycle.OpportunityAttention.GetName()+" = "+quoted(l.attention))
	}
	for _, field := range []struct{ name, value string }{
		{lifecycle.OpportunityStep.GetName(), l.step}, {lifecycle.OpportunityRegion.GetName(), l.region},
	} {
		begin, odd := queryablePrefix(field.value)
		switch {
		case field.value == "":
		case !odd:
			all = append(all, inAnyForm(field.name+" = ", field.value))
		case begin == "":
			all = append(all, field.name+" is not null")
		default:
			all = append(all, inAnyForm(field.name+" STARTS_WITH ", begin))
		}
	}
	if l.raw != "" {
		if !hasBalancedBrackets(l.raw) {
			return "", usagef("--query %q: must be one complete condition, with brackets and quotes in pairs, without comments and semicolons", l.raw)
		}
		all = append(all, "("+l.raw+")")
	}
	return strings.Join(all, " and "), nil
}

// inAnyForm returns a condition that accepts the value in each of its Unicode forms. A letter with
// an accent can be one character or two characters, and Temporal compares single characters.
func inAnyForm(comparison, value string) string {
	all := []string{comparison + quoted(value)}
	for _, form := range []norm.Form{norm.NFC, norm.NFD} {
		if other := comparison + quoted(form.String(value)); !slices.Contains(all, other) {
			all = append(all, other)
		}
	}
	if len(all) == 1 {
		return all[0]
	}
	return "(" + strings.Join(all, " or ") + ")"
}

// queryablePrefix returns the beginning of a name that a Temporal query can find, and whether the
// name is longer. With an SQL database, Temporal finds no value that contains a quotation mark or a
// backslash, with or without escapes (observed with Temporal 1.32). The command list itself
// compares the whole name.
func queryablePrefix(name string) (begin string, odd bool) {
	at := strings.IndexAny(name, `"\`)
	if at < 0 {
		return name, false
	}
	return name[:at], true
}

// localFilter returns the condition that a Temporal query cannot express, or nil if the query
// expresses all conditions.
func (l listConditions) localFilter() func(listedOpportunity) bool {
	_, oddStep := queryablePrefix(l.step)
	_, oddRegion := queryablePrefix(l.region)
	if !oddStep && !oddRegion {
		return nil
	}
	return func(o listedOpportunity) bool {
		same := func(a, b string) bool { return norm.NFC.String(a) == norm.NFC.String(b) }
		return (!oddStep || same(o.Step, l.step)) && (!oddRegion || same(o.Region, l.region))
	}
}

// quoted escapes the quotation marks and backslashes in the value, so that no character in the
// value ends the quotes.
func quoted(value string) string {
	return `"` + strings.NewReplacer(`\`, `\\`, `"`, `\"`).Replace(value) + `"`
}

// hasBalancedBrackets reports whether all brackets and quotes of a condition are closed inside the
// condition, so that the condition can be part of a larger query.
func hasBalancedBrackets(condition string) bool {
	depth := 0
	var quote, before rune
	escaped := false
	for _, c := range condition {
		pair := string(before) + string(c)
		before = c
		switch {
		case escaped:
			escaped = false
		case quote != 0 && c == '\\':
			escaped = true
		case quote != 0:
			if c == quote {
				quote = 0
			}
		case c == ';', c == '#', pair == "--", pair == "/*":
			return false
		case c == '"', c == '\'', c == '`':
			quote = c
		case c == '(':
			depth++
		case c == ')':
			if depth--; depth < 0 {
				return false
			}
		}
	}
	return depth == 0 && quote == 0
}

func (l listConditions) explainError(err error) error {
	var invalid *serviceerror.InvalidArgument
	switch {
	case !errors.As(err, &invalid):
		return err
	case l.raw != "":
		return usagef("--query %q: Temporal rejects the query: %s", l.raw, invalid.Message)
	}
	return explainedf("Temporal rejects the query: %s; if the namespace was never set up, run oppflow setup", invalid.Message)
}

// listed is the JSON output of the command list.
type listed struct {
	// Count is the number of all opportunities that meet the conditions; the list may contain
	// fewer.
	Count         int64               `json:"count"`
	Opportunities []listedOpportunity `json:"opportunities"`
}

type listedOpportunity struct {
	Reference     opportunity.Reference `json:"reference"`
	Opportunity   string                `json:"opportunity,omitempty"`
	Status        string                `json:"status"`
	State         string                `json:"state,omitempty"`
	Step          string                `json:"step,omitempty"`
	Region        string                `json:"region,omitempty"`
	Account       string                `json:"account,omitempty"`
	Attention     []string              `json:"attention"`
	ReservedUntil *time.Time            `json:"reservedUntil,omitempty"`
	OpenUntil     *time.Time            `json:"openUntil,omitempty"`
	Started       time.Time             `json:"started"`
	Closed        *time.Time            `json:"closed,omitempty"`
}

// listUpTo reads the list from Temporal page by page, until limit opportunities are read. If keep
// is not nil, listUpTo reads all pages, because listUpTo must count the opportunities for which
// keep returns true.
func listUpTo(ctx context.Context, temporal client.Client, namespace, query string, keep func(listedOpportunity) bool, limit int) (listed, error) {
	result := listed{Opportunities: []listedOpportunity{}}
	size := int32(maxListPage)
	if keep == nil {
		counted, err := temporal.CountWorkflow(ctx, &workflowservice.CountWorkflowExecutionsRequest{Namespace: namespace, Query: query})
		if err != nil {
			return listed{}, err
		}
		result.Count = counted.GetCount()
		size = int32(min(limit, maxListPage)) //nolint:gosec // at most maxListPage
	}
	for next := []byte(nil); ; {
		page, err := temporal.ListWorkflow(ctx, &workflowservice.ListWorkflowExecutionsRequest{Namespace: namespace, Query: query, NextPageToken: next, PageSize: size})
		if err != nil {
			return listed{}, err
		}
		for _, run := range page.GetExecutions() {
			one, ok := newListedOpportunity(run)
			if !ok || keep != nil && !keep(one) {
				continue
			}
			if keep != nil {
				result.Count++
			}
			if len(result.Opportunities) < limit {
				result.Opportunities = append(result.Opportunities, one)
			}
		}
		if next = page.GetNextPageToken(); len(next) == 0 || keep == nil && len(result.Opportunities) >= limit {
			return result, nil
		}
	}
}

// newListedOpportunity returns false for a run of another workflow.
func newListedOpportunity(run *workflowpb.WorkflowExecutionInfo) (listedOpportunity, bool) {
	reference, ok := lifecycle.ReferenceOf(run.GetExecution().GetWorkflowId())
	if !ok || run.GetType().GetName() != lifecycle.WorkflowType {
		return listedOpportunity{}, false
	}
	o := listedOpportunity{Reference: reference, Status: statusText(run.GetStatus()), Started: run.GetStartTime().AsTime(), Attention: []string{}}
	if run.GetCloseTime() != nil {
		closed := run.GetCloseTime().AsTime()
		o.Closed = &closed
	}
	var problems []string
	for _, field := range []struct {
		name string
		into any
	}{
		{lifecycle.ReportedProblems, &problems},
		{lifecycle.OpportunityID.GetName(), &o.Opportunity},
		{lifecycle.OpportunityState.GetName(), &o.State},
		{lifecycle.OpportunityStep.GetName(), &o.Step},
		{lifecycle.OpportunityRegion.GetName(), &o.Region},
		{lifecycle.OpportunityAccount.GetName(), &o.Account},
		{lifecycle.OpportunityAttention.GetName(), &o.Attention},
		{lifecycle.OpportunityReservedUntil.GetName(), &o.ReservedUntil},
		{lifecycle.OpportunityNextActionTime.GetName(), &o.OpenUntil},
	} {
		if payload := run.GetSearchAttributes().GetIndexedFields()[field.name]; payload != nil {
			// If a search attribute cannot be read, its field stays empty, and all other fields are still
			// shown.
			_ = converter.GetDefaultDataConverter().FromPayload(payload, field.into)
		}
	}
	// In an open step, OpportunityNextActionTime is the time of the next follow-up or effect.
	if o.Closed != nil || !opportunity.StageState(o.State).IsFinal() {
		o.OpenUntil = nil
	}
	if len(problems) > 0 {
		o.Attention = append(o.Attention, taskAttention)
	}
	if o.Attention == nil {
		o.Attention = []string{}
	}
	return o, true
}

func statusText(status enums.WorkflowExecutionStatus) string {
	switch status {
	case enums.WORKFLOW_EXECUTION_STATUS_CANCELED:
		return "cancelled"
	case enums.WORKFLOW_EXECUTION_STATUS_TIMED_OUT:
		return "timed-out"
	}
	return strings.ToLower(status.String())
}

func showList(w io.Writer, l listed) {
	line(w, "REFERENCE", "STATUS", "STATE", "STEP", "REGION", "ATTENTION", "RESERVED UNTIL", "OPEN UNTIL", "STARTED")
	for _, o := range l.Opportunities {
		line(w, string(o.Reference), o.Status, orDash(o.State), orDash(o.Step), orDash(o.Region), orDash(strings.Join(o.Attention, ", ")),
			timeOrDash(o.ReservedUntil), timeOrDash(o.OpenUntil), timeText(o.Started))
	}
	if shown := int64(len(l.Opportunities)); shown < l.Count {
		line(w, fmt.Sprintf("%d of %d opportunities are shown; set --limit to show more", shown, l.Count))
	}
}

func timeOrDash(t *time.Time) string {
	if t == nil {
		return "-"
	}
	return timeText(*t)
}

type choiceFlag struct {
	target  *string
	choices []string
}

func (v *choiceFlag) Set(text string) error {
	for _, known := range v.choices {
		if text == known {
			*v.target = text
			return nil
		}
	}
	return errors.New("must be one of " + strings.Join(v.choices, ", "))
}

func (v *choiceFlag) String() string {
	if v.target == nil {
		return ""
	}
	return *v.target
}
func (v *choiceFlag) Type() string { return "word" }
