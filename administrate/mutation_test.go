package administrate

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"net/http"
	"net/http/httptest"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"github.com/shopspring/decimal"
	"github.com/vektah/gqlparser/v2/ast"
	"github.com/vektah/gqlparser/v2/parser"
	"pgregory.net/rapid"

	"github.com/oppflow/oppflow/administrate/administratetest"
	"github.com/oppflow/oppflow/administrate/oauth"
	"github.com/oppflow/oppflow/administrate/transport"
)

// serveBody returns a client of a server that always returns the same body, and a function that
// returns the last request.
func serveBody(t *testing.T, body string) (*Client, func() sent) {
	t.Helper()
	var last sent
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		var err error
		if last, err = decode(r.Body); err != nil {
			t.Error(err)
		}
		_, _ = io.WriteString(w, body)
	}))
	t.Cleanup(server.Close)
	return client(t, server.URL, nil), func() sent { return last }
}

type rootField struct {
	Alias, Field string
	Inner        string
	Arguments    map[string]any
}

type fataler interface {
	Helper()
	Fatalf(format string, args ...any)
}

func rootsOf(t fataler, s sent) []rootField {
	t.Helper()
	doc, err := parser.ParseQuery(&ast.Source{Input: s.Query})
	if err != nil {
		t.Fatalf("%v\n%s", err, s.Query)
	}
	var out []rootField
	for _, selection := range doc.Operations[0].SelectionSet {
		field, ok := selection.(*ast.Field)
		if !ok {
			t.Fatalf("a root that is no field\n%s", s.Query)
		}
		r := rootField{Alias: field.Alias, Field: field.Name, Arguments: map[string]any{}}
		if field.Name == "opportunities" && doc.Operations[0].Operation == ast.Mutation {
			if len(field.SelectionSet) != 1 {
				t.Fatalf("several mutations in one GraphQL namespace run in no fixed order\n%s", s.Query)
			}
			field = field.SelectionSet[0].(*ast.Field)
			r.Inner = field.Name
		}
		for _, a := range field.Arguments {
			value, err := a.Value.Value(s.Variables)
			if err != nil {
				t.Fatalf("%v\n%s", err, s.Query)
			}
			r.Arguments[a.Name] = value
		}
		out = append(out, r)
	}
	return out
}

func input(members map[string]any) map[string]any { return map[string]any{"input": members} }

func money(text string) decimal.NullDecimal {
	return decimal.NewNullDecimal(decimal.RequireFromString(text))
}

