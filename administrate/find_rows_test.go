package administrate

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

type connectionRead struct {
	name, root string
	one        bool
	do         func(ctx context.Context, c *Client) (any, error)
}

func connectionReads() []connectionRead {
	return []connectionRead{
		{"Ties", "opportunities", true, func(ctx context.Context, c *Client) (any, error) { return c.OpportunityLinks(ctx, secretName) }},
		{"Account", "accounts", true, func(ctx context.Context, c *Client) (any, error) { return c.Account(ctx, secretName) }},
		{"Contact", "contacts", true, func(ctx context.Context, c *Client) (any, error) { return c.Contact(ctx, secretName) }},
		{"Event", "events", true, func(ctx context.Context, c *Client) (any, error) { return c.Event(ctx, secretName) }},
		{"Events", "events", false, func(ctx context.Context, c *Client) (any, error) { return c.Events(ctx, []string{"e", secretName}) }},
		{"OpportunitySteps", "opportunities", false, func(ctx context.Context, c *Client) (any, error) {
			return c.OpportunitySteps(ctx, []string{"e", secretName})
		}},
		{"AccountsByName", "accounts", false, func(ctx context.Context, c *Client) (any, error) { return c.AccountsByName(ctx, secretName) }},
		{"ContactsByEmail", "contacts", false, func(ctx context.Context, c *Client) (any, error) { return c.ContactsByEmail(ctx, secretName) }},
		{"ContactsByEmails", "contacts", false, func(ctx context.Context, c *Client) (any, error) {
			return c.ContactsByEmails(ctx, []string{"e", secretName}, secretName)
		}},
		{"Users", "users", false, func(ctx context.Context, c *Client) (any, error) { return c.Users(ctx, "") }},
		{"SendingAddresses", "sendingEmailAddresses", false, func(ctx context.Context, c *Client) (any, error) { return c.SendingAddresses(ctx, "") }},
	}
}

// TestConnectionReads checks responses to a read that have no row, one row and several rows. If a
// response is incomplete or contains a null row, the client returns an error and no result.
func TestConnectionReads(t *testing.T) {
	t.Parallel()
	const onePage, manyPages = `{"totalRecords":2,"hasNextPage":false}`, `{"totalRecords":250,"hasNextPage":true}`
	for _, f := range connectionReads() {
		several, none := "done", "done"
		if f.one {
			several, none = "unknown", "not found"
		}
		for answer, test := range map[string]struct{ body, fate string }{
			"none":             {`{"data":{"R":` + rows(`{"totalRecords":0}`) + `}}`, none},
			"no edges":         {`{"data":{"R":{"edges":null}}}`, none},
			"one":              {`{"data":{"R":` + rows(onePage, `{"id":"1"}`) + `}}`, "done"},
			"several":          {`{"data":{"R":` + rows(onePage, `{"id":"1"}`, `{"id":"2"}`) + `}}`, several},
			"null":             {`{"data":{"R":null}}`, "unknown"},
			"missing":          {`{"data":{}}`, "unknown"},
			"another form":     {`{"data":{"R":[]}}`, "unknown"},
			"a null row":       {`{"data":{"R":` + rows(onePage, `null`) + `}}`, "unknown"},
			"a row without id": {`{"data":{"R":` + rows(onePage, `{"name":"n"}`) + `}}`, "unknown"},
			"endless":          {`{"data":{"R":` + rows(manyPages, `{"id":"1"}`) + `}}`, "unknown"},
			"errors, too":      {`{"data":{"R":` + rows(onePage, `{"id":"1"}`) + `},"errors":[{"message":"m"}]}`, "unknown"},
			"errors: []":       {`{"errors":[],"data":{"R":` + rows(onePage, `{"id":"1"}`) + `}}`, "done"},
			"refused":          {`{"errors":[{"message":"m"}]}`, "refused"},
		} {
			c, last := serveBody(t, strings.Replace(test.body, "R", f.root, 1))
			got, err := f.do(t.Context(), c)
			result := "not found"
			if !errors.As(err, new(*NotFoundError)) {
				result = outcomeOf(t, err)
			} else if strings.Contains(err.Error(), secretName) {
				t.Errorf("%s: %v", f.name, err)
			}
			if result != test.fate {
				t.Errorf("%s, %s: %+v, %v", f.name, answer, got, err)
			}
			if r := last(); strings.Contains(r.Query, secretName) || r.OperationName != f.name {
				t.Errorf("%s: sent %s as %s", f.name, r.Query, r.OperationName)
			}
		}
	}
}

