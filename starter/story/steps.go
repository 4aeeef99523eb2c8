package story

import (
	"context"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/shopspring/decimal"

	"github.com/oppflow/oppflow/administrate"
	"github.com/oppflow/oppflow/opportunity"
)

// These ids are the ids in the API documentation. The story does not compare ids of records,
// because a TMS assigns new ids each time.
const (
	proposedStep    = "T3Bwb3J0dW5pdHlTdGVwOjM="
	proposedStage   = "T3Bwb3J0dW5pdHlTdGFnZToz"
	opportunityStep = "T3Bwb3J0dW5pdHlTdGVwOjQ="
	administrateID  = "T3JnYW5pc2F0aW9uOjI="
	courseTemplate  = "Q291cnNlVGVtcGxhdGU6MTE="
	event           = "Q291cnNlOjE="
	learningPath    = "TGVhcm5pbmdQYXRoOjE="
	tokenType       = "VG9rZW5UeXBlOjg4NDhhM2IzOGFkZjQ1ZGI4ZmY2MGZhZmNiZDNiM2Y2"
)

// steps returns the story. The story ends in a Won step, which the documentation mentions without
// an example.
func steps() []step {
	return []step{
		{
			name: "create", description: `create the opportunity "First Aid course" in region UK`,
			action: func(ctx context.Context, s *session) error {
				return s.start(ctx, opportunity.Start{Name: "First Aid course", Region: "UK"})
			},
			text: func(s *session) string { return stepName(s.view.Step) },
			expect: func(s *session) []Check {
				return append(stepChecks(s.view.Step, opportunity.Step{
					ID: proposedStep, Name: "Proposed",
					Stage: opportunity.Stage{ID: proposedStage, Name: "Proposed", State: opportunity.Open},
				}),
					Check{"name", "First Aid course", s.view.Details.Name},
					Check{"name in the TMS", "First Aid course", s.record.Name},
					Check{"region", "UK", s.view.Details.Region.Name},
					Check{"step in the TMS", proposedStep, s.record.Step.ID},
					Check{"interests in the TMS", "0", strconv.Itoa(s.record.InterestCount)},
				)
			},
		},
		{
			name: "details", description: `assign the opportunity to the account "Administrate" and set the currency USD`,
			action: send(func(id string) opportunity.Command {
				return opportunity.UpdateDetails{RequestID: id, Account: "Administrate", Currency: "USD"}
			}, "details"),
			text: func(s *session) string {
				account, currency := accountAndCurrency(s)
				return fmt.Sprintf("account %q, currency %q", account.Name, currency.Name)
			},
			expect: func(s *session) []Check {
				account, currency := accountAndCurrency(s)
				return []Check{
					doneCheck(s),
					{"account", administrateID, string(s.view.Details.Account.ID)},
					{"currency", "USD", s.view.Details.Currency},
					{"account in the TMS", administrateID, account.ID},
					{"account's name in the TMS", "Administrate", account.Name},
					{"currency's name in the TMS", "U.S. Dollars", currency.Name},
					{"currency's code in the TMS", "USD", currency.Code},
					{"currency's symbol in the TMS", "$", currency.Symbol},
				}
			},
		},
		interest("course", "add a course template with a named learner, 1 × 199.90",
			opportunity.Interest{Item: courseTemplate, Quantity: 1, Learners: exampleLearners()}, "199.90",
			expectedInterest{kind: opportunity.Course, typ: "CourseTemplate", total: "199.90", code: "ABC-123", title: "My New Course", nth: 1}),
		interest("event", "add an event and reserve a place on the event, 1 × 199.90",
			opportunity.Interest{Item: event, Quantity: 1, Reserve: true, Learners: exampleLearners()}, "199.90",
			expectedInterest{kind: opportunity.Event, typ: "Event", total: "199.90", reserved: true, nth: 2}),
		interest("path", "add a learning path, 1 × 199.90",
			opportunity.Interest{Item: learningPath, Quantity: 1, Learners: exampleLearners()}, "199.90",
			expectedInterest{kind: opportunity.Path, typ: "LearningPath", total: "199.90", reserved: true, nth: 3}),
		interest("tokens", "add training tokens that expire on 2023-12-31T23:59:59, 10 × 19.90",
			opportunity.Interest{Item: tokenType, Quantity: 10, ExpiresAt: "2023-12-31T23:59:59"}, "19.90",
			expectedInterest{kind: opportunity.Tokens, typ: "TrainingTokenType", total: "199.00", reserved: true, nth: 4}),
		{
			name: "progress", description: `progress the opportunity to the step "Opportunity"`,
			action: send(func(id string) opportunity.Command {
				return opportunity.Progress{RequestID: id, To: "Opportunity"}
			}, "progress"),
			text: func(s *session) string { return stepName(s.view.Step) },
			expect: func(s *session) []Check {
				return []Check{
					doneCheck(s),
					{"step", opportunityStep, string(stepOf(s.view.Step).ID)},
					{"step's name", "Opportunity", stepOf(s.view.Step).Name},
					{"step in the TMS", opportunityStep, s.record.Step.ID},
				}
			},
		},
		{
			name: "refusal", description: `progress the opportunity to the step "Opportunity" again; the TMS has no transition for this progress`,
			action: send(func(id string) opportunity.Command {
				return opportunity.Progress{RequestID: id, To: "Opportunity"}
			}, "refusal"),
			text: func(s *session) string {
				if s.outcome.Error == nil {
					return "not refused"
				}
				return "refused: " + s.outcome.Error.Label + ": " + s.outcome.Error.Message
			},
			expect: func(s *session) []Check {
				var refusal opportunity.Error
				if s.outcome.Error != nil {
					refusal = *s.outcome.Error
				}
				return []Check{
					{"outcome", string(opportunity.Failed), string(s.outcome.State)},
					{"type of the error", string(opportunity.TransitionNotFound), string(refusal.Type)},
					{"label", "Transition Not Found", refusal.Label},
					{"message", "Transition from step " + opportunityStep + " to step " + opportunityStep + " not found", refusal.Message},
					{"value", "", refusal.Value},
					{"step", opportunityStep, string(stepOf(s.view.Step).ID)},
					{"step in the TMS", opportunityStep, s.record.Step.ID},
					{"failed requests", "1", strconv.Itoa(s.view.Failures)},
				}
			},
		},
		{
			name: "won", description: `progress the opportunity to the step "Won"`,
			action: send(func(id string) opportunity.Command {
				return opportunity.Progress{RequestID: id, To: "Won"}
			}, "won"),
			text: func(s *session) string { return stepName(s.view.Step) },
			expect: func(s *session) []Check {
				return []Check{
					doneCheck(s),
					{"state of the stage", string(opportunity.Won), string(stepOf(s.view.Step).Stage.State)},
					{"state in the TMS", string(opportunity.Won), s.record.Step.Stage.State},
				}
			},
		},
		{
			name: "search", description: "search the opportunities of region UK, with their totals",
			action: func(ctx context.Context, s *session) error { return s.search(ctx, "UK") },
			text: func(s *session) string {
				return fmt.Sprintf("%d opportunities found; the opportunity of the example has %d interests and a total of %s", len(s.found), len(s.searchedRow().Interests), amount(s.searchedRow().GrandTotal))
			},
			expect: func(s *session) []Check {
				row := s.searchedRow()
				var interests []string
				for _, i := range row.Interests {
					interests = append(interests, i.Item.Type+" "+amount(i.Total))
				}
				return []Check{
					{"name", "First Aid course", row.Name},
					{"grand total", "798.70", amount(row.GrandTotal)},
					{"interests", "CourseTemplate 199.90, Event 199.90, LearningPath 199.90, TrainingTokenType 199.00", strings.Join(interests, ", ")},
				}
			},
		},
		{
			name: "end", description: "wait for the end of the workflow",
			action: func(ctx context.Context, s *session) (err error) {
				if !stepOf(s.view.Step).Stage.State.IsFinal() {
					return nil // the run does not end by itself: the comparisons show this
				}
				s.report.Ended, err = retry(ctx, func() (opportunity.RunResult, error) { return s.client.Wait(ctx, s.options.Reference) })
				return err
			},
			text: func(s *session) string {
				e := s.report.Ended
				return fmt.Sprintf("ended in state %s with %d interests, total %s %s", e.State, e.Interests, e.Total, e.Currency)
			},
			expect: func(s *session) []Check {
				e := s.report.Ended
				return []Check{
					{"state", string(opportunity.Won), string(e.State)},
					{"total", "798.70", e.Total.String()},
					{"currency", "USD", e.Currency},
					{"interests", "4", strconv.Itoa(e.Interests)},
					{"failed requests", "1", strconv.Itoa(e.FailedRequests)},
					{"record", s.record.ID, string(e.Opportunity)},
					{"total of the view", "798.70", s.view.Total.String()},
					{"grand total in the TMS", "798.70", amount(s.record.GrandTotal)},
					{"waiting messages", "0", strconv.Itoa(len(s.view.Queue))},
					{"questions", "false", strconv.FormatBool(s.view.Question != nil)},
				}
			},
		},
	}
}

