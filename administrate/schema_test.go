package administrate

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/shopspring/decimal"
	"github.com/vektah/gqlparser/v2"
	"github.com/vektah/gqlparser/v2/ast"
	"github.com/vektah/gqlparser/v2/validator"
	"github.com/vektah/gqlparser/v2/validator/rules"

	"github.com/oppflow/oppflow/administrate/administratetest"
	"github.com/oppflow/oppflow/administrate/oauth"
	"github.com/oppflow/oppflow/administrate/transport"
)

type sent struct {
	Query         string         `json:"query"`
	Variables     map[string]any `json:"variables"`
	OperationName string         `json:"operationName"`
}

// collector is a transport that stores every request and returns 502.
type collector struct{ requests []sent }

func (c *collector) RoundTrip(r *http.Request) (*http.Response, error) {
	s, err := decode(r.Body)
	if err != nil {
		return nil, err
	}
	c.requests = append(c.requests, s)
	return &http.Response{StatusCode: http.StatusBadGateway, Body: http.NoBody, Request: r}, nil
}

func decode(body io.Reader) (s sent, err error) {
	d := json.NewDecoder(body)
	d.UseNumber()
	err = d.Decode(&s)
	return s, err
}

type namedCall struct {
	name  string
	needs []string
	do    func(ctx context.Context, c *Client) error
}

func anyError[T any](_ T, err error) error { return err }

// everyCall returns calls that together send every schema name that the client can send.
func everyCall() []namedCall {
	var calls []namedCall
	add := func(name, needs string, do func(ctx context.Context, c *Client) error) {
		calls = append(calls, namedCall{name, strings.Fields(needs), do})
	}
	apply := func(name, needs string, m Mutation) {
		add(name, needs, func(ctx context.Context, c *Client) error {
			return anyError(c.Apply(ctx, []Mutation{m, m}))
		})
	}
	search := func(name, needs string, s Search) {
		add(name, needs, func(ctx context.Context, c *Client) error { return anyError(c.Opportunities(ctx, s)) })
	}
	lookup := func(name, needs string, w LookupRequest) {
		add(name, needs, func(ctx context.Context, c *Client) error { return anyError(c.Lookup(ctx, w)) })
	}
	attributes := []Attribute{{"key", "value"}, {"other", ""}}
	price := decimal.RequireFromString("199.90")
	add("hello", "", func(ctx context.Context, c *Client) error { return c.Hello(ctx) })
	add("opportunity", "", func(ctx context.Context, c *Client) error { return anyError(c.Opportunity(ctx, "x")) })
	add("interests", "", func(ctx context.Context, c *Client) error { return anyError(c.Interests(ctx, "x", "")) })
	add("interests after", "", func(ctx context.Context, c *Client) error { return anyError(c.Interests(ctx, "x", "y")) })
	apply("create", "", NewOpportunity{Name: "n", RegionID: "r"})
	apply("create in full", "", NewOpportunity{Name: "n", RegionID: "r", AccountID: "a", Currency: "USD", EntryStepID: "s"})
	apply("create with attributes", "CreateAttributes", NewOpportunity{Name: "n", RegionID: "r", Attributes: attributes})
	apply("update", "", UpdateOpportunity{ID: "o", AccountID: "a", Currency: "USD"})
	apply("rename", "UpdateName", UpdateOpportunity{ID: "o", Name: "n"})
	apply("update attributes", "UpdateAttributes", UpdateOpportunity{ID: "o", Attributes: attributes})
	apply("progress", "", Progress{OpportunityID: "o", StepID: "s"})
	apply("extend", "", ExtendReservations{OpportunityID: "o", Until: time.Now()})
	for _, kind := range []Kind{"", Course, Event, LearningPath, Tokens} {
		apply("add "+string(kind), "", AddInterest{
			OpportunityID: "o", ItemID: "i", Kind: kind, Quantity: 1, UnitAmount: price, Reserve: true, TaxID: "t",
		})
	}
	for _, kind := range []Kind{Course, Event, LearningPath} {
		new2 := []Learner{{"A", "B", "a@b"}, {"C", "D", ""}}
		apply("add with new learners "+string(kind), "",
			AddInterest{OpportunityID: "o", ItemID: "i", Kind: kind, Quantity: 2, NewLearners: new2})
		apply("add with existing learners "+string(kind), "ExistingLearner",
			AddInterest{OpportunityID: "o", ItemID: "i", Kind: kind, Quantity: 2, ExistingLearners: []string{"c", "d"}})
	}
	apply("add with expiry", "", AddInterest{
		OpportunityID: "o", ItemID: "i", Kind: Tokens, Quantity: 10, ExpiresAt: "2023-12-31T23:59:59",
	})
	search("search", "", Search{})
	search("search page", "", Search{First: 100, Offset: 100, Attributes: true})
	search("search after", "", Search{After: "c"})
	search("search by region", "", Search{Filters: []Filter{{Field: ByRegionName, Operation: Equal, Value: "UK"}}})
	search("search by name", "FilterName", Search{Filters: []Filter{{Field: ByName, Operation: Like, Value: "%x%"}}})
	search("search by account", "FilterAccount", Search{Filters: []Filter{{Field: ByAccountID, Operation: Equal, Value: "x"}}})
	search("search by creation", "FilterCreated",
		Search{Filters: []Filter{{Field: ByCreated, Operation: GreaterEqual, Value: "2026-01-01T00:00:00Z"}}})
	search("search in order", "Order", Search{Order: &Order{Field: ByID, Descending: true}})
	for _, op := range []FilterOperation{Equal, NotEqual, Greater, GreaterEqual, Less, LessEqual, Like, WordLike} {
		search("search "+string(op), "", Search{Filters: []Filter{{Field: ByID, Operation: op, Value: "1"}}})
	}
	for _, op := range []FilterOperation{In, NotIn, Contains} {
		search("search "+string(op), "", Search{Filters: []Filter{{Field: ByStepID, Operation: op, Values: []string{"1", "2"}}}})
	}
	for _, op := range []FilterOperation{IsNull, NotNull} {
		search("search "+string(op), "", Search{Filters: []Filter{{Field: ByID, Operation: op}}})
	}
	lookup("lookup", "", LookupRequest{
		Steps: &PageRequest{}, Currencies: &PageRequest{}, Accounts: []string{"a", "b"}, Items: []ItemName{{Text: "i"}, {Text: "j"}},
	})
	lookup("lookup further", "", LookupRequest{Steps: &PageRequest{After: "c"}, Currencies: &PageRequest{After: "c"}})
	lookup("lookup regions", "Regions", LookupRequest{Regions: &PageRequest{}})
	lookup("lookup regions further", "Regions", LookupRequest{Regions: &PageRequest{After: "c"}})
	apply("change the owner", "UpdateOwner", UpdateOpportunity{ID: "o", OwnerID: "u"})
	apply("take the account away", "ClearAccount", UpdateOpportunity{ID: "o", NoAccount: true})
	apply("change the contact", "UpdateContact", UpdateOpportunity{ID: "o", ContactID: "c"})
	apply("reserve", "", ReservePlaces{InterestIDs: []string{"i", "j"}})
	return append(calls, everyStandaloneMutation()...)
}

