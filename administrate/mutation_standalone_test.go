package administrate

import (
	"context"
	"errors"
	"fmt"
	"math"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"github.com/shopspring/decimal"
	"github.com/vektah/gqlparser/v2/ast"
	"github.com/vektah/gqlparser/v2/parser"
)

func standaloneMutationOf(t *testing.T, s sent) (string, map[string]any) {
	t.Helper()
	doc, err := parser.ParseQuery(&ast.Source{Input: s.Query})
	if err != nil {
		t.Fatalf("%v\n%s", err, s.Query)
	}
	namespace := doc.Operations[0].SelectionSet[0].(*ast.Field)
	if len(doc.Operations[0].SelectionSet) != 1 || len(namespace.SelectionSet) != 1 {
		t.Fatalf("more than one mutation\n%s", s.Query)
	}
	field := namespace.SelectionSet[0].(*ast.Field)
	arguments := map[string]any{}
	for _, a := range field.Arguments {
		value, err := a.Value.Value(s.Variables)
		if err != nil {
			t.Fatalf("%v\n%s", err, s.Query)
		}
		arguments[a.Name] = value
	}
	return namespace.Name + "." + field.Name, arguments
}

func standaloneMutations() []struct {
	name    string
	do      func(ctx context.Context, c *Client) (any, error)
	field   string
	sent    map[string]any
	payload string
	want    any
} {
	type errand = struct {
		name    string
		do      func(ctx context.Context, c *Client) (any, error)
		field   string
		sent    map[string]any
		payload string
		want    any
	}
	final := time.Date(2026, 11, 30, 16, 0, 0, 0, time.UTC)
	six := 6
	none := func(err error) (any, error) { return nil, err }
	return []errand{
		{
			"create an account", func(ctx context.Context, c *Client) (any, error) {
				return c.CreateAccount(ctx, NewAccount{Name: secretName, Email: secretName})
			},
			"account.create", input(map[string]any{"name": secretName, "emailAddress": secretName}),
			`{"errors":[],"account":{"id":"A","name":"n","emailAddress":null,"isIndividual":true,"owner":{"id":"U"}}}`,
			Account{ID: "A", Name: "n", Individual: true, OwnerID: "U"},
		},
		{
			"register contacts", func(ctx context.Context, c *Client) (any, error) {
				return c.RegisterContacts(ctx, RegisterContacts{
					EventID: "E", ContactIDs: []string{"P1", "P2"}, Notes: secretName, Price: &Price{decimal.RequireFromString("10.125"), "GBP"},
				})
			},
			"event.registerContacts",
			map[string]any{"eventId": "E", "input": map[string]any{
				"contacts": []any{"P1", "P2"}, "notes": secretName, "financialUnitId": "GBP", "amount": "10.125",
			}},
			`{"errors":[],"event":{"id":"E","bookedPlaces":6},"learners":[{"id":"L1","contact":{"id":"P1"}},{"id":"L2","contact":null}]}`,
			RegisterContactsResult{Learners: []EventLearner{{ID: "L1", ContactID: "P1"}, {ID: "L2"}}, BookedPlaces: &six},
		},
		{
			"cancel a learner", func(ctx context.Context, c *Client) (any, error) { return none(c.CancelLearner(ctx, "L")) },
			"learner.cancel", input(map[string]any{"learnerId": "L"}), `{"errors":[]}`, nil,
		},
		{
			"reactivate a learner", func(ctx context.Context, c *Client) (any, error) { return none(c.ReactivateLearner(ctx, "L")) },
			"learner.reactivate", input(map[string]any{"learnerId": "L"}), `{"errors":[]}`, nil,
		},
		{
			"empty an invoice", func(ctx context.Context, c *Client) (any, error) {
				return c.UpdateInvoice(ctx, UpdateInvoice{ID: "I", NoComments: true, PurchaseOrderRef: "p"})
			},
			"invoices.update", input(map[string]any{"invoiceId": "I", "comments": "", "purchaseOrderRef": "p"}),
			`{"invoice":{"id":"I","comments":"","purchaseOrderReference":"p"}}`,
			Invoice{ID: "I", PurchaseOrderRef: "p"},
		},
		{
			"update an invoice", func(ctx context.Context, c *Client) (any, error) {
				return c.UpdateInvoice(ctx, UpdateInvoice{ID: "I", Comments: secretName, PurchaseOrderRef: "p"})
			},
			"invoices.update", input(map[string]any{"invoiceId": "I", "comments": secretName, "purchaseOrderRef": "p"}),
			`{"invoice":{"id":"I","comments":"c","purchaseOrderReference":null}}`,
			Invoice{ID: "I", Comments: "c"},
		},
		{
			"finalise an invoice", func(ctx context.Context, c *Client) (any, error) { return c.FinaliseInvoice(ctx, "I") },
			"invoices.finalise", input(map[string]any{"invoiceId": "I"}),
			`{"errors":[],"invoice":{"id":"I","lifecycleState":"Final","finalisedAt":"2026-11-30T16:00:00+00:00"}}`,
			Invoice{ID: "I", State: "Final", FinalisedAt: &final},
		},
		{
			"finalise one that stays a draft", func(ctx context.Context, c *Client) (any, error) { return c.FinaliseInvoice(ctx, "I") },
			"invoices.finalise", input(map[string]any{"invoiceId": "I"}),
			`{"errors":[],"invoice":{"id":"I","lifecycleState":"Draft","finalisedAt":null}}`,
			Invoice{ID: "I", State: "Draft"},
		},
		{
			"send a mail", func(ctx context.Context, c *Client) (any, error) {
				return none(c.SendEmail(ctx, Email{ContactID: "P", Subject: secretName, Body: secretName, SendingAddressID: "S", CC: []string{secretName}}))
			},
			"contactAdhocEmails.sendContactAdhocEmail", input(map[string]any{
				"contactId": "P", "subject": secretName, "body": secretName, "sendingAddressId": "S", "ccList": []any{secretName},
			}),
			`{"errors":[]}`, nil,
		},
		{
			"write to the log", func(ctx context.Context, c *Client) (any, error) {
				return none(c.WriteLog(ctx, LogEntry{
					Origin: "o", NodeID: "E", Message: secretName, Status: LogFailed, Payload: `{"a":1}`, Category: "c", Subcategory: "s",
				}))
			},
			"externalLog.createExternalIntegrationLog", input(map[string]any{
				"originIdentifier": "o", "nodeId": "E", "message": secretName, "status": "failed", "payload": `{"a":1}`,
				"internalLogMetadata": map[string]any{"category": "c", "subcategory": "s"},
			}),
			`{}`, nil,
		},
	}
}

