package administrate_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http/httptest"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/shopspring/decimal"

	"github.com/oppflow/oppflow/administrate"
	"github.com/oppflow/oppflow/administrate/oauth"
	"github.com/oppflow/oppflow/administrate/transport"
	"github.com/oppflow/oppflow/sandbox"
)

// These constants are ids of objects that every new sandbox contains; the API documentation uses
// the same ids.
const (
	regionDR       = "UmVnaW9uOkRS"
	accountOne     = "T3JnYW5pc2F0aW9uOjE="
	accountTwo     = "T3JnYW5pc2F0aW9uOjI="
	stepProposed   = "T3Bwb3J0dW5pdHlTdGVwOjM="
	stepOpen       = "T3Bwb3J0dW5pdHlTdGVwOjQ="
	courseTemplate = "Q291cnNlVGVtcGxhdGU6MTE="
	event          = "Q291cnNlOjE="
	learningPath   = "TGVhcm5pbmdQYXRoOjE="
	tokenType      = "VG9rZW5UeXBlOjg4NDhhM2IzOGFkZjQ1ZGI4ZmY2MGZhZmNiZDNiM2Y2"
	contactTwo     = "UGVyc29uOjI="
)

// tenant is a new sandbox with a client, and with a clock that tests can advance.
type tenant struct {
	*administrate.Client
	box        *sandbox.Sandbox
	url, token string
	ahead      atomic.Int64
}

func (s *tenant) now() time.Time { return time.Now().Add(time.Duration(s.ahead.Load())) }

func newTenant(t *testing.T, change func(*administrate.Options)) *tenant {
	t.Helper()
	return newTenantOf(t, nil, change)
}

// newTenantOf returns a tenant whose sandbox has the settings of the parameter assume instead of
// the default settings.
func newTenantOf(t *testing.T, assume map[string]string, change func(*administrate.Options)) *tenant {
	t.Helper()
	return newTenantWith(t, sandbox.Options{Assumptions: assume}, change)
}

func newTenantWith(t *testing.T, options sandbox.Options, change func(*administrate.Options)) *tenant {
	t.Helper()
	s := &tenant{}
	options.Now, options.Logger = s.now, slog.New(slog.DiscardHandler)
	box, err := sandbox.Open(t.Context(), options)
	if err != nil {
		t.Fatal(err)
	}
	server := httptest.NewServer(box.Handler())
	t.Cleanup(func() {
		server.Close()
		if err := box.Close(); err != nil {
			t.Error(err)
		}
	})
	s.box, s.url, s.token = box, server.URL+"/graphql", box.Token()
	s.Client = s.client(t, change)
	return s
}