func send(message func(id string) opportunity.Command, id string) func(context.Context, *session) error {
	return func(ctx context.Context, s *session) error { return s.send(ctx, message(id)) }
}

type expectedInterest struct {
	kind        opportunity.InterestKind
	typ, total  string
	code, title string // compared if the documentation shows code and title
	reserved    bool   // whether the opportunity has reserved places after the step
	nth         int    // the number of the interest, from 1
}

func interest(name, say string, asked opportunity.Interest, price string, want expectedInterest) step {
	return step{
		name: name, description: say,
		action: func(ctx context.Context, s *session) error {
			unit, err := opportunity.ParseAmount(price)
			if err != nil {
				return err
			}
			asked.UnitAmount = unit
			return s.send(ctx, opportunity.AddInterests{RequestID: name, Interests: opportunity.Interests{asked}})
		},
		text: func(s *session) string {
			text := strings.TrimSpace(s.interestInTMS(want.nth).Item.Code + " " + s.interestInTMS(want.nth).Item.Title)
			text = fmt.Sprintf("%s (%s), %s", text, s.interestInTMS(want.nth).Item.Type, amount(s.interestInTMS(want.nth).Total))
			if result := s.result(); result.ReservedUntil != nil {
				text += ", reserved until " + result.ReservedUntil.UTC().Format(time.RFC3339)
			}
			return text
		},
		expect: func(s *session) []Check {
			result, held, record := s.result(), s.interestInView(want.nth), s.interestInTMS(want.nth)
			checks := []Check{
				doneCheck(s),
				{"type of the interest's id", "OpportunityInterest", result.Interest.Type()},
				{"error of the interest", "", errorText(result.Error)},
				{"reservation in the outcome", strconv.FormatBool(asked.Reserve), strconv.FormatBool(result.ReservedUntil != nil)},
				{"interest in the view", string(result.Interest), string(held.ID)},
				{"kind", string(want.kind), string(held.Kind)},
				{"quantity", strconv.Itoa(asked.Quantity), strconv.Itoa(held.Quantity)},
				{"interests in the TMS", strconv.Itoa(want.nth), strconv.Itoa(s.record.InterestCount)},
				{"interest in the TMS", string(result.Interest), record.ID},
				{"item in the TMS", asked.Item, record.Item.ID},
				{"type of the item in the TMS", want.typ, record.Item.Type},
				{"amount in the TMS", want.total, amount(record.Total)},
				{"places reserved in the TMS", strconv.FormatBool(want.reserved), strconv.FormatBool(s.record.Reservations.Valid)},
			}
			if want.code != "" {
				checks = append(checks,
					Check{"code of the item in the TMS", want.code, record.Item.Code},
					Check{"title of the item in the TMS", want.title, record.Item.Title})
			}
			return checks
		},
	}
}