// TestStandaloneMutations checks each request, and that every response without proof of success
// returns an error.
func TestStandaloneMutations(t *testing.T) {
	t.Parallel()
	for _, e := range standaloneMutations() {
		t.Run(e.name, func(t *testing.T) {
			namespace, name, _ := strings.Cut(e.field, ".")
			c, last := serveBody(t, fmt.Sprintf(`{"errors":[],"data":{%q:{%q:%s}}}`, namespace, name, e.payload))
			got, err := e.do(t.Context(), c)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(e.want, got, compareOptions()...); diff != "" {
				t.Errorf("answer (-want +got):\n%s", diff)
			}
			field, arguments := standaloneMutationOf(t, last())
			if diff := cmp.Diff(e.sent, arguments, cmpopts.EquateEmpty()); diff != "" || field != e.field {
				t.Errorf("sent %s (-want +got):\n%s", field, diff)
			}
			if r := last(); strings.Contains(r.Query, secretName) || strings.Contains(r.OperationName, secretName) {
				t.Errorf("what is personal stands in the document: %s", r.Query)
			}

			// For a mutation that returns no record, an empty list of errors alone proves success.
			without := "unknown"
			if e.want == nil {
				without = "done"
			}
			payload := func(payload string) string { return fmt.Sprintf(`{"data":{%q:{%q:%s}}}`, namespace, name, payload) }
			topped := func(path string) string {
				return fmt.Sprintf(`{"errors":[{"message":%q,"path":[%q,%q%s]}],"data":{%q:{%q:%s}}}`, secretName, namespace, name, path, namespace, name, e.payload)
			}
			for answer, test := range map[string]struct{ body, fate string }{
				"turned down":             {payload(`{"errors":[{"label":"L","message":"m","value":null}],"account":null,"invoice":null,"learners":null}`), "rejected"},
				"turned down with more":   {payload(`{"errors":[{"label":"L"}],"account":{"id":"A"},"invoice":{"id":"I"},"learners":[{"id":"L"}]}`), "rejected"},
				"no payload":              {fmt.Sprintf(`{"data":{%q:{}}}`, namespace), "unknown"},
				"a null payload":          {payload("null"), "unknown"},
				"another form":            {payload(`"done"`), "unknown"},
				"a list":                  {payload(`[]`), "unknown"},
				"errors of another form":  {payload(`{"errors":"none"}`), "unknown"},
				"no namespace":            {`{"data":{}}`, "unknown"},
				"a null namespace":        {fmt.Sprintf(`{"data":{%q:null},"errors":[{"message":"m","path":[%q]}]}`, namespace, namespace), "unknown"},
				"a namespace that is not": {fmt.Sprintf(`{"data":{%q:7}}`, namespace), "unknown"},
				"data is null":            {`{"data":null}`, "unknown"},
				"refused":                 {`{"errors":[{"message":"no such field"}]}`, "refused"},
				"errors unread":           {topped(`,"errors"`), "unknown"},
				"one error unread":        {topped(`,"errors",0,"label"`), "unknown"},
				"something unread":        {topped(`,"other"`), "done"},
				"no errors, no record":    {payload(`{"errors":[]}`), without},
				"a null record":           {payload(`{"errors":[],"account":null,"invoice":null,"learners":null}`), without},
				"no learners":             {payload(`{"errors":[],"account":null,"invoice":null,"learners":[]}`), without},
				"a record without an id":  {payload(`{"errors":[],"account":{"name":"n"},"invoice":{},"learners":[{"id":"L"},{}]}`), without},
			} {
				c, _ := serveBody(t, test.body)
				got, err := e.do(t.Context(), c)
				if outcomeOf(t, err) != test.fate {
					t.Errorf("%s: %v, want %s", answer, err, test.fate)
				}
				if err != nil && got != nil && !reflect.ValueOf(got).IsZero() {
					t.Errorf("%s: an error and a result: %+v", answer, got)
				}
			}
		})
	}
}