func everyStandaloneMutation() []namedCall {
	var calls []namedCall
	add := func(name, needs string, do func(ctx context.Context, c *Client) error) {
		calls = append(calls, namedCall{name, strings.Fields(needs), do})
	}
	add("links", "", func(ctx context.Context, c *Client) error { return anyError(c.OpportunityLinks(ctx, "o")) })
	add("hold", "", func(ctx context.Context, c *Client) error {
		return anyError(c.Reserve(ctx, Reserve{OpportunityID: "o", InterestIDs: []string{"i", "j"}, Until: time.Now()}))
	})
	add("account", "", func(ctx context.Context, c *Client) error { return anyError(c.Account(ctx, "a")) })
	add("owner of an account", "", func(ctx context.Context, c *Client) error { return anyError(c.AccountOwner(ctx, "a")) })
	add("accounts by name", "", func(ctx context.Context, c *Client) error { return anyError(c.AccountsByName(ctx, "n")) })
	add("create an account", "", func(ctx context.Context, c *Client) error {
		return anyError(c.CreateAccount(ctx, NewAccount{Name: "n"}))
	})
	add("create an account with e-mail", "CreateAccountEmail", func(ctx context.Context, c *Client) error {
		return anyError(c.CreateAccount(ctx, NewAccount{Name: "n", Email: "e"}))
	})
	add("contact", "", func(ctx context.Context, c *Client) error { return anyError(c.Contact(ctx, "c")) })
	add("contacts by e-mail", "", func(ctx context.Context, c *Client) error { return anyError(c.ContactsByEmail(ctx, "e")) })
	add("contacts by e-mails", "", func(ctx context.Context, c *Client) error {
		return anyError(c.ContactsByEmails(ctx, []string{"e", "f"}, ""))
	})
	add("more contacts by e-mails", "", func(ctx context.Context, c *Client) error {
		return anyError(c.ContactsByEmails(ctx, []string{"e"}, "c"))
	})
	add("create contacts", "", func(ctx context.Context, c *Client) error {
		return anyError(c.CreateContacts(ctx, []NewContact{
			{FirstName: "f", LastName: "l"}, {FirstName: "f", LastName: "l", AccountID: "a", Email: "e"},
		}))
	})
	add("event", "", func(ctx context.Context, c *Client) error { return anyError(c.Event(ctx, "e")) })
	add("events", "", func(ctx context.Context, c *Client) error { return anyError(c.Events(ctx, []string{"e", "f"})) })
	add("steps of opportunities", "", func(ctx context.Context, c *Client) error {
		return anyError(c.OpportunitySteps(ctx, []string{"o", "p"}))
	})
	add("registrations", "", func(ctx context.Context, c *Client) error { return anyError(c.EventRegistrations(ctx, "e", "")) })
	add("more registrations", "", func(ctx context.Context, c *Client) error { return anyError(c.EventRegistrations(ctx, "e", "c")) })
	add("enrolment", "", func(ctx context.Context, c *Client) error { return anyError(c.Enrolment(ctx, "c", "e")) })
	add("register contacts", "", func(ctx context.Context, c *Client) error {
		return anyError(c.RegisterContacts(ctx, RegisterContacts{
			EventID: "e", ContactIDs: []string{"c", "d"}, Notes: "n", Price: &Price{decimal.RequireFromString("1.5"), "GBP"},
		}))
	})
	add("cancel a learner", "", func(ctx context.Context, c *Client) error { return c.CancelLearner(ctx, "l") })
	add("reactivate a learner", "", func(ctx context.Context, c *Client) error { return c.ReactivateLearner(ctx, "l") })
	add("enrolments", "", func(ctx context.Context, c *Client) error {
		return anyError(c.Enrolments(ctx, "e", []string{"c", "d"}, ""))
	})
	add("more enrolments", "", func(ctx context.Context, c *Client) error {
		return anyError(c.Enrolments(ctx, "e", []string{"c"}, "f"))
	})
	add("enrolment sources", "", func(ctx context.Context, c *Client) error {
		return anyError(c.EnrolmentSources(ctx, "e", []string{"c"}, ""))
	})
	add("billing", "", func(ctx context.Context, c *Client) error { return anyError(c.Billing(ctx, "o")) })
	add("changed opportunity", "", func(ctx context.Context, c *Client) error { return anyError(c.OpportunityWithUpdatedAt(ctx, "o")) })
	add("whole rows", "", func(ctx context.Context, c *Client) error {
		return anyError(c.Opportunities(ctx, Search{First: 100, Full: true}))
	})
	add("token issues", "", func(ctx context.Context, c *Client) error { return anyError(c.TokenIssues(ctx, "o")) })
	add("empty an invoice", "", func(ctx context.Context, c *Client) error {
		return anyError(c.UpdateInvoice(ctx, UpdateInvoice{ID: "i", NoComments: true, NoPurchaseOrderRef: true}))
	})
	add("update an invoice", "", func(ctx context.Context, c *Client) error {
		return anyError(c.UpdateInvoice(ctx, UpdateInvoice{ID: "i", Comments: "c", PurchaseOrderRef: "p"}))
	})
	add("finalise an invoice", "", func(ctx context.Context, c *Client) error { return anyError(c.FinaliseInvoice(ctx, "i")) })
	add("mail", "", func(ctx context.Context, c *Client) error {
		return c.SendEmail(ctx, Email{ContactID: "c", Subject: "s", Body: "b", SendingAddressID: "a", CC: []string{"x"}})
	})
	add("bulk mail", "", func(ctx context.Context, c *Client) error {
		return c.SendBulkEmail(ctx, BulkEmail{ContactIDs: []string{"c", "d"}, Subject: "s", Body: "b", SendingAddressID: "a"})
	})
	add("sending addresses", "", func(ctx context.Context, c *Client) error { return anyError(c.SendingAddresses(ctx, "")) })
	add("more sending addresses", "", func(ctx context.Context, c *Client) error { return anyError(c.SendingAddresses(ctx, "c")) })
	for _, status := range []LogStatus{LogSuccess, LogFailed, LogPartial} {
		add("log "+string(status), "", func(ctx context.Context, c *Client) error {
			return c.WriteLog(ctx, LogEntry{Origin: "o", NodeID: "n", Message: "m", Status: status, Payload: "{}", Category: "c", Subcategory: "s"})
		})
	}
	add("custom fields", "FieldsType", func(ctx context.Context, c *Client) error { return anyError(c.OpportunityFields(ctx)) })
	add("users", "", func(ctx context.Context, c *Client) error { return anyError(c.Users(ctx, "")) })
	add("more users", "", func(ctx context.Context, c *Client) error { return anyError(c.Users(ctx, "c")) })
	return calls
}

