package administrate_test

import (
	"bytes"
	"fmt"
	"io"
	"maps"
	"net/http"
	"reflect"
	"slices"
	"testing"
	"time"

	"github.com/shopspring/decimal"

	"github.com/oppflow/oppflow/administrate"
	"github.com/oppflow/oppflow/administrate/schemacheck"
)

// renamedAssumptions returns, for each assumption of the client, a setting of the sandbox that
// makes the assumption fail, and the correct name in this sandbox.
func renamedAssumptions() map[string]struct {
	row   string
	right administrate.SchemaName
} {
	type other = struct {
		row   string
		right administrate.SchemaName
	}
	return map[string]other{
		"Regions":             {"query.regions", "areas"},
		"CourseTemplates":     {"query.courseTemplates", "courses"},
		"LearningPaths":       {"query.learningPaths", "paths"},
		"TokenTypes":          {"query.trainingTokenTypes", "tokenTypes"},
		"CreateAttributes":    {"create.attributes", "customFieldValues"},
		"UpdateAttributes":    {"update.attributes", "customValues"},
		"UpdateName":          {"update.name", "title"},
		"ExistingLearner":     {"interest.learners.existing", "contactId"},
		"Order":               {"order", "orderBy"},
		"FilterName":          {"filter.opportunity.name", "title"},
		"FilterAccount":       {"filter.opportunity.account", "organisationId"},
		"FilterCreated":       {"filter.opportunity.created", "created"},
		"ExtendedOpportunity": {"extend.opportunity", "extended"},
		"EventItem":           {"interest.event.type", "EventItem"},
		"InterestQuantity":    {"interest.quantity.name", "places"},
		"InterestUnitAmount":  {"interest.unitAmount.name", "price"},
	}
}

// without returns, for each assumption that only side effects of transitions need, a setting of the
// sandbox that makes the assumption fail, or "" if the sandbox has no such setting. For four
// assumptions without a setting, another test builds a schema. For ClearAccount, the name is
// documented, and the client assumes only the effect of the value null.
func without() map[string]string {
	return map[string]string{
		"UpdateOwner":          "opportunity.people",
		"UpdateContact":        "opportunity.people",
		"CreateAccountEmail":   "",
		"ClearAccount":         "",
		"InvoiceComments":      "",
		"InvoicePurchaseOrder": "",
		"TokenIssues":          "opportunity.tokenIssues",
		"LearnerRegistration":  "learner.registration",
		"FieldsType":           "",
		"OpportunityUpdated":   "opportunity.updatedAt",
	}
}

func complete(c schemacheck.Report) bool {
	return len(c.Mismatches)+len(c.FailedAssumptions)+len(c.SideEffects.Mismatches)+len(c.SideEffects.FailedAssumptions) == 0
}

func corrected(t *testing.T, a *administrate.Assumptions, entry string, name administrate.SchemaName) {
	t.Helper()
	member := reflect.ValueOf(a).Elem().FieldByName(entry)
	if !member.IsValid() {
		t.Fatalf("there is no assumption %s", entry)
	}
	member.Set(reflect.ValueOf(name))
}

// cachingTransport is a transport that sends each document once and stores the response. The stored
// responses stay valid, because the sandbox's schema does not change between the checks.
type cachingTransport struct {
	transport http.RoundTripper
	answers   map[string][]byte
}

func (o cachingTransport) RoundTrip(r *http.Request) (*http.Response, error) {
	document, err := io.ReadAll(r.Body)
	if err != nil {
		return nil, err
	}
	answer, known := o.answers[string(document)]
	if !known {
		again := r.Clone(r.Context())
		again.Body = io.NopCloser(bytes.NewReader(document))
		resp, err := o.transport.RoundTrip(again)
		if err != nil {
			return nil, err
		}
		answer, err = io.ReadAll(resp.Body)
		if err != nil || resp.StatusCode != http.StatusOK {
			return nil, fmt.Errorf("status %d: %w", resp.StatusCode, err)
		}
		if err := resp.Body.Close(); err != nil {
			return nil, err
		}
		o.answers[string(document)] = answer
	}
	return &http.Response{StatusCode: http.StatusOK, Body: io.NopCloser(bytes.NewReader(answer)), Request: r}, nil
}

// newCachingTransport returns a function that wraps a transport; all clients of one tenant share
// the stored responses.
func newCachingTransport() func(http.RoundTripper) http.RoundTripper {
	answers := map[string][]byte{}
	return func(transport http.RoundTripper) http.RoundTripper { return cachingTransport{transport, answers} }
}

// For a tenant where one assumption is wrong, the check of the schema reports only this assumption.
func TestCheckAgainstTenantsThatDiffer(t *testing.T) {
	t.Parallel()
	if got, want := len(renamedAssumptions())+len(without()), reflect.TypeFor[administrate.Assumptions]().NumField(); got != want {
		t.Errorf("%d of %d assumptions are tried", got, want)
	}
	for entry, other := range renamedAssumptions() {
		t.Run(entry, func(t *testing.T) {
			around := newCachingTransport()
			s := newTenantOf(t, map[string]string{other.row: string(other.right)}, func(o *administrate.Options) { o.WrapTransport = around })
			checked := must[schemacheck.Report](t)(schemacheck.Check(t.Context(), s.Client))
			if len(checked.Mismatches) != 0 || len(checked.FailedAssumptions) != 1 || checked.FailedAssumptions[0].Entry != entry || len(checked.FailedAssumptions[0].Mismatches) == 0 ||
				len(checked.SideEffects.Mismatches)+len(checked.SideEffects.FailedAssumptions) != 0 {
				t.Errorf("%+v", checked)
			}
			for _, name := range []administrate.SchemaName{other.right, administrate.Off} {
				c := s.client(t, func(o *administrate.Options) {
					o.WrapTransport = around
					corrected(t, &o.Assumed, entry, name)
				})
				if checked := must[schemacheck.Report](t)(schemacheck.Check(t.Context(), c)); !complete(checked) {
					t.Errorf("with %s: %+v", name, checked)
				}
			}
		})
	}
}