// TestBatches: a mutation with a list of entries has an outcome for each entry. If the number of
// payloads in the response differs from the number of entries in the request, every outcome is
// unknown.
func TestBatches(t *testing.T) {
	t.Parallel()
	contacts := []NewContact{{FirstName: secretName, LastName: "l", AccountID: "A", Email: secretName}, {FirstName: "f", LastName: "l"}, {FirstName: "f", LastName: "l"}}
	want := map[string]any{"input": []any{
		map[string]any{
			"personalName": map[string]any{"firstName": secretName, "lastName": "l"}, "accountId": "A",
			"emailAddresses": []any{map[string]any{"usage": "primary", "address": secretName}},
		},
		map[string]any{"personalName": map[string]any{"firstName": "f", "lastName": "l"}},
		map[string]any{"personalName": map[string]any{"firstName": "f", "lastName": "l"}},
	}}
	good := func(id string) string { return fmt.Sprintf(`{"errors":[],"contact":{"id":%q}}`, id) }
	const bad = `{"errors":[{"label":"L","message":"m","value":"v"}],"contact":null}`
	for answer, test := range map[string]struct {
		payloads string
		errors   string
		fates    string // the outcome of each entry, or one outcome for all entries
		ids      string
	}{
		"all":                  {"[" + good("1") + "," + good("2") + "," + good("3") + "]", `[]`, "done done done", "1 2 3"},
		"one turned down":      {"[" + good("1") + "," + bad + "," + good("3") + "]", `[]`, "done rejected done", "1 3"},
		"all turned down":      {"[" + bad + "," + bad + "," + bad + "]", `[]`, "rejected rejected rejected", ""},
		"one null":             {"[" + good("1") + ",null," + good("3") + "]", `[{"message":"m","path":["contact","createBatch",1]}]`, "done unknown done", "1 3"},
		"one without effect":   {"[" + good("1") + `,{"errors":[],"contact":null},{"errors":[]}]`, `[]`, "done unknown unknown", "1"},
		"one without an id":    {"[" + good("") + "," + good("2") + "," + good("3") + "]", `[]`, "unknown done done", "2 3"},
		"one of another form":  {"[" + good("1") + `,7,{"errors":7}]`, `[]`, "done unknown unknown", "1"},
		"errors of one unread": {"[" + good("1") + "," + good("2") + "," + good("3") + "]", `[{"message":"m","path":["contact","createBatch",2,"errors"]}]`, "done done unknown", "1 2"},
		"another of one":       {"[" + good("1") + "," + good("2") + "," + good("3") + "]", `[{"message":"m","path":["contact","createBatch",2,"x"]}]`, "done done done", "1 2 3"},
		"too few":              {"[" + good("1") + "," + good("2") + "]", `[]`, "unknown", ""},
		"too many":             {"[" + good("1") + "," + good("2") + "," + good("3") + "," + good("4") + "]", `[]`, "unknown", ""},
		"none":                 {"[]", `[]`, "unknown", ""},
		"null":                 {"null", `[]`, "unknown", ""},
		"one payload":          {good("1"), `[]`, "unknown", ""},
	} {
		t.Run(answer, func(t *testing.T) {
			c, last := serveBody(t, fmt.Sprintf(`{"errors":%s,"data":{"contact":{"createBatch":%s}}}`, test.errors, test.payloads))
			answers, err := c.CreateContacts(t.Context(), contacts)
			fates, ids := []string{}, []string{}
			for _, a := range answers {
				fates = append(fates, outcomeOf(t, a.Err))
				if (a.Err == nil) != (a.Contact != nil) {
					t.Errorf("both or neither: %+v", a)
				}
				if a.Contact != nil {
					ids = append(ids, a.Contact.ID)
				}
			}
			if err != nil {
				fates = append(fates, outcomeOf(t, err))
			}
			if got := strings.Join(fates, " "); got != test.fates || strings.Join(ids, " ") != test.ids {
				t.Errorf("%s with %q, want %s with %q", got, ids, test.fates, test.ids)
			}
			field, arguments := standaloneMutationOf(t, last())
			if diff := cmp.Diff(want, arguments); diff != "" || field != "contact.createBatch" {
				t.Errorf("sent %s (-want +got):\n%s", field, diff)
			}
			if strings.Contains(last().Query, secretName) {
				t.Errorf("what is personal stands in the document: %s", last().Query)
			}
		})
	}
}