func (s *tenant) client(t *testing.T, change func(*administrate.Options)) *administrate.Client {
	t.Helper()
	o := administrate.Options{Options: transport.Options{URL: s.url, Tokens: oauth.StaticToken(s.token), Burst: 1000, RequestsPerSecond: 1000}}
	if change != nil {
		change(&o)
	}
	c, err := administrate.New(o)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func must[T any](t *testing.T) func(T, error) T {
	return func(value T, err error) T {
		t.Helper()
		if err != nil {
			var unknown *administrate.UnknownError
			if errors.As(err, &unknown) {
				t.Logf("messages %q", unknown.Messages)
			}
			t.Fatal(err)
		}
		return value
	}
}

func amount(t *testing.T, what string, got decimal.NullDecimal, want string) {
	t.Helper()
	if !got.Valid || !got.Decimal.Equal(decimal.RequireFromString(want)) {
		t.Errorf("%s is %v, want %s", what, got, want)
	}
}

func TestLifeOfAnOpportunity(t *testing.T) {
	t.Parallel()
	ctx := t.Context()
	s := newTenant(t, nil)
	if err := s.Hello(ctx); err != nil {
		t.Fatal(err)
	}

	created := must[administrate.Opportunity](t)(s.CreateOpportunity(ctx, administrate.NewOpportunity{
		Name: "First Aid course", RegionID: regionDR,
		Attributes: []administrate.Attribute{{Key: "reference", Value: "order 17 \"é\""}},
	}))
	if created.Name != "First Aid course" || created.Step.ID != stepProposed || created.Step.Stage.State != "Open" ||
		created.Currency == nil || created.Currency.Code != "USD" || created.Account != nil {
		t.Errorf("created %+v", created)
	}
	amount(t, "a new record's total", created.GrandTotal, "0")

	updated := must[administrate.Opportunity](t)(s.UpdateOpportunity(ctx, administrate.UpdateOpportunity{
		ID: created.ID, Currency: "GBP", AccountID: accountTwo, Name: "First Aid, twice",
		Attributes: []administrate.Attribute{{Key: "source", Value: "fair"}},
	}))
	if updated.Account == nil || updated.Account.Name != "Administrate" || updated.Currency.Code != "GBP" ||
		updated.Name != "First Aid, twice" {
		t.Errorf("updated %+v", updated)
	}

	moved := must[administrate.Opportunity](t)(s.Progress(ctx, administrate.Progress{OpportunityID: created.ID, StepID: stepOpen}))
	if moved.Step.ID != stepOpen {
		t.Errorf("moved to %+v", moved.Step)
	}
	_, err := s.Progress(ctx, administrate.Progress{OpportunityID: created.ID, StepID: stepProposed})
	var rejected *administrate.RejectedError
	if !errors.As(err, &rejected) || len(rejected.Errors) != 1 || rejected.Errors[0].Label != "Transition Not Found" ||
		rejected.Errors[0].Message != "Transition from step "+stepOpen+" to step "+stepProposed+" not found" ||
		rejected.Errors[0].Value != nil {
		t.Errorf("no transition leads back: %v", err)
	}

	price := decimal.RequireFromString("199.90")
	melissa := []administrate.Learner{{FirstName: "Melissa", LastName: "Green", Email: "melissa@example.com"}}
	for _, a := range []administrate.AddInterest{
		{ItemID: courseTemplate, Kind: administrate.Course, Quantity: 1, UnitAmount: price, NewLearners: melissa},
		{ItemID: event, Kind: administrate.Event, Quantity: 2, UnitAmount: price, ExistingLearners: []string{contactTwo}},
		{ItemID: learningPath, Kind: administrate.LearningPath, Quantity: 1, UnitAmount: price, NewLearners: melissa},
		{
			ItemID: tokenType, Kind: administrate.Tokens, Quantity: 10, UnitAmount: decimal.RequireFromString("19.9"),
			ExpiresAt: "2023-12-31T23:59:59",
		},
		{ItemID: event, Quantity: 1, UnitAmount: decimal.NewFromInt(7)},
	} {
		a.OpportunityID = created.ID
		added := must[[]administrate.Interest](t)(s.AddInterest(ctx, a))
		if len(added) != 1 || added[0].Item.ID != a.ItemID || added[0].Item.Title == "" {
			t.Fatalf("added %+v", added)
		}
		amount(t, "an interest's total", added[0].Total, a.UnitAmount.Mul(decimal.NewFromInt(int64(a.Quantity))).String())
	}

	got := must[administrate.Opportunity](t)(s.Opportunity(ctx, created.ID))
	amount(t, "the total", got.GrandTotal, "1005.60") // 199.90 + 399.80 + 199.90 + 199.00 + 7
	if len(got.Interests) != 5 || got.InterestCount != 5 || got.NextInterestsCursor != "" {
		t.Errorf("read %d of %d interests, more %q", len(got.Interests), got.InterestCount, got.NextInterestsCursor)
	}
	types := map[string]int{}
	for _, i := range got.Interests {
		types[i.Item.Type]++
		if i.Quantity == nil || !i.UnitAmount.Valid ||
			!i.UnitAmount.Decimal.Mul(decimal.NewFromInt(int64(*i.Quantity))).Equal(i.Total.Decimal) {
			t.Errorf("interest %+v", i)
		}
	}
	if diff := cmp.Diff(map[string]int{"CourseTemplate": 1, "Event": 2, "LearningPath": 1, "TrainingTokenType": 1}, types); diff != "" {
		t.Error(diff)
	}
	attributes := map[string]string{}
	for _, a := range got.Attributes {
		attributes[a.Key] = a.Value
	}
	if diff := cmp.Diff(map[string]string{"reference": "order 17 \"é\"", "source": "fair"}, attributes); diff != "" {
		t.Error(diff)
	}
	if _, err := s.Opportunity(ctx, "T3Bwb3J0dW5pdHk6OTk5"); !errors.As(err, new(*administrate.NotFoundError)) {
		t.Errorf("an id that nothing has: %v", err)
	}
}

// The reservations in the response to ExtendReservations prove that the places are reserved.
func TestReservation(t *testing.T) {
	t.Parallel()
	ctx := t.Context()
	s := newTenant(t, nil)
	o := must[administrate.Opportunity](t)(s.CreateOpportunity(ctx, administrate.NewOpportunity{Name: "n", RegionID: regionDR}))
	until := s.now().Add(48 * time.Hour).Truncate(time.Second).In(time.FixedZone("", -5*3600))
	answers := must[[]administrate.MutationResult](t)(s.Apply(ctx, []administrate.Mutation{
		administrate.AddInterest{
			OpportunityID: o.ID, ItemID: event, Kind: administrate.Event, Quantity: 3, UnitAmount: decimal.NewFromInt(5), Reserve: true,
		},
		administrate.ExtendReservations{OpportunityID: o.ID, Until: until},
		administrate.Progress{OpportunityID: o.ID, StepID: stepOpen},
	}))
	for i, a := range answers {
		if a.Err != nil {
			t.Fatalf("mutation %d: %v", i+1, a.Err)
		}
	}
	held := answers[1].Opportunity.Reservations
	if !held.Valid || held.Until == nil || !held.Until.Equal(until) {
		t.Errorf("held %+v, want until %v", held, until)
	}
	// The API executes the mutations in order, so the result of the ExtendReservations shows the
	// step before the Progress.
	if answers[1].Opportunity.Step.ID != stepProposed || answers[2].Opportunity.Step.ID != stepOpen {
		t.Errorf("steps %q, then %q", answers[1].Opportunity.Step.Name, answers[2].Opportunity.Step.Name)
	}
	released := must[*administrate.Opportunity](t)(s.ExtendReservations(ctx,
		administrate.ExtendReservations{OpportunityID: o.ID, Until: s.now()}))
	s.ahead.Store(int64(2 * time.Second))
	if got := must[administrate.Opportunity](t)(s.Opportunity(ctx, o.ID)); got.Reservations.Valid {
		t.Errorf("released: %+v, read back %+v", released.Reservations, got.Reservations)
	}
	again := must[*administrate.Opportunity](t)(s.ExtendReservations(ctx,
		administrate.ExtendReservations{OpportunityID: o.ID, Until: until}))
	if again.Reservations.Valid {
		t.Errorf("an expired hold was revived: %+v", again.Reservations)
	}
}

// TestWholeBatch sends a document with the largest allowed number of mutations.
func TestWholeBatch(t *testing.T) {
	t.Parallel()
	ctx := t.Context()
	s := newTenant(t, nil)
	o := must[administrate.Opportunity](t)(s.CreateOpportunity(ctx, administrate.NewOpportunity{Name: "n", RegionID: regionDR}))
	var want []string
	for batch := range 6 {
		mutations := make([]administrate.Mutation, administrate.MaxMutations)
		for i := range mutations {
			quantity := 1 + batch*len(mutations) + i
			mutations[i] = administrate.AddInterest{
				OpportunityID: o.ID, ItemID: courseTemplate, Kind: administrate.Course, Quantity: quantity,
				UnitAmount: decimal.RequireFromString("0.01"),
			}
		}
		for i, a := range must[[]administrate.MutationResult](t)(s.Apply(ctx, mutations)) {
			if a.Err != nil {
				t.Fatalf("mutation %d: %v", i+1, a.Err)
			}
			want = append(want, a.Interests[0].ID)
		}
	}

	got := must[administrate.Opportunity](t)(s.Opportunity(ctx, o.ID))
	if len(got.Interests) != 100 || got.InterestCount != 120 || got.NextInterestsCursor == "" {
		t.Fatalf("read %d of %d, more %q", len(got.Interests), got.InterestCount, got.NextInterestsCursor)
	}
	amount(t, "the total", got.GrandTotal, "72.60") // the sum of 1 to 120, in hundredths
	rest := must[administrate.InterestPage](t)(s.Interests(ctx, o.ID, got.NextInterestsCursor))
	if len(rest.Interests) != 20 || rest.Count != 120 || rest.NextCursor != "" {
		t.Fatalf("then %d of %d, more %q", len(rest.Interests), rest.Count, rest.NextCursor)
	}
	var ids []string
	for i, interest := range append(got.Interests, rest.Interests...) {
		ids = append(ids, interest.ID)
		if *interest.Quantity != i+1 {
			t.Fatalf("interest %d has quantity %d: not in order", i+1, *interest.Quantity)
		}
	}
	if diff := cmp.Diff(want, ids); diff != "" {
		t.Errorf("ids (-answered +read):\n%s", diff)
	}
}

// TestOneOfMany: a rejected mutation does not affect the other mutations of the document.
func TestOneOfMany(t *testing.T) {
	t.Parallel()
	ctx := t.Context()
	s := newTenant(t, nil)
	o := must[administrate.Opportunity](t)(s.CreateOpportunity(ctx, administrate.NewOpportunity{Name: "n", RegionID: regionDR}))
	answers := must[[]administrate.MutationResult](t)(s.Apply(ctx, []administrate.Mutation{
		administrate.UpdateOpportunity{ID: o.ID, Name: "first"},
		administrate.AddInterest{OpportunityID: o.ID, ItemID: "Q291cnNlOjk5OQ==", Kind: administrate.Event, Quantity: 1},
		administrate.UpdateOpportunity{ID: o.ID, Currency: "EUR"},
	}))
	if !errors.As(answers[1].Err, new(*administrate.RejectedError)) {
		t.Errorf("an event that does not exist: %v", answers[1].Err)
	}
	if answers[0].Err != nil || answers[2].Err != nil || answers[2].Opportunity.Name != "first" ||
		answers[2].Opportunity.Currency.Code != "EUR" {
		t.Errorf("the others: %+v", answers)
	}
}

func TestSearchOfATenant(t *testing.T) {
	t.Parallel()
	ctx := t.Context()
	s := newTenant(t, nil)
	for i := range 12 {
		must[administrate.Opportunity](t)(s.CreateOpportunity(ctx, administrate.NewOpportunity{
			Name: fmt.Sprintf("course %02d", i), RegionID: regionDR, AccountID: accountTwo,
			Attributes: []administrate.Attribute{{Key: "reference", Value: fmt.Sprint(i)}},
		}))
	}
	search := administrate.Search{
		Filters: []administrate.Filter{
			{Field: administrate.ByRegionName, Operation: administrate.Equal, Value: "Dominican Republic"},
			{Field: administrate.ByAccountID, Operation: administrate.In, Values: []string{accountTwo, accountOne}},
			{Field: administrate.ByName, Operation: administrate.Like, Value: "course %"},
			{Field: administrate.ByStepID, Operation: administrate.Equal, Value: stepProposed},
		},
		First: 5, Order: &administrate.Order{Field: administrate.ByName, Descending: true}, Attributes: true,
	}
	var names []string
	for {
		page := must[administrate.Page](t)(s.Opportunities(ctx, search))
		if page.Count != 12 {
			t.Fatalf("%d fit, want 12", page.Count)
		}
		for _, row := range page.Rows {
			names = append(names, row.Name)
			if len(row.Attributes) != 1 || row.Step.ID != stepProposed || !row.GrandTotal.Valid {
				t.Errorf("row %+v", row)
			}
		}
		if page.NextCursor == "" {
			break
		}
		search.After = page.NextCursor
	}
	if len(names) != 12 || names[0] != "course 11" || names[11] != "course 00" {
		t.Errorf("names %q", names)
	}
	search.After, search.Offset = "", 10
	if page := must[administrate.Page](t)(s.Opportunities(ctx, search)); len(page.Rows) != 2 || page.Rows[0].Name != "course 01" {
		t.Errorf("by offset: %+v", page.Rows)
	}
	search.Bare = true
	for _, row := range must[administrate.Page](t)(s.Opportunities(ctx, search)).Rows {
		if row.ID == "" || row.Name == "" || len(row.Attributes) != 1 || row.Step.ID != "" || row.GrandTotal.Valid {
			t.Errorf("bare row %+v", row)
		}
	}
	_, err := s.Opportunities(ctx, administrate.Search{
		Filters: []administrate.Filter{{Field: "weather", Operation: administrate.Equal, Value: "x"}},
	})
	if !errors.As(err, new(*administrate.RefusedError)) {
		t.Errorf("a field the tenant does not have: %v", err)
	}
}

func TestLookupInATenant(t *testing.T) {
	t.Parallel()
	s := newTenant(t, nil)
	found := must[administrate.LookupResult](t)(s.Lookup(t.Context(), administrate.LookupRequest{
		Steps: &administrate.PageRequest{}, Regions: &administrate.PageRequest{}, Currencies: &administrate.PageRequest{},
		Accounts: []string{"Administrate", "Nobody"},
		Items:    []administrate.ItemName{{Text: "ABC-123"}, {Text: "Workplace Safety"}, {Text: "Training Token"}, {Text: "First Aid at Work"}, {Text: "nothing"}},
	}))
	if found.Next != nil || len(found.Steps) < 5 || len(found.Regions) < 2 || len(found.Currencies) < 3 {
		t.Errorf("found %+v", found)
	}
	for _, step := range found.Steps {
		if step.ID == "" || step.Name == "" || step.Stage.State == "" {
			t.Errorf("step %+v", step)
		}
	}
	if diff := cmp.Diff(map[string][]administrate.Ref{
		"Administrate": {{ID: accountTwo, Name: "Administrate"}}, "Nobody": nil,
	}, found.Accounts); diff != "" {
		t.Error(diff)
	}
	ids := map[string][]string{}
	for text, items := range found.Items {
		for _, item := range items {
			ids[text] = append(ids[text], item.Type)
			if text == "ABC-123" && item.ID != courseTemplate || text == "Workplace Safety" && item.ID != learningPath ||
				text == "Training Token" && item.ID != tokenType {
				t.Errorf("%s: %+v", text, item)
			}
		}
	}
	if len(ids["ABC-123"]) != 1 || len(ids["Workplace Safety"]) != 1 || len(ids["Training Token"]) != 1 ||
		len(ids["First Aid at Work"]) < 2 || len(ids["nothing"]) != 0 {
		t.Errorf("items %v", found.Items)
	}
}

// TestTenantThatDiffers: if a document contains a name that is not in the tenant's schema, the API
// refuses the document before execution, and the client's error contains the name.
func TestTenantThatDiffers(t *testing.T) {
	t.Parallel()
	ctx := t.Context()
	s := newTenant(t, nil)
	differs := s.client(t, func(o *administrate.Options) { o.Assumed.InterestQuantity = "howMany" })
	o := must[administrate.Opportunity](t)(differs.CreateOpportunity(ctx, administrate.NewOpportunity{Name: "n", RegionID: regionDR}))
	_, err := differs.Opportunity(ctx, o.ID)
	var refused *administrate.RefusedError
	if !errors.As(err, &refused) || len(refused.DocumentNames) != 1 || refused.DocumentNames[0] != "howMany" {
		t.Fatalf("%v", err)
	}
	off := s.client(t, func(o *administrate.Options) { o.Assumed.InterestQuantity = administrate.Off })
	must[administrate.Opportunity](t)(off.Opportunity(ctx, o.ID))

	renamed := s.client(t, func(o *administrate.Options) { o.Assumed.UpdateName = "title" })
	_, err = renamed.Apply(ctx, []administrate.Mutation{
		administrate.UpdateOpportunity{ID: o.ID, Currency: "EUR"},
		administrate.UpdateOpportunity{ID: o.ID, Name: "changed"},
	})
	if !errors.As(err, &refused) {
		t.Fatalf("%v", err)
	}
	if got := must[administrate.Opportunity](t)(s.Opportunity(ctx, o.ID)); got.Currency.Code == "EUR" || got.Name != "n" {
		t.Errorf("a refused document took effect: %+v", got)
	}
}

// TestReadThatIsAnsweredWithErrors: the client's error shows whether the API returned GraphQL
// errors to a query or no response.
func TestReadThatIsAnsweredWithErrors(t *testing.T) {
	t.Parallel()
	s := newTenant(t, nil)
	_, err := s.Opportunity(t.Context(), "no id at all")
	var unknown *administrate.UnknownError
	if !errors.As(err, &unknown) || !unknown.HasGraphQLErrors || len(unknown.Messages) == 0 {
		t.Errorf("%v", err)
	}
}

func TestWrongToken(t *testing.T) {
	t.Parallel()
	s := newTenant(t, func(o *administrate.Options) { o.Tokens = oauth.StaticToken("wrong") })
	err := s.Hello(context.Background())
	var notSent *administrate.NotSentError
	if !errors.As(err, &notSent) || notSent.Reason != administrate.Authentication {
		t.Errorf("%v", err)
	}
}