// all maps the name of each call to its request; invalid contains the calls whose input the client
// refused.
func requests(t *testing.T, assumed Assumptions) (all map[string]sent, invalid map[string]error) {
	t.Helper()
	wire := &collector{}
	c, err := New(Options{Options: transport.Options{
		URL: "http://127.0.0.1/graphql", Tokens: oauth.StaticToken("t"), Transport: wire,
		RequestsPerSecond: 1e6, Burst: 1000,
	}, Assumed: assumed})
	if err != nil {
		t.Fatal(err)
	}
	all, invalid = map[string]sent{}, map[string]error{}
	for _, call := range everyCall() {
		before := len(wire.requests)
		err := call.do(t.Context(), c)
		var bad *InvalidError
		switch {
		case errors.As(err, &bad):
			if len(wire.requests) != before {
				t.Errorf("%s: refused as invalid after it was sent", call.name)
			}
			invalid[call.name] = err
		case len(wire.requests) != before+1:
			t.Errorf("%s sent %d requests, want 1", call.name, len(wire.requests)-before)
		default:
			all[call.name] = wire.requests[before]
		}
	}
	return all, invalid
}

func validate(s *ast.Schema, r sent) error {
	doc, errs := gqlparser.LoadQueryWithRules(s, r.Query, rules.NewDefaultRules())
	if len(errs) > 0 {
		return errs
	}
	op := doc.Operations.ForName(r.OperationName)
	if op == nil {
		return errors.New("the operation name names no operation")
	}
	_, err := validator.VariableValues(s, op, r.Variables)
	return err
}