// The text of the error is one line and contains no value of the input.
func TestInvalidStandaloneMutations(t *testing.T) {
	t.Parallel()
	c, last := serveBody(t, successBody)
	off := client(t, "http://127.0.0.1:1/", func(o *Options) { o.Assumed = everythingOff(t) })
	ctx := t.Context()
	email := Email{ContactID: "c", Subject: secretName, Body: secretName, SendingAddressID: "s"}
	entry := LogEntry{Origin: "o", NodeID: "n", Message: secretName, Status: LogSuccess}
	with := func(change func(*Email)) Email { e := email; change(&e); return e }
	logged := func(change func(*LogEntry)) LogEntry { l := entry; change(&l); return l }
	for where, err := range map[string]error{
		"id":                                   anyError(c.Account(ctx, "")),
		"AccountsByName.name":                  anyError(c.AccountsByName(ctx, "")),
		"CreateAccount.Name":                   anyError(c.CreateAccount(ctx, NewAccount{Email: secretName})),
		"CreateAccount.Email":                  anyError(c.CreateAccount(ctx, NewAccount{Name: "n", Email: secretName + "\xff"})),
		"CreateAccount.Email ":                 anyError(off.CreateAccount(ctx, NewAccount{Name: "n", Email: secretName})),
		"id ":                                  anyError(c.Contact(ctx, "")),
		"ContactsByEmail.emailAddress":         anyError(c.ContactsByEmail(ctx, "")),
		"CreateContacts.contacts":              anyError(c.CreateContacts(ctx, nil)),
		"CreateContacts.contacts ":             anyError(c.CreateContacts(ctx, make([]NewContact, MaxEntries+1))),
		"CreateContacts.contacts[0].LastName":  anyError(c.CreateContacts(ctx, []NewContact{{FirstName: secretName}})),
		"CreateContacts.contacts[1].FirstName": anyError(c.CreateContacts(ctx, []NewContact{{FirstName: "f", LastName: "l"}, {LastName: secretName}})),
		"id  ":                                 anyError(c.Event(ctx, "")),
		"Events.ids":                           anyError(c.Events(ctx, nil)),
		"Events.ids[1]":                        anyError(c.Events(ctx, []string{"e", ""})),
		"OpportunitySteps.ids":                 anyError(c.OpportunitySteps(ctx, make([]string, MaxEntries+1))),
		"id    ":                               anyError(c.EventRegistrations(ctx, "", "")),
		"Enrolment.contactID":                  anyError(c.Enrolment(ctx, "", "e")),
		"Enrolment.eventID":                    anyError(c.Enrolment(ctx, "c", "")),

		"RegisterContacts.EventID":        anyError(c.RegisterContacts(ctx, RegisterContacts{ContactIDs: []string{"c"}})),
		"RegisterContacts.ContactIDs":     anyError(c.RegisterContacts(ctx, RegisterContacts{EventID: "e"})),
		"RegisterContacts.ContactIDs[0]":  anyError(c.RegisterContacts(ctx, RegisterContacts{EventID: "e", ContactIDs: []string{""}})),
		"RegisterContacts.Price.Currency": anyError(c.RegisterContacts(ctx, RegisterContacts{EventID: "e", ContactIDs: []string{"c"}, Price: &Price{}})),
		"RegisterContacts.Price.Amount":   anyError(c.RegisterContacts(ctx, RegisterContacts{EventID: "e", ContactIDs: []string{"c"}, Price: &Price{decimal.New(1, math.MaxInt32), "GBP"}})),

		"Enrolments.eventID":                       anyError(c.Enrolments(ctx, "", []string{"c"}, "")),
		"Enrolments.contactIDs":                    anyError(c.Enrolments(ctx, "e", nil, "")),
		"Enrolments.contactIDs[1]":                 anyError(c.Enrolments(ctx, "e", []string{"c", ""}, "")),
		"ContactsByEmails.emails":                  anyError(c.ContactsByEmails(ctx, make([]string, MaxEntries+1), "")),
		"ContactsByEmails.emails[0]":               anyError(c.ContactsByEmails(ctx, []string{""}, "")),
		"CancelLearner.learnerID":                  c.CancelLearner(ctx, ""),
		"ReactivateLearner.learnerID":              c.ReactivateLearner(ctx, ""),
		"UpdateInvoice.ID  ":                       anyError(c.UpdateInvoice(ctx, UpdateInvoice{ID: "i", Comments: secretName, NoComments: true})),
		"UpdateInvoice.ID":                         anyError(c.UpdateInvoice(ctx, UpdateInvoice{Comments: secretName})),
		"UpdateInvoice.ID ":                        anyError(c.UpdateInvoice(ctx, UpdateInvoice{ID: "i"})),
		"FinaliseInvoice.invoiceID":                anyError(c.FinaliseInvoice(ctx, "")),
		"id     ":                                  anyError(c.OpportunityLinks(ctx, "")),
		"SendEmail.ContactID":                      c.SendEmail(ctx, with(func(e *Email) { e.ContactID = "" })),
		"SendEmail.Subject":                        c.SendEmail(ctx, with(func(e *Email) { e.Subject = "" })),
		"SendEmail.Body":                           c.SendEmail(ctx, with(func(e *Email) { e.Body = secretName + "\xff" })),
		"SendEmail.SendingAddressID":               c.SendEmail(ctx, with(func(e *Email) { e.SendingAddressID = "" })),
		"SendEmail.CC[0]":                          c.SendEmail(ctx, with(func(e *Email) { e.CC = []string{""} })),
		"WriteLog.Origin":                          c.WriteLog(ctx, logged(func(l *LogEntry) { l.Origin = "" })),
		"WriteLog.NodeID":                          c.WriteLog(ctx, logged(func(l *LogEntry) { l.NodeID = "" })),
		"WriteLog.Message":                         c.WriteLog(ctx, logged(func(l *LogEntry) { l.Message = "" })),
		"WriteLog.Status":                          c.WriteLog(ctx, logged(func(l *LogEntry) { l.Status = "" })),
		"WriteLog.Payload":                         c.WriteLog(ctx, logged(func(l *LogEntry) { l.Payload = "{" + secretName })),
		"mutation 1: ReservePlaces.InterestIDs":    anyError(c.Reserve(ctx, Reserve{OpportunityID: "o", Until: time.Now()})),
		"mutation 1: ReservePlaces.InterestIDs[1]": anyError(c.Reserve(ctx, Reserve{OpportunityID: "o", Until: time.Now(), InterestIDs: []string{"i", ""}})),
		"mutation 2: ExtendReservations.Until":     anyError(c.Reserve(ctx, Reserve{OpportunityID: "o", InterestIDs: []string{"i"}})),
		"mutation 1: UpdateOpportunity.OwnerID":    anyError(off.UpdateOpportunity(ctx, UpdateOpportunity{ID: "o", OwnerID: "u"})),
		"mutation 1: UpdateOpportunity.ContactID":  anyError(off.UpdateOpportunity(ctx, UpdateOpportunity{ID: "o", ContactID: "c"})),
	} {
		var invalid *InvalidError
		if outcomeOf(t, err); !errors.As(err, &invalid) || invalid.Where != strings.TrimSpace(where) {
			t.Errorf("%s: %v", where, err)
		} else if strings.Contains(err.Error(), "\n") {
			t.Errorf("more than a line: %v", err)
		}
	}
	if last().Query != "" {
		t.Errorf("sent %s", last().Query)
	}
}