// TestMutations compares the request and the result of each mutation with the API documentation.
func TestMutations(t *testing.T) {
	t.Parallel()
	const step = `"step":{"id":"S3","name":"Proposed","stage":{"id":"G3","name":"Proposed","state":"Open"}}`
	proposed := Step{ID: "S3", Name: "Proposed", Stage: Stage{ID: "G3", Name: "Proposed", State: "Open"}}
	learners := []Learner{{FirstName: "Melissa", LastName: "Green", Email: "melissa@example.com"}}
	sentLearners := map[string]any{
		"existingLearners": []any{},
		"newLearners":      []any{map[string]any{"firstName": "Melissa", "lastName": "Green", "email": "melissa@example.com"}},
	}
	price := decimal.RequireFromString("199.90")
	details := func(id string, quantity int, amount, kind string, inner any) map[string]any {
		d := map[string]any{"id": id, "quantity": json.Number(fmt.Sprint(quantity)), "unitAmount": amount}
		if kind != "" {
			d[kind] = inner
		}
		return input(map[string]any{"opportunityId": "O2", "interestDetails": d})
	}
	reserved := details("E1", 1, "199.90", "eventDetails", sentLearners)
	reserved["input"].(map[string]any)["interestDetails"].(map[string]any)["reserve"] = true
	taxed := details("E1", 3, "10.125", "", nil)
	taxed["input"].(map[string]any)["interestDetails"].(map[string]any)["taxId"] = "T1"
	until := time.Date(2026, 11, 30, 17, 0, 0, 0, time.FixedZone("", 3600))

	for _, test := range []struct {
		name     string
		mutation Mutation
		inner    string
		sent     map[string]any
		answer   string
		want     MutationResult
	}{
		{
			"create",
			NewOpportunity{Name: "First Aid course", RegionID: "UmVnaW9uOkRS"},
			"create", input(map[string]any{"name": "First Aid course", "regionId": "UmVnaW9uOkRS"}),
			`{"errors":[],"opportunity":{"id":"O2",` + step + `}}`,
			MutationResult{Opportunity: &Opportunity{ID: "O2", Step: proposed}},
		},
		{
			"create in full",
			NewOpportunity{
				Name: "n", RegionID: "R", AccountID: "A", Currency: "GBP", EntryStepID: "S",
				Attributes: []Attribute{{Key: `k"\1`, Value: "Zoë\n\"x\""}},
			},
			"create", input(map[string]any{
				"name": "n", "regionId": "R", "accountId": "A", "financialUnitId": "GBP", "entryStepId": "S",
				"attributes": []any{map[string]any{"definitionKey": `k"\1`, "value": "Zoë\n\"x\""}},
			}),
			`{"opportunity":{"id":"O2","name":"n","value":{"grandTotal":0}}}`,
			MutationResult{Opportunity: &Opportunity{ID: "O2", Name: "n", GrandTotal: money("0")}},
		},
		{
			"update",
			UpdateOpportunity{ID: "O1", Currency: "USD", AccountID: "A2"},
			"update", input(map[string]any{"id": "O1", "financialUnitId": "USD", "accountId": "A2"}),
			`{"errors":[],"opportunity":{"id":"O1","account":{"id":"A2","name":"Administrate"},
			  "financialUnit":{"name":"U.S. Dollars","code":"USD","symbol":"$"}}}`,
			MutationResult{Opportunity: &Opportunity{
				ID: "O1", Account: &Ref{"A2", "Administrate"}, Currency: &Currency{"U.S. Dollars", "USD", "$"},
			}},
		},
		{
			"progress",
			Progress{OpportunityID: "O2", StepID: "S4"},
			"progress", input(map[string]any{"opportunityId": "O2", "stepId": "S4"}),
			`{"errors":[],"opportunity":{"id":"O2","step":{"id":"S4","name":"Opportunity"}}}`,
			MutationResult{Opportunity: &Opportunity{ID: "O2", Step: Step{ID: "S4", Name: "Opportunity"}}},
		},
		{
			"progress without a transition",
			Progress{OpportunityID: "O2", StepID: "S4"},
			"progress", input(map[string]any{"opportunityId": "O2", "stepId": "S4"}),
			`{"errors":[{"label":"Transition Not Found","message":"Transition from step S3 to step S4 not found","value":null}],"opportunity":null}`,
			MutationResult{Err: &RejectedError{Operation: "progress", Errors: []PayloadError{{
				Label: "Transition Not Found", Message: "Transition from step S3 to step S4 not found",
			}}}},
		},
		{
			"rejected with a value",
			Progress{OpportunityID: "O2", StepID: "S4"},
			"progress", input(map[string]any{"opportunityId": "O2", "stepId": "S4"}),
			`{"errors":[{"label":"A","value":"b"},{"message":"C","value":7}]}`,
			MutationResult{Err: &RejectedError{Operation: "progress", Errors: []PayloadError{
				{Label: "A", Value: json.RawMessage(`"b"`)}, {Message: "C", Value: json.RawMessage("7")},
			}}},
		},
		{
			"course",
			AddInterest{
				OpportunityID: "O2", ItemID: "C11", Kind: Course, Quantity: 1, UnitAmount: price, NewLearners: learners,
			},
			"addInterest", details("C11", 1, "199.90", "courseDetails", sentLearners),
			`{"errors":[],"interests":[{"id":"I1","totalAmount":"199.90","item":{"id":"C11","__typename":"CourseTemplate",
			  "templateCode":"ABC-123","templateTitle":"My New Course"}}]}`,
			MutationResult{Interests: []Interest{{
				ID: "I1", Total: money("199.90"), Item: Item{"C11", "CourseTemplate", "ABC-123", "My New Course"},
			}}},
		},
		{
			"event with a reservation",
			AddInterest{
				OpportunityID: "O2", ItemID: "E1", Kind: Event, Quantity: 1, UnitAmount: price, Reserve: true, NewLearners: learners,
			},
			"addInterest", reserved,
			`{"errors":[],"interests":[{"id":"I2","totalAmount":199.9,"item":{"id":"E1","__typename":"Event","eventCode":"E","eventTitle":"T"}}]}`,
			MutationResult{Interests: []Interest{{ID: "I2", Total: money("199.90"), Item: Item{"E1", "Event", "E", "T"}}}},
		},
		{
			"learning path with a known learner",
			AddInterest{
				OpportunityID: "O2", ItemID: "L1", Kind: LearningPath, Quantity: 1, UnitAmount: price, ExistingLearners: []string{"P2"},
			},
			"addInterest", details("L1", 1, "199.90", "learningPathDetails",
				map[string]any{"existingLearners": []any{"P2"}, "newLearners": []any{}}),
			`{"interests":[{"id":"I3","item":{"id":"L1","__typename":"LearningPath","pathCode":"P","pathName":"N"}}]}`,
			MutationResult{Interests: []Interest{{ID: "I3", Item: Item{"L1", "LearningPath", "P", "N"}}}},
		},
		{
			"tokens",
			AddInterest{
				OpportunityID: "O2", ItemID: "T8", Kind: Tokens, Quantity: 10, UnitAmount: decimal.RequireFromString("19.9"),
				ExpiresAt: "2023-12-31T23:59:59",
			},
			"addInterest", details("T8", 10, "19.90", "trainingTokenDetails", map[string]any{"expiresAt": "2023-12-31T23:59:59"}),
			`{"errors":[],"interests":[{"id":"I4","totalAmount":"199.00","item":{"id":"T8","__typename":"TrainingTokenType","tokenName":"Days"}}]}`,
			MutationResult{Interests: []Interest{{ID: "I4", Total: money("199"), Item: Item{"T8", "TrainingTokenType", "", "Days"}}}},
		},
		{
			"without details",
			AddInterest{
				OpportunityID: "O2", ItemID: "E1", Quantity: 3, UnitAmount: decimal.RequireFromString("10.125"), TaxID: "T1",
			},
			"addInterest", taxed,
			`{"interests":[{"id":"I4"},{"id":"I5"}]}`,
			MutationResult{Interests: []Interest{{ID: "I4"}, {ID: "I5"}}},
		},
		{
			"extend",
			ExtendReservations{OpportunityID: "O2", Until: until},
			"extendReservations", input(map[string]any{"opportunityId": "O2", "reservationsValidUntil": "2026-11-30T17:00:00+01:00"}),
			`{"errors":[],"opportunity":{"id":"O2","isReservationValid":true,"reservationsValidUntil":"2026-11-30T16:00:00+00:00"}}`,
			MutationResult{Opportunity: &Opportunity{ID: "O2", Reservations: Reservations{Valid: true, Until: &until}}},
		},
		{
			"extend that did nothing",
			ExtendReservations{OpportunityID: "O2", Until: until},
			"extendReservations", input(map[string]any{"opportunityId": "O2", "reservationsValidUntil": "2026-11-30T17:00:00+01:00"}),
			`{"errors":[],"opportunity":{"id":"O2","isReservationValid":false,"reservationsValidUntil":null}}`,
			MutationResult{Opportunity: &Opportunity{ID: "O2"}},
		},
	} {
		t.Run(test.name, func(t *testing.T) {
			c, last := serveBody(t, fmt.Sprintf(`{"data":{"m0":{%q:%s}}}`, test.inner, test.answer))
			got, err := c.Apply(t.Context(), []Mutation{test.mutation})
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff([]MutationResult{test.want}, got, compareOptions()...); diff != "" {
				t.Errorf("answer (-want +got):\n%s", diff)
			}
			want := []rootField{{Alias: "m0", Field: "opportunities", Inner: test.inner, Arguments: test.sent}}
			if diff := cmp.Diff(want, rootsOf(t, last()), cmpopts.EquateEmpty()); diff != "" {
				t.Errorf("sent (-want +got):\n%s", diff)
			}
		})
	}
}