// TestEventTimes: the client distinguishes a local time from a time with a UTC offset.
func TestEventTimes(t *testing.T) {
	t.Parallel()
	at := time.Date(2031, 3, 3, 9, 0, 0, 0, time.UTC)
	for members, want := range map[string]*ScheduledEvent{
		`"start":"2031-03-03T09:00:00","timeZoneName":"Europe/London","timeZonedStart":"2031-03-03T09:00:00+00:00"`: {
			Start: "2031-03-03T09:00:00", TimeZone: "Europe/London", StartsAt: &at,
		},
		`"start":"2031-03-03T09:00:00.25","remainingPlaces":-3`:                  {Start: "2031-03-03T09:00:00", RemainingPlaces: new(-3)},
		`"start":null,"timeZonedStart":null,"cancelledAt":null,"maxPlaces":null`: {},
		`"cancelledAt":"2031-03-03T09:00:00Z"`:                                   {Cancelled: true, CancelledAt: &at},
		`"cancelledAt":"2031-03-03T09:00:00","lifecycleState":"cancelled"`:       {Cancelled: true, State: "cancelled"},
		`"lifecycleState":"cancelled"`:                                           {Cancelled: true, State: "cancelled"},
		`"start":"2031-03-03T09:00:00+01:00"`:                                    nil,
		`"start":"2031-03-03"`:                                                   nil,
		`"start":7`:                                                              nil,
		`"timeZonedStart":"2031-03-03T09:00:00"`:                                 nil,
		`"cancelledAt":"yes"`:                                                    nil,
		`"cancelledAt":true`:                                                     nil,
		`"maxPlaces":1.5`:                                                        nil,
		`"bookedPlaces":"4"`:                                                     nil,
	} {
		c, _ := serveBody(t, `{"data":{"events":`+rows(lastPage, `{"id":"E",`+members+`}`)+`}}`)
		got, err := c.Event(t.Context(), "E")
		if want == nil {
			if outcomeOf(t, err) != "unknown" {
				t.Errorf("%s: %+v, %v", members, got, err)
			}
			continue
		}
		want.ID = "E"
		if diff := cmp.Diff(*want, got, compareOptions()...); diff != "" || err != nil {
			t.Errorf("%s: %v (-want +got):\n%s", members, err, diff)
		}
	}
}

// TestNestedPages: the client reads the list of an event page by page, and does not treat one page
// as the whole list.
func TestNestedPages(t *testing.T) {
	t.Parallel()
	event := func(inner string) string {
		return `{"data":{"events":` + rows(lastPage, `{"registrations":`+inner+`}`) + `}}`
	}
	c, last := serveBody(t, event(rows(nextPage,
		`{"id":"R","account":{"id":"A","name":"n"},"sourceOpportunity":{"id":"O"}}`, `{"id":"S","account":null,"sourceOpportunity":null}`)))
	got, err := c.EventRegistrations(t.Context(), "E", "C")
	want := RegistrationPage{
		Registrations: []Registration{{ID: "R", Account: &Ref{"A", "n"}, OpportunityID: "O"}, {ID: "S"}}, Count: 250, NextCursor: "E",
	}
	if diff := cmp.Diff(want, got); diff != "" || err != nil {
		t.Errorf("%v (-want +got):\n%s", err, diff)
	}
	if last().Variables["after"] != "C" || !strings.Contains(last().Query, "registrations(first: 100, after: $after)") {
		t.Errorf("sent %s", last().Query)
	}
	for answer, body := range map[string]string{
		"null":             event("null"),
		"a null row":       event(rows(lastPage, "null")),
		"a row without id": event(rows(lastPage, `{}`)),
		"endless":          event(rows(`{"hasNextPage":true}`)),
		"two events":       `{"data":{"events":` + rows(lastPage, "{}", "{}") + `}}`,
		"no page":          event("7"),
	} {
		c, _ := serveBody(t, body)
		if got, err := c.EventRegistrations(t.Context(), "E", "C"); outcomeOf(t, err) != "unknown" {
			t.Errorf("%s: %+v, %v", answer, got, err)
		}
	}
	c, _ = serveBody(t, `{"data":{"events":`+rows(lastPage)+`}}`)
	if _, err := c.EventRegistrations(t.Context(), "E", "C"); !errors.As(err, new(*NotFoundError)) {
		t.Errorf("of no event: %v", err)
	}
	// If an owner has no id, the client returns no owner.
	c, _ = serveBody(t, `{"data":{"opportunities":`+rows(lastPage, `{"id":"O","owner":{"firstName":"f"}}`)+`}}`)
	if got, err := c.OpportunityLinks(t.Context(), "O"); outcomeOf(t, err) != "unknown" {
		t.Errorf("%+v, %v", got, err)
	}
}

// TestOpportunityLinks: if the sales document is not an invoice, the client returns no invoice.
func TestOpportunityLinks(t *testing.T) {
	t.Parallel()
	for members, want := range map[string]OpportunityLinks{
		`"salesDocument":{}`:   {},
		`"salesDocument":null`: {},
		`"activeInvoiceId":"I","salesDocument":{"id":"I","lifecycleState":"Draft"}`: {ActiveInvoiceID: "I", Invoice: &Invoice{ID: "I", State: "Draft"}},
		`"owner":{"id":"U","firstName":"f","contact":{"id":"P"}},"contact":{"id":"Q"},"attributes":[{"definitionKey":"k","value":null}]`: {
			Owner: &User{ID: "U", FirstName: "f", ContactID: "P"}, ContactID: "Q", Attributes: []Attribute{{"k", ""}},
		},
	} {
		c, last := serveBody(t, `{"data":{"opportunities":`+rows(lastPage, `{"id":"O",`+members+`}`)+`}}`)
		got, err := c.OpportunityLinks(t.Context(), "O")
		want.OpportunityID = "O"
		if diff := cmp.Diff(want, got); diff != "" || err != nil {
			t.Errorf("%s: %v (-want +got):\n%s", members, err, diff)
		}
		if last().Variables["id"] != "O" {
			t.Errorf("sent %+v", last().Variables)
		}
	}
}

