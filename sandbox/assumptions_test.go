package sandbox_test

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/oppflow/oppflow/sandbox"
	"github.com/oppflow/oppflow/sandbox/assumptions"
	"github.com/oppflow/oppflow/sandbox/globalid"
)

// The expected text of a test shows which option of the assumption is chosen, for example by a
// count or a label. If the sandbox rejects the document, the expected text is "refused".
func assumptionTests() map[assumptions.Name]assumptionTest {
	names := func(filter string) func(*testing.T, *api) string {
		return func(t *testing.T, a *api) string {
			t.Helper()
			return a.leavesOf(t, `{ opportunities(`+filter+`) { edges { node { name } } } }`)
		}
	}
	document := func(d string) func(*testing.T, *api) string {
		return func(t *testing.T, a *api) string {
			t.Helper()
			if got := a.leavesOf(t, d); strings.HasPrefix(got, "refused") {
				return "refused"
			}
			return "taken"
		}
	}
	interest := func(members string) func(*testing.T, *api) string {
		return func(t *testing.T, a *api) string {
			t.Helper()
			label, _, _ := strings.Cut(refusalOf(t, a.mutate(t, "addInterest", fmt.Sprintf("opportunityId: %q, interestDetails: {%s}", oneOpportunity, members), "interests { id }")), ":")
			return label
		}
	}
	const course = `id: "Q291cnNlVGVtcGxhdGU6MTE=", quantity: 1, unitAmount: "10.00"`
	const create = `mutation { opportunities { create(input: {name: "x", regionId: "UmVnaW9uOkRS"%s}) { errors { label } opportunity { %s } } } }`
	return map[assumptions.Name]assumptionTest{
		assumptions.FilterAnd: {names(`filters: [{field: name, operation: eq, value: "b"}, {field: regionName, operation: eq, value: "UK"}]`), map[string]string{"all": "b", "any": "Annual first aid refresher a b"}},
		assumptions.FilterNull: {names(`filters: {field: accountId, operation: ne, value: "T3JnYW5pc2F0aW9uOjI="}`), map[string]string{
			"passed": "", "matched": "Annual first aid refresher b",
		}},
		assumptions.FilterCase: {names(`filters: {field: name, operation: in, values: ["A"]}`), map[string]string{"exact": "", "ignored": "a"}},
		assumptions.FilterWordlike: {names(`filters: {field: name, operation: wordlike, value: "fir"}`), map[string]string{
			"begins": "Annual first aid refresher", "whole": "",
		}},
		assumptions.FilterContains: {names(`filters: {field: name, operation: contains, values: ["first", "Annual"]}`), map[string]string{"each": "Annual first aid refresher", "refused": "refused"}},
		assumptions.FilterID:       {names(`filters: {field: id, operation: eq, value: "x"}`), map[string]string{"refused": "refused", "nothing": ""}},
		assumptions.FilterDate: {names(`filters: {field: reservationsValidUntil, operation: eq, value: "2026-07-01T12:00:00"}`), map[string]string{
			"utc": "a", "london": "b",
		}},
		assumptions.FilterFields: {document(`{ opportunities(filters: [{field: id, operation: notnull}, {field: name, operation: notnull}]) { edges { node { id } } } }`), map[string]string{"many": "taken", "few": "refused"}},
		assumptions.OrderDefault: {names(`first: 1`), map[string]string{"oldest": "Annual first aid refresher", "newest": "b"}},
		assumptions.PageFirst:    {names(`first: -1, offset: 1, after: "x"`), map[string]string{"refused": "refused", "mended": "a b"}},

		assumptions.InterestFields: {document(`{ opportunities { edges { node { interests { edges { node { id reserve } } } } } } }`), map[string]string{"shown": "taken", "absent": "refused"}},
		assumptions.InterestType: {func(t *testing.T, a *api) string {
			t.Helper()
			a.addCourse(t, oneOpportunity, 1, "1.00")
			return a.leavesOf(t, `{ opportunities { edges { node { interests { edges { node { ...more } } } } } } } fragment more on OpportunityInterest { __typename }`)
		}, map[string]string{"one": "OpportunityInterest", "by-kind": "OpportunityCourseInterest"}},
		assumptions.CurrencyID:  {document(`{ opportunities { edges { node { financialUnit { id } } } } }`), map[string]string{"shown": "taken", "absent": "refused"}},
		assumptions.NodeUnknown: {document(`{ node(id: "T3Bwb3J0dW5pdHk6OTk=") { id } }`), map[string]string{"null": "taken", "error": "refused"}},
		assumptions.TotalTax: {func(t *testing.T, a *api) string {
			t.Helper()
			a.addCourse(t, oneOpportunity, 3, "10.00")
			return a.leavesOf(t, `{ opportunities(first: 1) { edges { node { value { grandTotal } } } } }`)
		}, map[string]string{"without": "30.00", "with": "36.00"}},

		assumptions.CreateRequired: {func(t *testing.T, a *api) string {
			t.Helper()
			return a.leavesOf(t, fmt.Sprintf(create, "", "name"))
		}, map[string]string{"name-region": "x", "account": "Invalid Value"}},
		assumptions.CreateCurrency: {func(t *testing.T, a *api) string {
			t.Helper()
			return a.leavesOf(t, fmt.Sprintf(create, "", "financialUnit { ... on Currency { code } }"))
		}, map[string]string{"region": "USD", "tenant": "GBP"}},
		assumptions.CreateEntry: {func(t *testing.T, a *api) string {
			t.Helper()
			return a.leavesOf(t, fmt.Sprintf(create, `, entryStepId: "T3Bwb3J0dW5pdHlTdGVwOjY="`, "step { name }"))
		}, map[string]string{"entry": "Invalid Value", "any": "Lost"}},
		assumptions.UpdateNull: {func(t *testing.T, a *api) string {
			t.Helper()
			before := a.leavesOf(t, `mutation { opportunities { update(input: {id: "T3Bwb3J0dW5pdHk6Mg=="}) { errors { label } opportunity { account { name } } } } }`)
			answer := a.post(t, `mutation ($none: ID) { opportunities { update(input: {id: "T3Bwb3J0dW5pdHk6Mg==", accountId: $none}) { errors { label } opportunity { account { name } } } } }`, vars{"none": nil})
			return before + leaves(answer.Data)
		}, map[string]string{"kept": "AdministrateAdministrate", "cleared": "Administrate"}},
		assumptions.ErrorLabels: {func(t *testing.T, a *api) string {
			t.Helper()
			move, _, _ := strings.Cut(a.progress(t, oneOpportunity, stepWon), ":")
			gone, _, _ := strings.Cut(a.progress(t, globalid.EncodeInt(globalid.Opportunity, 99), stepWon), ":")
			return gone + ", " + move
		}, map[string]string{"named": "Not Found, Transition Not Found", "plain": "Error, Transition Not Found"}},

		assumptions.RequestSize: {func(t *testing.T, a *api) string {
			t.Helper()
			var told []string
			for _, kib := range []int{1, 127, 129, 1023, 1025} {
				told = append(told, fmt.Sprint(a.post(t, "{ hello } #"+strings.Repeat("x", kib<<10-200), nil).status))
			}
			return strings.Join(told, " ")
		}, map[string]string{"1MiB": "200 200 200 200 413", "128KiB": "200 200 413 413 413"}},
		assumptions.ErrorsFirst: {func(t *testing.T, a *api) string {
			t.Helper()
			var told []string
			for _, mutation := range []string{
				`create(input: {name: " ", accountId: "T3JnYW5pc2F0aW9uOjk5", regionId: "UmVnaW9uOlhY", financialUnitId: "ZZZ", entryStepId: "T3Bwb3J0dW5pdHlTdGVwOjU="})`,
				`update(input: {id: "T3Bwb3J0dW5pdHk6MQ==", name: "changed", financialUnitId: "ZZZ", accountId: "T3JnYW5pc2F0aW9uOjk5"})`,
			} {
				told = append(told, a.leavesOf(t, `mutation { opportunities { it: `+mutation+` { errors { value } opportunity { name } } } }`))
			}
			return strings.Join(append(told, a.leavesOf(t, `{ opportunities { edges { node { name account { name } } } } }`)), ", ")
		}, map[string]string{
			"first": " , ZZZ, Annual first aid refresher a b",
			"all":   "  T3JnYW5pc2F0aW9uOjk5 UmVnaW9uOlhY ZZZ T3Bwb3J0dW5pdHlTdGVwOjU=, ZZZ T3JnYW5pc2F0aW9uOjk5, Annual first aid refresher a b",
		}},
		assumptions.AddInterestResponse: {func(t *testing.T, a *api) string {
			t.Helper()
			a.addCourse(t, oneOpportunity, 1, "1.00")
			payload := a.mutate(t, "addInterest", fmt.Sprintf("opportunityId: %q, interestDetails: {%s}", oneOpportunity, course), "interests { id }")
			return fmt.Sprint(len(valueAt(t, payload, "interests").([]any)))
		}, map[string]string{"new": "1", "all": "2"}},
		assumptions.InterestLearners:    {interest(course + `, courseDetails: {newLearners: [{firstName: "a", lastName: "b"}, {firstName: "c", lastName: "d"}]}`), map[string]string{"quantity": "Invalid Value", "any": ""}},
		assumptions.InterestAmount:      {interest(`id: "Q291cnNlVGVtcGxhdGU6MTE=", quantity: 1, unitAmount: "-10.00"`), map[string]string{"positive": "Invalid Value", "any": ""}},
		assumptions.InterestDetailsKind: {interest(course + `, eventDetails: {newLearners: []}`), map[string]string{"fitting": "Details Do Not Fit", "ignored": ""}},
		assumptions.InterestTax:         {interest(course + `, taxId: "VGF4OjE="`), map[string]string{"any": "", "unknown": "Not Found"}},
		assumptions.InterestPublished:   {interest(`id: "TGVhcm5pbmdQYXRoOjI=", quantity: 1, unitAmount: "1.00"`), map[string]string{"published": "Not Published", "courses": ""}},

		assumptions.ReserveExpired: {func(t *testing.T, a *api) string {
			t.Helper()
			a.reserve(t, oneOpportunity, 1)
			a.extend(t, oneOpportunity, newClock().Now())
			label, _, _ := strings.Cut(refusalOf(t, a.mutate(t, "addInterest", fmt.Sprintf(`opportunityId: %q, interestDetails: {id: %q, reserve: true, quantity: 1, unitAmount: "1.00"}`, oneOpportunity, eventOne), "interests { id }")), ":")
			return label
		}, map[string]string{"silent": "", "refused": "Invalid Value"}},
		assumptions.LearnerReactivate: {func(t *testing.T, a *api) string {
			t.Helper()
			var told []string
			for _, state := range []string{"cancelled", "draft"} {
				learners, _ := a.registerContacts(t, eventOne, 1)
				a.changeLearner(t, "cancel", learners[0])
				a.updateEvent(t, eventOne, fmt.Sprintf("lifecycleState: %q", state))
				label, _, _ := strings.Cut(a.changeLearner(t, "reactivate", learners[0]), ":")
				told = append(told, label, a.leavesOf(t, `{ events(first: 1) { edges { node { bookedPlaces } } } }`))
				a.updateEvent(t, eventOne, `lifecycleState: "published"`)
			}
			return strings.Join(told, " ")
		}, map[string]string{"refused": "Not Published 4 Not Published 4", "taken": " 5  6"}},
		assumptions.ReservationNone: {func(t *testing.T, a *api) string {
			t.Helper()
			return a.leavesOf(t, `{ opportunities(first: 1) { edges { node { isReservationValid } } } }`)
		}, map[string]string{"false": "false", "true": "true"}},
		assumptions.ExtendResponse: {func(t *testing.T, a *api) string {
			t.Helper()
			return a.leavesOf(t, fmt.Sprintf(`mutation { opportunities { extendReservations(input: {opportunityId: %q, reservationsValidUntil: "2026-07-01T12:00:00Z"}) { errors { label } opportunity { name } } } }`, oneOpportunity))
		}, map[string]string{"opportunity": "Annual first aid refresher", "errors": ""}},
	}
}