func compareOptions() []cmp.Option {
	return []cmp.Option{
		cmp.Comparer(func(a, b decimal.Decimal) bool { return a.Equal(b) }),
		cmp.Comparer(func(a, b time.Time) bool { return a.Equal(b) }),
		cmp.Comparer(func(a, b *RejectedError) bool { return reflect.DeepEqual(a, b) }),
	}
}

// TestBatch: the document contains the mutations as root fields, in the given order.
func TestBatch(t *testing.T) {
	t.Parallel()
	mutations := []Mutation{
		UpdateOpportunity{ID: "O", AccountID: "A"},
		AddInterest{OpportunityID: "O", ItemID: "E1", Kind: Event, Quantity: 2, Reserve: true},
		ExtendReservations{OpportunityID: "O", Until: time.Unix(1e9, 0)},
		Progress{OpportunityID: "O", StepID: "S4"},
		Progress{OpportunityID: "O", StepID: "S5"},
	}
	c, last := serveBody(t, `{"errors":[{"message":"m","path":["m2"]},{"message":"n","path":["m4","progress","opportunity","account"]}],"data":{
		"m0":{"update":{"errors":[],"opportunity":{"id":"O"}}},
		"m1":{"addInterest":{"errors":[{"label":"Sold out"}],"interests":null}},
		"m2":null,
		"m4":{"progress":{"errors":[],"opportunity":{"id":"O","account":null}}}}}`)
	got, err := c.Apply(t.Context(), mutations)
	if err != nil {
		t.Fatal(err)
	}
	var order []string
	for i, r := range rootsOf(t, last()) {
		if r.Alias != MutationAlias(i) {
			t.Errorf("root %d is %s", i, r.Alias)
		}
		order = append(order, r.Inner)
	}
	if diff := cmp.Diff([]string{"update", "addInterest", "extendReservations", "progress", "progress"}, order); diff != "" {
		t.Error(diff)
	}
	var fates []string
	for _, a := range got {
		if (a.Err == nil) != (a.Opportunity != nil) {
			t.Errorf("answer with both or neither: %+v", a)
		}
		fates = append(fates, outcomeOf(t, a.Err))
	}
	if diff := cmp.Diff([]string{"done", "rejected", "unknown", "unknown", "done"}, fates); diff != "" {
		t.Error(diff)
	}
	var unknown *UnknownError
	if errors.As(got[2].Err, &unknown); unknown == nil || len(unknown.Messages) != 1 || unknown.Messages[0] != "m" {
		t.Errorf("the API's words on the third: %+v", unknown)
	}
}