func exampleLearners() []opportunity.Learner {
	return []opportunity.Learner{{FirstName: "Melissa", LastName: "Green", Email: "melissa@example.com"}}
}

func (s *session) search(ctx context.Context, region string) error {
	search := administrate.Search{
		Filters: []administrate.Filter{{Field: administrate.ByRegionName, Operation: administrate.Equal, Value: region}},
		First:   100,
	}
	s.found = nil
	for {
		page, err := retry(ctx, func() (administrate.Page, error) { return s.API.Opportunities(ctx, search) })
		if err != nil {
			return err
		}
		s.found = append(s.found, page.Rows...)
		if page.NextCursor == "" || len(page.Rows) == 0 {
			return nil
		}
		search.After = page.NextCursor
	}
}

func (s *session) searchedRow() administrate.Opportunity {
	for _, row := range s.found {
		if row.ID == string(s.view.Opportunity) {
			return row
		}
	}
	return administrate.Opportunity{}
}

func (s *session) result() opportunity.InterestResult {
	if len(s.outcome.Results) != 1 {
		return opportunity.InterestResult{}
	}
	return s.outcome.Results[0]
}

// interestInView returns the last interest in the view, or the zero value if the view does not have
// exactly nth interests.
func (s *session) interestInView(nth int) opportunity.RecordedInterest {
	if len(s.view.Interests) != nth {
		return opportunity.RecordedInterest{}
	}
	return s.view.Interests[nth-1]
}

// interestInTMS returns the last interest on the record, or the zero value if the record does not
// have exactly nth interests.
func (s *session) interestInTMS(nth int) administrate.Interest {
	if len(s.record.Interests) != nth {
		return administrate.Interest{}
	}
	return s.record.Interests[nth-1]
}

func accountAndCurrency(s *session) (account administrate.Ref, currency administrate.Currency) {
	if s.record.Account != nil {
		account = *s.record.Account
	}
	if s.record.Currency != nil {
		currency = *s.record.Currency
	}
	return account, currency
}

func doneCheck(s *session) Check {
	got := string(s.outcome.State)
	if s.outcome.Error != nil {
		got += ": " + s.outcome.Error.Error()
	}
	return Check{"outcome", string(opportunity.Done), got}
}

func errorText(err *opportunity.Error) string {
	if err == nil {
		return ""
	}
	return err.Error()
}

func stepChecks(got *opportunity.Step, want opportunity.Step) []Check {
	have := stepOf(got)
	return []Check{
		{"step", string(want.ID), string(have.ID)},
		{"step's name", want.Name, have.Name},
		{"stage", string(want.Stage.ID), string(have.Stage.ID)},
		{"stage's name", want.Stage.Name, have.Stage.Name},
		{"state of the stage", string(want.Stage.State), string(have.Stage.State)},
	}
}

func stepOf(s *opportunity.Step) opportunity.Step {
	if s == nil {
		return opportunity.Step{}
	}
	return *s
}

func stepName(s *opportunity.Step) string {
	if s == nil {
		return "the record does not exist"
	}
	return fmt.Sprintf("in step %q of stage %q (%s)", s.Name, s.Stage.Name, s.Stage.State)
}

// amount returns an amount of money as the API writes it, or "" if d is null.
func amount(d decimal.NullDecimal) string {
	if !d.Valid {
		return ""
	}
	return d.Decimal.StringFixed(2)
}