func TestReserveResult(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 11, 30, 16, 0, 0, 0, time.UTC)
	until := now.Add(time.Hour)
	at := func(d time.Duration) *time.Time { t := until.Add(d); return &t }
	for name, test := range map[string]struct {
		held  ReserveResult
		holds bool
	}{
		"held":              {ReserveResult{Reservations: &Reservations{Valid: true, Until: at(0)}}, true},
		"almost as asked":   {ReserveResult{Reservations: &Reservations{Valid: true, Until: at(-5 * time.Minute)}}, true},
		"much sooner":       {ReserveResult{Reservations: &Reservations{Valid: true, Until: at(-6 * time.Minute)}}, false},
		"much later":        {ReserveResult{Reservations: &Reservations{Valid: true, Until: at(6 * time.Minute)}}, false},
		"not valid":         {ReserveResult{Reservations: &Reservations{Until: at(0)}}, false},
		"no expiry":         {ReserveResult{Reservations: &Reservations{Valid: true}}, false},
		"nothing read back": {ReserveResult{}, false},
		"reserve failed":    {ReserveResult{Reserve: &RejectedError{}, Reservations: &Reservations{Valid: true, Until: at(0)}}, false},
		"extend failed":     {ReserveResult{Extend: &UnknownError{}, Reservations: &Reservations{Valid: true, Until: at(0)}}, false},
	} {
		if got := test.held.IsConfirmed(until, now); got != test.holds {
			t.Errorf("%s: %t", name, got)
		}
	}
	past := ReserveResult{Reservations: &Reservations{Valid: true, Until: at(0)}}
	if past.IsConfirmed(until, until) {
		t.Error("a hold that expires now holds")
	}
}