func everythingOff(t *testing.T) Assumptions {
	t.Helper()
	var a Assumptions
	for _, e := range a.All() {
		*e.Name = Off
	}
	return a
}

// TestOnlyKnownNames checks that the client uses only names that are documented, observed, or
// listed in Assumptions.
func TestOnlyKnownNames(t *testing.T) {
	t.Parallel()
	t.Run("as assumed", func(t *testing.T) {
		all, invalid := requests(t, Assumptions{})
		if len(invalid) > 0 {
			t.Fatalf("turned away: %v", invalid)
		}
		s := administratetest.Schema(t, true)
		for name, r := range all {
			if err := validate(s, r); err != nil {
				t.Errorf("%s: %v\n%s", name, err, r.Query)
			}
		}
	})
	t.Run("with everything off", func(t *testing.T) {
		all, invalid := requests(t, everythingOff(t))
		s := administratetest.Schema(t, false)
		for name, r := range all {
			if err := validate(s, r); err != nil {
				t.Errorf("%s: %v\n%s", name, err, r.Query)
			}
		}
		for _, call := range everyCall() {
			if got := invalid[call.name]; (got != nil) != (len(call.needs) > 0) {
				t.Errorf("%s, which needs %v: %v", call.name, call.needs, got)
			}
		}
	})
}

// TestAssumptionsAreUsed replaces the name of one assumption at a time and checks that a request
// contains the new name. TestAssumptionsAreUsed then sets the assumption to Off and checks that
// only the calls that need the assumption fail.
func TestAssumptionsAreUsed(t *testing.T) {
	t.Parallel()
	var zero Assumptions
	for i, e := range zero.All() {
		t.Run(e.Entry, func(t *testing.T) {
			var corrected Assumptions
			*corrected.All()[i].Name = "tenantsOwn"
			all, _ := requests(t, corrected)
			s := administratetest.Schema(t, true)
			uses := 0
			for name, r := range all {
				if !strings.Contains(r.Query, "tenantsOwn") {
					continue
				}
				uses++
				if validate(s, r) == nil {
					t.Errorf("%s: passes with a name that is in no schema\n%s", name, r.Query)
				}
			}
			if uses == 0 {
				t.Error("a corrected name is never sent")
			}

			var off Assumptions
			*off.All()[i].Name = Off
			_, invalid := requests(t, off)
			for _, call := range everyCall() {
				needed := slices.Contains(call.needs, e.Entry)
				if got := invalid[call.name]; (got != nil) != needed {
					t.Errorf("%s, which needs %v, with it off: %v", call.name, call.needs, got)
				}
			}
		})
	}
}

func TestAssumptionsMustBeNames(t *testing.T) {
	t.Parallel()
	for _, bad := range []SchemaName{"two words", "a{b}", "1st", "name\n", "ünsinn", SchemaName(strings.Repeat("x", 101))} {
		_, err := New(Options{Options: transport.Options{URL: "http://h/", Tokens: oauth.StaticToken("t")}, Assumed: Assumptions{Order: bad}})
		var invalid *InvalidError
		if !errors.As(err, &invalid) || invalid.Where != "Options.Assumed.Order" {
			t.Errorf("%q: %v", bad, err)
		}
	}
}