// TestWithoutReadBack: if Assumptions.ExtendedOpportunity is Off, ExtendReservations does not
// select the opportunity in the response and returns no opportunity.
func TestWithoutReadBack(t *testing.T) {
	t.Parallel()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		raw, _ := io.ReadAll(r.Body)
		if strings.Contains(string(raw), "isReservationValid") {
			t.Errorf("sent %s", raw)
		}
		_, _ = io.WriteString(w, `{"data":{"m0":{"extendReservations":{"errors":[]}}}}`)
	}))
	defer server.Close()
	c := client(t, server.URL, func(o *Options) { o.Assumed.ExtendedOpportunity = Off })
	o, err := c.ExtendReservations(t.Context(), ExtendReservations{OpportunityID: "O", Until: time.Now()})
	if o != nil || err != nil {
		t.Errorf("%v, %v", o, err)
	}
}

// TestBadInput: for invalid input the client sends nothing and returns an error text of one line.
func TestBadInput(t *testing.T) {
	t.Parallel()
	interest := func(change func(*AddInterest)) AddInterest {
		a := AddInterest{OpportunityID: "o", ItemID: "i", Kind: Course, Quantity: 1}
		change(&a)
		return a
	}
	c, last := serveBody(t, successBody)
	for where, m := range map[string]Mutation{
		"mutation 1: NewOpportunity.Name":                  NewOpportunity{RegionID: "r"},
		"mutation 1: NewOpportunity.RegionID":              NewOpportunity{Name: "n"},
		"mutation 1: NewOpportunity.Currency":              NewOpportunity{Name: "n", RegionID: "r", Currency: "£"},
		"mutation 1: NewOpportunity.Attributes[1].Key":     NewOpportunity{Name: "n", RegionID: "r", Attributes: []Attribute{{"k", ""}, {"", "v"}}},
		"mutation 1: NewOpportunity.Attributes[0].Value":   NewOpportunity{Name: "n", RegionID: "r", Attributes: []Attribute{{"k", "\xff"}}},
		"mutation 1: UpdateOpportunity.ID":                 UpdateOpportunity{Name: "n"},
		"mutation 1: UpdateOpportunity.ID ":                UpdateOpportunity{ID: "o"},
		"mutation 1: Progress.StepID":                      Progress{OpportunityID: "o"},
		"mutation 1: Progress.OpportunityID":               Progress{StepID: "s"},
		"mutation 1: ExtendReservations.Until":             ExtendReservations{OpportunityID: "o"},
		"mutation 1: AddInterest.ItemID":                   interest(func(a *AddInterest) { a.ItemID = "" }),
		"mutation 1: AddInterest.Kind":                     interest(func(a *AddInterest) { a.Kind = "seminar" }),
		"mutation 1: AddInterest.ExpiresAt":                interest(func(a *AddInterest) { a.ExpiresAt = "2023-12-31T23:59:59" }),
		"mutation 1: AddInterest.ExpiresAt ":               interest(func(a *AddInterest) { a.Kind, a.ExpiresAt = Tokens, "2023-12-31T23:59:59Z" }),
		"mutation 1: AddInterest.ExpiresAt  ":              interest(func(a *AddInterest) { a.Kind, a.ExpiresAt = Tokens, "2023-02-30T00:00:00" }),
		"mutation 1: AddInterest.NewLearners":              interest(func(a *AddInterest) { a.Kind, a.NewLearners = Tokens, []Learner{{}} }),
		"mutation 1: AddInterest.NewLearners ":             interest(func(a *AddInterest) { a.Kind, a.ExistingLearners = "", []string{"c"} }),
		"mutation 1: AddInterest.NewLearners[0].FirstName": interest(func(a *AddInterest) { a.NewLearners = []Learner{{FirstName: secretName + "\xc3"}} }),
		"mutation 1: AddInterest.ExistingLearners[0]":      interest(func(a *AddInterest) { a.ExistingLearners = []string{""} }),
		"mutation 1: AddInterest.UnitAmount":               interest(func(a *AddInterest) { a.UnitAmount = decimal.New(1, math.MaxInt32) }),
		"mutation 1: AddInterest.Quantity":                 interest(func(a *AddInterest) { a.Quantity = math.MaxInt32 + 1 }),
		"mutation 1":                                       nil,
		"mutation 1 ":                                      (*nilMutation)(nil),
		"mutation 1  ":                                     &Progress{OpportunityID: "o", StepID: "s"},
	} {
		_, err := c.Apply(t.Context(), []Mutation{m})
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

type nilMutation = Progress

// No value of a caller changes the structure of the document.
func TestEverythingTravelsUnchanged(t *testing.T) {
	t.Parallel()
	s := administratetest.Schema(t, true)
	wire := &collector{}
	c, err := New(Options{Options: transport.Options{
		URL: "http://127.0.0.1/", Tokens: oauth.StaticToken("t"), Transport: wire, RequestsPerSecond: 1e9, Burst: 1e6,
	}})
	if err != nil {
		t.Fatal(err)
	}
	rapid.Check(t, func(t *rapid.T) {
		text := rapid.OneOf(rapid.String(), rapid.SampledFrom([]string{
			`"`, `\`, "a\nb", "\u2028", `"}) { x } #`, "$m0_id", "\x00", "😀", "</script>", `\u0041`, `"""`, "",
		}))
		some := rapid.Custom(func(t *rapid.T) string { return "x" + text.Draw(t, "text") })
		ascii := rapid.StringMatching(`[ -~]{1,12}`)
		amounts := rapid.Custom(func(t *rapid.T) decimal.Decimal {
			return decimal.New(rapid.Int64().Draw(t, "coefficient"), rapid.Int32Range(-9, 3).Draw(t, "exponent"))
		})
		var mutations []Mutation
		var want []rootField
		for i := range rapid.IntRange(1, MaxMutations).Draw(t, "mutations") {
			var m Mutation
			var field string
			in := map[string]any{}
			switch rapid.IntRange(0, 4).Draw(t, "which") {
			case 0:
				n := NewOpportunity{Name: some.Draw(t, "name"), RegionID: some.Draw(t, "region"), Currency: ascii.Draw(t, "currency")}
				n.Attributes = []Attribute{{ascii.Draw(t, "key"), text.Draw(t, "value")}, {ascii.Draw(t, "key"), text.Draw(t, "value")}}
				m, field = n, "create"
				in["name"], in["regionId"], in["financialUnitId"] = n.Name, n.RegionID, n.Currency
				in["attributes"] = []any{
					map[string]any{"definitionKey": n.Attributes[0].Key, "value": n.Attributes[0].Value},
					map[string]any{"definitionKey": n.Attributes[1].Key, "value": n.Attributes[1].Value},
				}
			case 1:
				u := UpdateOpportunity{ID: some.Draw(t, "id"), Name: some.Draw(t, "name"), AccountID: some.Draw(t, "account")}
				m, field = u, "update"
				in["id"], in["name"], in["accountId"] = u.ID, u.Name, u.AccountID
			case 2:
				p := Progress{OpportunityID: some.Draw(t, "id"), StepID: some.Draw(t, "step")}
				m, field = p, "progress"
				in["opportunityId"], in["stepId"] = p.OpportunityID, p.StepID
			case 3:
				e := ExtendReservations{OpportunityID: some.Draw(t, "id"), Until: time.Unix(rapid.Int64Range(1, 1<<37).Draw(t, "until"), 0).UTC()}
				m, field = e, "extendReservations"
				in["opportunityId"], in["reservationsValidUntil"] = e.OpportunityID, e.Until.Format("2006-01-02T15:04:05Z")
			default:
				a := AddInterest{
					OpportunityID: some.Draw(t, "id"), ItemID: some.Draw(t, "item"), Kind: Event,
					Quantity: int(rapid.Int32().Draw(t, "quantity")), UnitAmount: amounts.Draw(t, "amount"),
					Reserve: rapid.Bool().Draw(t, "reserve"),
				}
				learners, known := []any{}, []any{}
				for range rapid.IntRange(0, 4).Draw(t, "learners") {
					l := Learner{text.Draw(t, "first"), text.Draw(t, "last"), some.Draw(t, "email")}
					a.NewLearners = append(a.NewLearners, l)
					learners = append(learners, map[string]any{"firstName": l.FirstName, "lastName": l.LastName, "email": l.Email})
					id := some.Draw(t, "contact")
					a.ExistingLearners = append(a.ExistingLearners, id)
					known = append(known, id)
				}
				m, field = a, "addInterest"
				details := map[string]any{
					"id": a.ItemID, "quantity": json.Number(fmt.Sprint(a.Quantity)), "unitAmount": written(a.UnitAmount),
					"eventDetails": map[string]any{"existingLearners": known, "newLearners": learners},
				}
				if a.Reserve {
					details["reserve"] = true
				}
				in["opportunityId"], in["interestDetails"] = a.OpportunityID, details
			}
			mutations = append(mutations, m)
			want = append(want, rootField{Alias: MutationAlias(i), Field: "opportunities", Inner: field, Arguments: input(in)})
		}
		wire.requests = nil
		if _, err := c.Apply(context.Background(), mutations); len(wire.requests) != 1 {
			t.Fatalf("%v", err)
		}
		r := wire.requests[0]
		if err := validate(s, r); err != nil {
			t.Fatalf("%v\n%s", err, r.Query)
		}
		if diff := cmp.Diff(want, rootsOf(t, r), cmpopts.EquateEmpty()); diff != "" {
			t.Fatalf("sent (-want +got):\n%s\n%s", diff, r.Query)
		}
	})
}

// written returns an amount as text with at least two decimal places, without rounding.
func written(d decimal.Decimal) string {
	text := d.String()
	whole, places, _ := strings.Cut(text, ".")
	for len(places) < 2 {
		places += "0"
	}
	return whole + "." + places
}