// TestBilling: the client does not request the comments or the purchase order of an invoice if the
// assumption about the field is off.
func TestBilling(t *testing.T) {
	t.Parallel()
	for members, test := range map[string]struct {
		assumed Assumptions
		asked   string
		want    Billing
	}{
		`"activeInvoiceId":"I","salesDocument":{"id":"I","lifecycleState":"Draft","comments":"c","purchaseOrderReference":null}`: {
			Assumptions{},
			"{ id lifecycleState comments: comments purchaseOrderReference: purchaseOrderReference }",
			Billing{ActiveInvoiceID: "I", Invoice: &Invoice{ID: "I", State: "Draft", Comments: "c"}, ShowsComments: true, ShowsPurchaseOrder: true},
		},
		`"activeInvoiceId":"I","salesDocument":{"id":"I","lifecycleState":"Final","purchaseOrderReference":"p"}`: {
			Assumptions{InvoiceComments: Off, InvoicePurchaseOrder: "poNumber"},
			"{ id lifecycleState purchaseOrderReference: poNumber }",
			Billing{ActiveInvoiceID: "I", Invoice: &Invoice{ID: "I", State: "Final", PurchaseOrderRef: "p"}, ShowsPurchaseOrder: true},
		},
		`"activeInvoiceId":"I","salesDocument":{}`: {
			Assumptions{InvoiceComments: Off, InvoicePurchaseOrder: Off}, "{ id lifecycleState }", Billing{ActiveInvoiceID: "I"},
		},
		`"activeInvoiceId":null,"salesDocument":null`: {
			Assumptions{InvoicePurchaseOrder: Off}, "{ id lifecycleState comments: comments }", Billing{ShowsComments: true},
		},
	} {
		c, last := serveBody(t, `{"data":{"opportunities":`+rows(lastPage, `{"id":"O",`+members+`}`)+`}}`)
		assumed, err := test.assumed.resolved()
		if err != nil {
			t.Fatal(err)
		}
		c.assumed = assumed
		got, err := c.Billing(t.Context(), "O")
		if diff := cmp.Diff(test.want, got); diff != "" || err != nil {
			t.Errorf("%s: %v (-want +got):\n%s", members, err, diff)
		}
		if !strings.Contains(last().Query, "... on Invoice "+test.asked) {
			t.Errorf("sent %s", last().Query)
		}
	}
}

func TestEnrolment(t *testing.T) {
	t.Parallel()
	const cancelled = `"cancelled":{"pageInfo":{"totalRecords":3}}`
	for name, test := range map[string]struct {
		data, fate string
		want       Enrolment
	}{
		"on it twice": {
			`{"active":` + rows(lastPage, `{"id":"L","contact":{"id":"P"}}`, `{"id":"M","contact":null}`) + `,` + cancelled + `}`, "done",
			Enrolment{Active: 2, Cancelled: 3, Learners: []EventLearner{{ID: "L", ContactID: "P"}, {ID: "M"}}},
		},
		"not on it":          {`{"active":` + rows(`{"totalRecords":0}`) + `,` + cancelled + `}`, "done", Enrolment{Cancelled: 3}},
		"no active ones":     {`{"active":null,` + cancelled + `}`, "unknown", Enrolment{}},
		"no cancelled":       {`{"active":` + rows(lastPage) + `}`, "unknown", Enrolment{}},
		"a null one":         {`{"active":` + rows(lastPage, "null") + `,` + cancelled + `}`, "unknown", Enrolment{}},
		"one without id":     {`{"active":` + rows(lastPage, "{}") + `,` + cancelled + `}`, "unknown", Enrolment{}},
		"count is no number": {`{"active":` + rows(`{"totalRecords":"2"}`) + `,` + cancelled + `}`, "unknown", Enrolment{}},
	} {
		c, last := serveBody(t, `{"data":`+test.data+`}`)
		got, err := c.Enrolment(t.Context(), "P", "E")
		if diff := cmp.Diff(test.want, got); diff != "" || outcomeOf(t, err) != test.fate {
			t.Errorf("%s: %v (-want +got):\n%s", name, err, diff)
		}
		filter := func(field, value string) any {
			return map[string]any{"field": field, "operation": "eq", "value": value}
		}
		for i, r := range rootsOf(t, last()) {
			want := []any{filter("contactId", "P"), filter("eventId", "E"), filter("isCancelled", []string{"false", "true"}[i])}
			if diff := cmp.Diff(want, r.Arguments["filters"]); diff != "" || r.Field != "learners" {
				t.Errorf("%s: sent (-want +got):\n%s", name, diff)
			}
		}
	}
}