// TestReserveInOrder: Reserve sends two mutations as root fields of one document. The second of
// these mutations sets the expiry time.
func TestReserveInOrder(t *testing.T) {
	t.Parallel()
	until := time.Date(2026, 11, 30, 17, 0, 0, 0, time.FixedZone("", 3600))
	for name, test := range map[string]struct {
		data, reserve, extend string
		read                  bool
	}{
		"done":                {`{"m0":{"reservePlacesForInterests":{"errors":[]}},"m1":{"extendReservations":{"errors":[],"opportunity":{"id":"O","isReservationValid":true,"reservationsValidUntil":"2026-11-30T16:00:00Z"}}}}`, "done", "done", true},
		"reserve turned down": {`{"m0":{"reservePlacesForInterests":{"errors":[{"label":"L"}]}},"m1":{"extendReservations":{"errors":[],"opportunity":{"id":"O"}}}}`, "rejected", "done", true},
		"extend turned down":  {`{"m0":{"reservePlacesForInterests":{"errors":[]}},"m1":{"extendReservations":{"errors":[{"label":"L"}],"opportunity":null}}}`, "done", "rejected", false},
		"one unknown":         {`{"m0":null,"m1":{"extendReservations":{"errors":[],"opportunity":{"id":"O"}}}}`, "unknown", "done", true},
		"null opportunity":    {`{"m0":{"reservePlacesForInterests":{}},"m1":{"extendReservations":{"errors":[],"opportunity":null}}}`, "done", "unknown", false},
	} {
		c, last := serveBody(t, `{"data":`+test.data+`}`)
		held, err := c.Reserve(t.Context(), Reserve{OpportunityID: "O", InterestIDs: []string{"I1", "I2"}, Until: until})
		if err != nil || outcomeOf(t, held.Reserve) != test.reserve || outcomeOf(t, held.Extend) != test.extend || (held.Reservations != nil) != test.read {
			t.Errorf("%s: %+v, %v", name, held, err)
		}
		if got := held.IsConfirmed(until, until.Add(-time.Hour)); got != (name == "done") {
			t.Errorf("%s: holds: %t", name, got)
		}
		want := []rootField{
			{Alias: "m0", Field: "opportunities", Inner: "reservePlacesForInterests", Arguments: input(map[string]any{"interestIds": []any{"I1", "I2"}})},
			{Alias: "m1", Field: "opportunities", Inner: "extendReservations", Arguments: input(map[string]any{
				"opportunityId": "O", "reservationsValidUntil": "2026-11-30T17:00:00+01:00",
			})},
		}
		if diff := cmp.Diff(want, rootsOf(t, last())); diff != "" {
			t.Errorf("%s: sent (-want +got):\n%s", name, diff)
		}
	}
}

// TestReserveForMany: if the interests do not fit into one mutation, Reserve sends several
// mutations in one request.
func TestReserveForMany(t *testing.T) {
	t.Parallel()
	ids := make([]string, MaxEntries+1)
	for i := range ids {
		ids[i] = fmt.Sprintf("I%d", i)
	}
	c, last := serveBody(t, `{"data":{"m0":{"reservePlacesForInterests":{"errors":[]}},"m1":{"reservePlacesForInterests":{"errors":[{"label":"L"}]}},`+
		`"m2":{"extendReservations":{"errors":[],"opportunity":{"id":"O"}}}}}`)
	held, err := c.Reserve(t.Context(), Reserve{OpportunityID: "O", InterestIDs: ids, Until: time.Now()})
	if err != nil || outcomeOf(t, held.Reserve) != "rejected" || outcomeOf(t, held.Extend) != "done" {
		t.Errorf("%+v, %v", held, err)
	}
	var sent []string
	for _, root := range rootsOf(t, last()) {
		sent = append(sent, root.Inner)
	}
	if diff := cmp.Diff([]string{"reservePlacesForInterests", "reservePlacesForInterests", "extendReservations"}, sent); diff != "" {
		t.Error(diff)
	}
}