type assumptionTest struct {
	run  func(t *testing.T, a *api) string
	want map[string]string
}

var oneOpportunity = globalid.EncodeInt(globalid.Opportunity, 1)

// leavesOf sends a document and returns the texts and booleans of the response in their order. If
// the response has an error, leavesOf returns "refused".
func (a *api) leavesOf(t testing.TB, document string) string {
	t.Helper()
	return a.leavesOfVars(t, document, nil)
}

func (a *api) leavesOfVars(t testing.TB, document string, v vars) string {
	t.Helper()
	answer := a.post(t, document, v)
	if len(answer.Errors) > 0 {
		return "refused"
	}
	return leaves(answer.Data)
}

func leaves(data any) string {
	var found []string
	switch data := data.(type) {
	case map[string]any:
		for _, key := range slices.Sorted(maps.Keys(data)) {
			if key != "id" {
				found = append(found, leaves(data[key]))
			}
		}
	case []any:
		for _, one := range data {
			found = append(found, leaves(one))
		}
	case nil:
	default:
		found = append(found, fmt.Sprint(data))
	}
	return strings.Join(slices.DeleteFunc(found, func(s string) bool { return s == "" }), " ")
}

func TestEachAssumptionTakesEffect(t *testing.T) {
	t.Parallel()
	elsewhere := []string{"oauth.", "rate.", "rejected.", "namespace.", "mutation.failed", "errors.empty", "reserve.kind", "reserve.state", "reserve.short", "reserve.length", "registration.", "progress.", "closed", "required.", "trigger.", "invoice.", "opportunity.people", "contact.email", "contact.create", "mail.recipient", "mail.booker", "log.opportunity", "log.read", "event.displayId", "event.startDate", "event.price", "event.search", "event.touched", "filter.bookings"}
	all, named := assumptionTests(), namingTests()
	maps.Copy(all, relatedRecordAssumptionTests())
	maps.Copy(all, fieldAssumptionTests())
	for _, row := range assumptions.All() {
		test, ok := all[row.Name]
		if !ok {
			if _, ok := named[row.Name]; !ok && !slices.ContainsFunc(elsewhere, func(prefix string) bool { return strings.HasPrefix(string(row.Name), prefix) }) {
				t.Errorf("no test covers the assumption %s", row.Name)
			}
			continue
		}
		seen := map[string]bool{}
		for _, v := range row.Options {
			seen[test.want[v.Value]] = true
			t.Run(string(row.Name)+"="+v.Value, func(t *testing.T) {
				o := sandbox.Options{Assumptions: map[string]string{string(row.Name): v.Value}, Now: newClock().Now}
				if row.Name == assumptions.ContactStaff {
					o.Catalogue = editedCatalogue(t, ", staff: true }", " }", "priya.raman@harbour-street.example }", "priya.raman@harbour-street.example, staff: true }")
				}
				a := open(t, o)
				if row.Name != assumptions.CreateRequired || v.Value != "account" {
					a.create(t, "a")
					a.create(t, "b")
				}
				if row.Name == assumptions.FilterDate {
					for id, until := range map[int64]string{2: "2026-07-01T12:00:00Z", 3: "2026-07-01T11:00:00Z"} {
						opportunity := globalid.EncodeInt(globalid.Opportunity, id)
						a.reserve(t, opportunity, 1)
						mustSucceed(t, a.mutate(t, "extendReservations", fmt.Sprintf("opportunityId: %q, reservationsValidUntil: %q", opportunity, until), "opportunity { id }"))
					}
				}
				if row.Name == assumptions.FilterNull || row.Name == assumptions.UpdateNull {
					mustSucceed(t, a.mutate(t, "update", `id: "T3Bwb3J0dW5pdHk6Mg==", accountId: "T3JnYW5pc2F0aW9uOjI="`, "opportunity { id }"))
				}
				if got := test.run(t, a); got != test.want[v.Value] {
					t.Errorf("%q, want %q", got, test.want[v.Value])
				}
			})
		}
		if len(seen) != len(row.Options) {
			t.Errorf("%s: the test gets the same result for different values", row.Name)
		}
	}
}