// For a tenant that does not accept the mutations of side effects, the check reports no failure of
// a core operation.
func TestCheckAgainstTenantsWithoutExtras(t *testing.T) {
	t.Parallel()
	rows := map[string][]string{}
	for entry, row := range without() {
		if row != "" {
			rows[row] = append(rows[row], entry)
		}
	}
	for row, entries := range rows {
		t.Run(row, func(t *testing.T) {
			around := newCachingTransport()
			s := newTenantOf(t, map[string]string{row: "absent"}, func(o *administrate.Options) { o.WrapTransport = around })
			checked := must[schemacheck.Report](t)(schemacheck.Check(t.Context(), s.Client))
			var unmet []string
			for _, u := range checked.SideEffects.FailedAssumptions {
				unmet = append(unmet, u.Entry)
			}
			slices.Sort(entries)
			slices.Sort(unmet)
			if len(checked.Mismatches)+len(checked.FailedAssumptions)+len(checked.SideEffects.Mismatches) != 0 || !slices.Equal(unmet, entries) {
				t.Errorf("%+v", checked)
			}
			c := s.client(t, func(o *administrate.Options) {
				o.WrapTransport = around
				for _, entry := range entries {
					corrected(t, &o.Assumed, entry, administrate.Off)
				}
			})
			if checked := must[schemacheck.Report](t)(schemacheck.Check(t.Context(), c)); !complete(checked) {
				t.Errorf("switched off: %+v", checked)
			}
		})
	}
}

// If every assumed name is wrong and corrected, each request has the same effect as a request with
// the assumed names.
func TestClientWorksWhereNothingIsAsAssumed(t *testing.T) {
	t.Parallel()
	ctx := t.Context()
	rows := map[string]string{"filter.types": "filter", "filter.operation": "Operation", "order.types": "order", "input.types": "verb"}
	for _, other := range renamedAssumptions() {
		rows[other.row] = string(other.right)
	}
	s := newTenantOf(t, maps.Clone(rows), func(o *administrate.Options) {
		for entry, other := range renamedAssumptions() {
			corrected(t, &o.Assumed, entry, other.right)
		}
	})
	if checked := must[schemacheck.Report](t)(schemacheck.Check(ctx, s.Client)); !complete(checked) {
		t.Errorf("%+v", checked)
	}
	found := must[administrate.LookupResult](t)(s.Lookup(ctx, administrate.LookupRequest{Regions: &administrate.PageRequest{}, Items: []administrate.ItemName{{Text: "ABC-123"}, {Text: "LP-1"}, {Text: "Training Token"}}}))
	for _, text := range []string{"ABC-123", "LP-1", "Training Token"} {
		if len(found.Items[text]) != 1 {
			t.Errorf("%s: %+v", text, found.Items[text])
		}
	}
	if len(found.Regions) == 0 {
		t.Error("no regions")
	}
	created := must[administrate.Opportunity](t)(s.CreateOpportunity(ctx, administrate.NewOpportunity{
		Name: "n", RegionID: regionDR, AccountID: accountTwo, Attributes: []administrate.Attribute{{Key: "a", Value: "1"}},
	}))
	until := s.now().Add(time.Hour).Truncate(time.Second)
	answers := must[[]administrate.MutationResult](t)(s.Apply(ctx, []administrate.Mutation{
		administrate.UpdateOpportunity{ID: created.ID, Name: "other", Attributes: []administrate.Attribute{{Key: "b", Value: "2"}}},
		administrate.AddInterest{
			OpportunityID: created.ID, ItemID: event, Kind: administrate.Event, Quantity: 2, UnitAmount: decimal.RequireFromString("19.9"),
			Reserve: true, ExistingLearners: []string{contactTwo},
		},
		administrate.ExtendReservations{OpportunityID: created.ID, Until: until},
	}))
	for i, a := range answers {
		if a.Err != nil {
			t.Fatalf("mutation %d: %v", i+1, a.Err)
		}
	}
	if held := answers[2].Opportunity; held == nil || !held.Reservations.Valid || held.Reservations.Until == nil || !held.Reservations.Until.Equal(until) {
		t.Errorf("held %+v", held)
	}
	got := must[administrate.Opportunity](t)(s.Opportunity(ctx, created.ID))
	if got.Name != "other" || len(got.Attributes) != 2 || len(got.Interests) != 1 {
		t.Fatalf("read %+v", got)
	}
	interest := got.Interests[0]
	if interest.Quantity == nil || *interest.Quantity != 2 || interest.Item.Type != "EventItem" || interest.Item.Code != "ABC-123-01" {
		t.Errorf("interest %+v", interest)
	}
	amount(t, "the price of one", interest.UnitAmount, "19.90")
	for _, f := range []administrate.Filter{
		{Field: administrate.ByName, Operation: administrate.Equal, Value: "other"},
		{Field: administrate.ByAccountID, Operation: administrate.In, Values: []string{accountTwo}},
		{Field: administrate.ByCreated, Operation: administrate.Greater, Value: "2020-01-01"},
	} {
		page := must[administrate.Page](t)(s.Opportunities(ctx, administrate.Search{
			Filters: []administrate.Filter{f, {Field: administrate.ByID, Operation: administrate.Equal, Value: created.ID}},
			Order:   &administrate.Order{Field: administrate.ByName, Descending: true},
		}))
		if page.Count != 1 {
			t.Errorf("%+v finds %d", f, page.Count)
		}
	}
}
