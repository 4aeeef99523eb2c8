package schemacheck

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"

	gql "github.com/vektah/gqlparser/v2/ast"

	"github.com/oppflow/oppflow/administrate"
	"github.com/oppflow/oppflow/administrate/administratetest"
	"github.com/oppflow/oppflow/administrate/oauth"
	"github.com/oppflow/oppflow/administrate/transport"
	"github.com/oppflow/oppflow/sandbox"
)

// recordingClient returns a client of a new sandbox, and a list to which each response of the
// sandbox is added.
func recordingClient(t *testing.T) (*administrate.Client, *[]string) {
	t.Helper()
	box, err := sandbox.Open(t.Context(), sandbox.Options{NoAuth: true, Logger: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	var answers []string
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		kept := httptest.NewRecorder()
		box.Handler().ServeHTTP(kept, r)
		answers = append(answers, kept.Body.String())
		w.WriteHeader(kept.Code)
		_, _ = io.WriteString(w, answers[len(answers)-1])
	}))
	t.Cleanup(func() {
		server.Close()
		if err := box.Close(); err != nil {
			t.Error(err)
		}
	})
	return client(t, server.URL+"/graphql"), &answers
}

func client(t *testing.T, url string) *administrate.Client {
	t.Helper()
	c, err := administrate.New(administrate.Options{Options: transport.Options{URL: url, Tokens: oauth.StaticToken("t")}})
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func assumptions() administrate.Assumptions {
	c, _ := administrate.NewWithSender(nil, administrate.Assumptions{}) // New fails only for a name that is not a GraphQL name
	return c.Assumptions()
}

func everythingOff(t *testing.T) administrate.Assumptions {
	t.Helper()
	var a administrate.Assumptions
	for _, e := range a.All() {
		*e.Name = administrate.Off
	}
	return a
}

type fixedBodyTransport []byte

func (a fixedBodyTransport) RoundTrip(r *http.Request) (*http.Response, error) {
	return &http.Response{StatusCode: http.StatusOK, Body: io.NopCloser(bytes.NewReader(a)), Request: r}, nil
}

func checkSchema(t *testing.T, s introspectionJSON, assumed administrate.Assumptions) Report {
	t.Helper()
	answer, err := json.Marshal(map[string]any{"data": map[string]any{"__schema": s}})
	if err != nil {
		t.Fatal(err)
	}
	c, err := administrate.New(administrate.Options{Options: transport.Options{
		URL: "http://127.0.0.1/graphql", Tokens: oauth.StaticToken("t"), Transport: fixedBodyTransport(answer),
	}, Assumed: assumed})
	if err != nil {
		t.Fatal(err)
	}
	checked, err := Check(t.Context(), c)
	if err != nil {
		t.Fatal(err)
	}
	return checked
}

func TestCheckFindsTheSandboxComplete(t *testing.T) {
	t.Parallel()
	c, answers := recordingClient(t)
	checked, err := Check(t.Context(), c)
	if err != nil || !complete(checked) || checked.Operations < 50 || checked.SideEffects.Operations < 40 {
		t.Errorf("%+v, %v", checked, err)
	}
	if len(*answers) != 1 || strings.Contains((*answers)[0], `"errors"`) && !strings.Contains((*answers)[0], `"__schema"`) {
		t.Errorf("asked %d times", len(*answers))
	}
}

func complete(c Report) bool {
	return len(c.Mismatches)+len(c.FailedAssumptions)+len(c.SideEffects.Mismatches)+len(c.SideEffects.FailedAssumptions) == 0
}

func entriesOf(unmet []FailedAssumption) []string {
	var entries []string
	for _, u := range unmet {
		entries = append(entries, u.Entry)
	}
	return entries
}

// If the schema contains only the documented and observed names, the check reports each assumption
// as a failed assumption.
func TestCheckReportsAssumptionsApart(t *testing.T) {
	t.Parallel()
	run := func(s *gql.Schema, assumed administrate.Assumptions) Report {
		t.Helper()
		c, err := administrate.NewWithSender(nil, assumed)
		if err != nil {
			t.Fatal(err)
		}
		checked, err := (&checker{schema: s, problemsByKey: map[string][]string{}}).check(t.Context(), c.Assumptions())
		if err != nil {
			t.Fatal(err)
		}
		return checked
	}
	documented := run(administratetest.Schema(t, false), administrate.Assumptions{})
	if len(documented.Mismatches)+len(documented.SideEffects.Mismatches) > 0 {
		t.Errorf("missing although documented: %+v, %+v", documented.Mismatches, documented.SideEffects.Mismatches)
	}
	names := func(all []administrate.Assumption) (names []string) {
		for _, e := range all {
			names = append(names, e.Entry)
		}
		return names
	}
	var none administrate.Assumptions
	if got, want := entriesOf(documented.FailedAssumptions), names(none.Core()); !slices.Equal(got, want) {
		t.Errorf("unmet %v, want all: %v", got, want)
	}
	// The check cannot find a problem with ClearAccount, because the name is documented and only
	// the meaning of null is assumed.
	meant := slices.DeleteFunc(names(none.SideEffect()), func(entry string) bool { return entry == "ClearAccount" })
	if got, want := entriesOf(documented.SideEffects.FailedAssumptions), meant; !slices.Equal(got, want) {
		t.Errorf("unmet extras %v, want all: %v", got, want)
	}
	for _, u := range append(documented.FailedAssumptions, documented.SideEffects.FailedAssumptions...) {
		if u.Assumption == "" || u.Cost == "" || len(u.Mismatches) == 0 || len(u.Mismatches[0].Operations) == 0 {
			t.Errorf("%s says too little: %+v", u.Entry, u)
		}
	}
	if got := run(administratetest.Schema(t, true), administrate.Assumptions{}); !complete(got) {
		t.Errorf("with everything assumed: %+v", got)
	}
	if got := run(administratetest.Schema(t, false), everythingOff(t)); !complete(got) {
		t.Errorf("with everything off: %+v", got)
	}
}

func TestCheckReportsWhereAnAssumptionIsCorrected(t *testing.T) {
	t.Parallel()
	source, err := os.ReadFile("../assumed.go")
	if err != nil {
		t.Fatal(err)
	}
	lines := strings.Split(string(source), "\n")
	notes, err := administrate.AssumptionNotes()
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range new(administrate.Assumptions).All() {
		note := notes[e.Entry]
		number, err := strconv.Atoi(strings.TrimPrefix(note.Line, "administrate/assumed.go:"))
		if err != nil || number < 1 || number > len(lines) || !strings.HasPrefix(strings.TrimSpace(lines[number-1]), `{"`+e.Entry+`", &a.`+e.Entry) {
			t.Errorf("%s is corrected at %q", e.Entry, note.Line)
		}
		if note.Assumption == "" || note.Cost == "" || strings.Contains(note.Assumption+note.Cost, "\n") {
			t.Errorf("%s: %+v", e.Entry, note)
		}
	}
}

func TestCheckFindsWhatATenantDoesDifferently(t *testing.T) {
	t.Parallel()
	const details = "OpportunityInterestDetailsInput"
	base := introspected(t)
	for name, test := range map[string]struct {
		change func(introspectionJSON)
		// missing lists texts that the reported mismatches must contain; unmet lists the member
		// Entry of each expected failed assumption.
		missing, unmet []string
	}{
		"a field is gone":        {func(s introspectionJSON) { s.drop("Opportunity", "fields", "isReservationValid") }, []string{`"isReservationValid" on type "Opportunity"`}, nil},
		"a mutation is gone":     {func(s introspectionJSON) { s.drop("OpportunityMutations", "fields", "extendReservations") }, []string{`"extendReservations" on type "OpportunityMutations"`}, nil},
		"a root is gone":         {func(s introspectionJSON) { s.drop("Query", "fields", "currencies") }, []string{`"currencies" on type "Query"`}, nil},
		"all mutations are gone": {func(s introspectionJSON) { s["mutationType"] = nil }, []string{"mutation"}, nil},
		"an argument is renamed": {func(s introspectionJSON) {
			named(named(s.typ("Query")["fields"], "opportunities")["args"], "filters")["name"] = "where"
		}, []string{`"filters"`}, nil},
		"an argument is required": {func(s introspectionJSON) {
			a := named(named(s.typ("Query")["fields"], "events")["args"], "after")
			a["type"] = required(a["type"])
		}, []string{`"events" argument "after" of type "String!" is required`}, nil},
		"a required one has a default": {func(s introspectionJSON) {
			a := named(named(s.typ("Query")["fields"], "events")["args"], "after")
			a["type"], a["defaultValue"] = required(a["type"]), `"x"`
		}, nil, nil},
		"a member is gone": {func(s introspectionJSON) { s.drop(details, "inputFields", "reserve") }, []string{`"reserve" is not defined by type`}, nil},
		"a member is required": {func(s introspectionJSON) {
			m := named(s.typ("OpportunityCreateInput")["inputFields"], "accountId")
			m["type"] = required(m["type"])
		}, []string{`"OpportunityCreateInput.accountId" of required type "ID!"`}, nil},
		"a member has come": {func(s introspectionJSON) {
			in := s.typ("OpportunityProgressInput")
			in["inputFields"] = append(in["inputFields"].([]any), map[string]any{"name": "reason", "type": required(scalar("String"))})
		}, []string{`"OpportunityProgressInput.reason" of required type "String!"`}, nil},
		"an optional member has come": {func(s introspectionJSON) {
			in := s.typ("OpportunityProgressInput")
			in["inputFields"] = append(in["inputFields"].([]any), map[string]any{"name": "reason", "type": scalar("String")})
		}, nil, nil},
		"a learner needs an e-mail": {func(s introspectionJSON) {
			m := named(s.typ("OpportunityInterestNewLearnerInput")["inputFields"], "email")
			m["type"] = required(m["type"])
		}, []string{`email" of required type`}, nil},
		"a member is of another type": {func(s introspectionJSON) { named(s.typ(details)["inputFields"], "quantity")["type"] = scalar("String") }, []string{`"$quantity" of type "Int!"`}, nil},
		"amounts are numbers": {func(s introspectionJSON) {
			named(s.typ(details)["inputFields"], "unitAmount")["type"] = scalar("Float")
		}, []string{"199.90"}, nil},
		"a time is of another type": {func(s introspectionJSON) {
			named(s.typ("OpportunityExtendReservationsInput")["inputFields"], "reservationsValidUntil")["type"] = scalar("LocalDateTime")
		}, []string{`"$until" of type "TimeZonedDateTime!"`}, nil},
		"an operation is gone": {func(s introspectionJSON) { s.drop("FilterOperation", "enumValues", "notin") }, []string{`"notin" does not exist in "FilterOperation!" enum`}, nil},
		"a filter is gone":     {func(s introspectionJSON) { s.drop("OpportunityField", "enumValues", "regionName") }, []string{`"regionName" does not exist`}, nil},
		"a type is gone": {func(s introspectionJSON) {
			s["types"] = without(s["types"], "LearningPath")
			for _, typ := range []string{"InterestItem", "Node"} {
				s.typ(typ)["possibleTypes"] = without(s.typ(typ)["possibleTypes"], "LearningPath")
			}
		}, []string{`Unknown type "LearningPath"`}, nil},
		"an item is no item": {func(s introspectionJSON) { s.drop("InterestItem", "possibleTypes", "TrainingTokenType") }, []string{`"TrainingTokenType"`}, nil},

		"a field has become an object": {func(s introspectionJSON) {
			named(s.typ("OpportunityStage")["fields"], "state")["type"] = map[string]any{"kind": "OBJECT", "name": "Region"}
		}, []string{`"state" of type "Region"`}, nil},
		"a count is a text": {func(s introspectionJSON) {
			named(s.typ("PageInfo")["fields"], "totalRecords")["type"] = scalar("String")
		}, []string{`"PageInfo.totalRecords" is of type "String"`}, nil},
		"a flag is a number": {func(s introspectionJSON) {
			named(s.typ("Opportunity")["fields"], "isReservationValid")["type"] = required(scalar("Int"))
		}, []string{`"Opportunity.isReservationValid" is of type "Int!"`}, nil},
		"an id is a number": {func(s introspectionJSON) { named(s.typ("Opportunity")["fields"], "id")["type"] = scalar("Int") }, []string{`"Opportunity.id" is of type "Int"`}, nil},
		"a label is a list": {func(s introspectionJSON) {
			f := named(s.typ("FieldError")["fields"], "label")
			f["type"] = map[string]any{"kind": "LIST", "ofType": f["type"]}
		}, []string{`"FieldError.label" is of type "[String]"`}, nil},
		"a time has no offset": {func(s introspectionJSON) {
			named(s.typ("Opportunity")["fields"], "reservationsValidUntil")["type"] = scalar("LocalDateTime")
		}, []string{`"Opportunity.reservationsValidUntil" is of type "LocalDateTime"`}, nil},
		"edges are an object": {func(s introspectionJSON) {
			named(s.typ("OpportunityConnection")["fields"], "edges")["type"] = map[string]any{"kind": "OBJECT", "name": "OpportunityEdge"}
		}, []string{"cannot read the structure of the response"}, nil},
		"an amount is a number": {func(s introspectionJSON) {
			named(s.typ("OpportunityValue")["fields"], "grandTotal")["type"] = scalar("Float")
		}, nil, nil},
		"a type has another name": {func(s introspectionJSON) {
			named(s.typ("OpportunityValue")["fields"], "grandTotal")["type"] = scalar("Money")
		}, nil, nil},

		"regions":              {func(s introspectionJSON) { s.drop("Query", "fields", "regions") }, nil, []string{"Regions"}},
		"course templates":     {func(s introspectionJSON) { s.drop("Query", "fields", "courseTemplates") }, nil, []string{"CourseTemplates"}},
		"their codes":          {func(s introspectionJSON) { s.drop("CourseTemplateField", "enumValues", "code") }, nil, []string{"CourseTemplates"}},
		"learning paths":       {func(s introspectionJSON) { s.drop("Query", "fields", "learningPaths") }, nil, []string{"LearningPaths"}},
		"token types":          {func(s introspectionJSON) { s.drop("Query", "fields", "trainingTokenTypes") }, nil, []string{"TokenTypes"}},
		"attributes to create": {func(s introspectionJSON) { s.drop("OpportunityCreateInput", "inputFields", "attributes") }, nil, []string{"CreateAttributes"}},
		"attributes to update": {func(s introspectionJSON) { s.drop("OpportunityUpdateInput", "inputFields", "attributes") }, nil, []string{"UpdateAttributes"}},
		"their form":           {func(s introspectionJSON) { s.drop("OpportunityAttributeInput", "inputFields", "definitionKey") }, nil, []string{"CreateAttributes", "UpdateAttributes"}},
		"names":                {func(s introspectionJSON) { s.drop("OpportunityUpdateInput", "inputFields", "name") }, nil, []string{"UpdateName"}},
		"known learners": {func(s introspectionJSON) {
			named(s.typ("OpportunityInterestLearnersInput")["inputFields"], "existingLearners")["type"] = map[string]any{"kind": "LIST", "ofType": map[string]any{"kind": "INPUT_OBJECT", "name": "OpportunityProgressInput"}}
		}, nil, []string{"ExistingLearner"}},
		"order": {func(s introspectionJSON) {
			named(named(s.typ("Query")["fields"], "opportunities")["args"], "order")["name"] = "orderBy"
		}, nil, []string{"Order"}},
		"directions":         {func(s introspectionJSON) { s.drop("OrderDirection", "enumValues", "desc") }, nil, []string{"Order"}},
		"filter by name":     {func(s introspectionJSON) { s.drop("OpportunityField", "enumValues", "name") }, nil, []string{"FilterName"}},
		"filter by account":  {func(s introspectionJSON) { s.drop("OpportunityField", "enumValues", "accountId") }, nil, []string{"FilterAccount"}},
		"filter by creation": {func(s introspectionJSON) { s.drop("OpportunityField", "enumValues", "createdAt") }, nil, []string{"FilterCreated"}},
		"what is extended": {func(s introspectionJSON) {
			named(s.typ("OpportunityMutations")["fields"], "extendReservations")["type"] = map[string]any{"kind": "OBJECT", "name": "OpportunityAddInterestPayload"}
		}, nil, []string{"ExtendedOpportunity"}},
		"events as items": {func(s introspectionJSON) { s.drop("InterestItem", "possibleTypes", "Event") }, nil, []string{"EventItem"}},
		"quantities":      {func(s introspectionJSON) { s.drop("OpportunityInterest", "fields", "quantity") }, nil, []string{"InterestQuantity"}},
		"fractions": {func(s introspectionJSON) {
			named(s.typ("OpportunityInterest")["fields"], "quantity")["type"] = scalar("Decimal")
		}, nil, []string{"InterestQuantity"}},
		"unit amounts": {func(s introspectionJSON) { s.drop("OpportunityInterest", "fields", "unitAmount") }, nil, []string{"InterestUnitAmount"}},
		"both of several": {func(s introspectionJSON) {
			s.drop("Query", "fields", "regions")
			s.drop("OpportunityInterest", "fields", "unitAmount")
			s.drop("Query", "fields", "accounts")
		}, []string{`"accounts" on type "Query"`}, []string{"Regions", "InterestUnitAmount"}},
	} {
		t.Run(name, func(t *testing.T) {
			s := base.clone()
			test.change(s)
			checked := checkSchema(t, s, administrate.Assumptions{})
			unmet := entriesOf(checked.FailedAssumptions)
			if !slices.Equal(unmet, test.unmet) {
				t.Errorf("unmet %v, want %v: %+v", unmet, test.unmet, checked.FailedAssumptions)
			}
			for _, want := range test.missing {
				if !slices.ContainsFunc(checked.Mismatches, func(m Mismatch) bool { return strings.Contains(m.Problem, want) && len(m.Operations) > 0 }) {
					t.Errorf("%q is not told: %+v", want, checked.Mismatches)
				}
			}
			if (len(checked.Mismatches) > 0) != (len(test.missing) > 0) {
				t.Errorf("missing: %+v", checked.Mismatches)
			}
			if len(checked.SideEffects.FailedAssumptions) > 0 {
				t.Errorf("laid to the assumptions of side effects: %+v", checked.SideEffects.FailedAssumptions)
			}
			for _, m := range checked.SideEffects.Mismatches {
				if slices.ContainsFunc(checked.Mismatches, func(other Mismatch) bool { return other.Problem == m.Problem }) {
					t.Errorf("told twice: %s", m.Problem)
				}
			}
			for _, m := range checked.Mismatches {
				if strings.ContainsAny(m.Problem, "\n") || strings.Contains(m.Problem, "m0_") {
					t.Errorf("told as %q", m.Problem)
				}
			}
		})
	}
}

// The check reports in the member SideEffects the names that only effects and follow-ups of a
// playbook use.
func TestCheckReportsExtrasApart(t *testing.T) {
	t.Parallel()
	base := introspected(t)
	for name, test := range map[string]struct {
		change func(introspectionJSON)
		// missing is a text that the expected mismatch must contain, and use is an operation that
		// the mismatch must list.
		missing, use string
		unmet        []string
	}{
		"mail":            {func(s introspectionJSON) { s.drop("Mutation", "fields", "contactAdhocEmails") }, `"contactAdhocEmails" on type "Mutation"`, "send a mail", nil},
		"a namespace":     {func(s introspectionJSON) { s.drop("Mutation", "fields", "invoices") }, `"invoices" on type "Mutation"`, "finalise an invoice", nil},
		"reserving":       {func(s introspectionJSON) { s.drop("OpportunityMutations", "fields", "reservePlacesForInterests") }, `"reservePlacesForInterests"`, "reserve places until a given time", nil},
		"the owner":       {func(s introspectionJSON) { s.drop("Opportunity", "fields", "owner") }, `"owner" on type "Opportunity"`, "read the account, contact, owner and invoice of an opportunity", nil},
		"a count":         {func(s introspectionJSON) { s.drop("Event", "fields", "reserved") }, `"reserved" on type "Event"`, "read an event", nil},
		"a count as text": {func(s introspectionJSON) { named(s.typ("Event")["fields"], "maxPlaces")["type"] = scalar("String") }, `"Event.maxPlaces" is of type "String"`, "read an event", nil},
		"a start with a zone": {func(s introspectionJSON) {
			named(s.typ("Event")["fields"], "start")["type"] = scalar("TimeZonedDateTime")
		}, `"Event.start" is of type "TimeZonedDateTime"`, "read an event", nil},
		"a filter":           {func(s introspectionJSON) { s.drop("LearnerField", "enumValues", "isCancelled") }, `"isCancelled" does not exist`, "check whether a contact is registered on an event", nil},
		"users":              {func(s introspectionJSON) { s.drop("Query", "fields", "users") }, `"users" on type "Query"`, "read users", nil},
		"one payload":        {func(s introspectionJSON) { contacts(s)["type"] = objectOf("ContactPayload") }, "cannot read the structure of the response", "create a contact", nil},
		"an input of a mail": {func(s introspectionJSON) { s.drop("ContactAdhocEmailInput", "inputFields", "ccList") }, `Field "ccList" is not defined by type "ContactAdhocEmailInput"`, "send a mail with copies", nil},
		"a new member":       {func(s introspectionJSON) { s.addRequiredMember("ContactAdhocEmailInput", "brandId") }, `"ContactAdhocEmailInput.brandId" of required type "ID!" was not provided`, "send a mail", nil},
		"a new member deep":  {func(s introspectionJSON) { s.addRequiredMember("PersonalNameInput", "salutation") }, `"PersonalNameInput.salutation" of required type`, "create a contact", nil},
		"a state of the log": {func(s introspectionJSON) { s.drop("ExternalLogTypeStatus", "enumValues", "partial") }, `"partial" does not exist in "ExternalLogTypeStatus" enum`, "write a partial success to the integration log", nil},
		"the type of a mail": {func(s introspectionJSON) { s.rename("ContactAdhocEmailInput", "MailInput") }, `Unknown type "ContactAdhocEmailInput"`, "send a mail", nil},
		"payload as an object": {func(s introspectionJSON) {
			s.retype("ExternalIntegrationLogCreateInput", "payload", inputOf("InternalLogMetadataInput"))
		}, `does not have the form of the type "InternalLogMetadataInput"`, "write a failure to the integration log", nil},
		"a number for a text": {func(s introspectionJSON) { s.retype("ExternalIntegrationLogCreateInput", "message", scalar("Int")) }, `sends text where the schema requires the type "Int"`, "write a success to the integration log", nil},
		"the owner's id":      {func(s introspectionJSON) { s.drop("OpportunityUpdateInput", "inputFields", "ownerId") }, "", "", []string{"UpdateOwner"}},
		"the contact's id":    {func(s introspectionJSON) { s.drop("OpportunityUpdateInput", "inputFields", "contactId") }, "", "", []string{"UpdateContact"}},
		"an e-mail to begin":  {func(s introspectionJSON) { s.drop("AccountCreateInput", "inputFields", "emailAddress") }, "", "", []string{"CreateAccountEmail"}},
		"texts of an invoice": {func(s introspectionJSON) { s.changedInvoices(t) }, "", "", []string{"InvoiceComments", "InvoicePurchaseOrder"}},
		"the last change":     {func(s introspectionJSON) { s.drop("Opportunity", "fields", "updatedAt") }, "", "", []string{"OpportunityUpdated"}},
		"a change by the clock": {func(s introspectionJSON) {
			named(s.typ("Opportunity")["fields"], "updatedAt")["type"] = scalar("LocalDateTime")
		}, "", "", []string{"OpportunityUpdated"}},
		"the registration of a place": {func(s introspectionJSON) { s.drop("Learner", "fields", "registration") }, "", "", []string{"LearnerRegistration"}},
		"issued tokens":               {func(s introspectionJSON) { s.drop("Opportunity", "fields", "tokenIssues") }, "", "", []string{"TokenIssues"}},
		"the usage of an address is an enum": {func(s introspectionJSON) {
			s.retype("EmailAddressInput", "usage", required(map[string]any{"kind": "ENUM", "name": "EmailUsage"}))
			s["types"] = append(s["types"].([]any), map[string]any{
				"kind": "ENUM", "name": "EmailUsage", "enumValues": []any{map[string]any{"name": "other"}, map[string]any{"name": "primary"}},
			})
		}, "", "", nil},
	} {
		t.Run(name, func(t *testing.T) {
			s := base.clone()
			test.change(s)
			checked := checkSchema(t, s, administrate.Assumptions{})
			if len(checked.Mismatches)+len(checked.FailedAssumptions) > 0 {
				t.Errorf("told to those who have no side effects: %+v, %+v", checked.Mismatches, checked.FailedAssumptions)
			}
			if got := entriesOf(checked.SideEffects.FailedAssumptions); !slices.Equal(got, test.unmet) {
				t.Errorf("unmet %v, want %v: %+v", got, test.unmet, checked.SideEffects.FailedAssumptions)
			}
			if (test.missing == "") != (len(checked.SideEffects.Mismatches) == 0) {
				t.Errorf("missing %+v", checked.SideEffects.Mismatches)
			}
			if test.missing != "" && !slices.ContainsFunc(checked.SideEffects.Mismatches, func(m Mismatch) bool {
				return strings.Contains(m.Problem, test.missing) && slices.Contains(m.Operations, test.use)
			}) {
				t.Errorf("%q is not told of %q: %+v", test.missing, test.use, checked.SideEffects.Mismatches)
			}
		})
	}
}

// If the caller corrects the assumed name, the check does not report the assumption any more.
func TestCheckTakesWhatATenantCorrected(t *testing.T) {
	t.Parallel()
	s := introspected(t)
	named(s.typ("Query")["fields"], "regions")["name"] = "areas"
	checked := checkSchema(t, s, administrate.Assumptions{})
	if len(checked.FailedAssumptions) != 1 || checked.FailedAssumptions[0].Entry != "Regions" || checked.FailedAssumptions[0].Name != "regions" {
		t.Errorf("%+v", checked)
	}
	for _, right := range []administrate.SchemaName{"areas", administrate.Off} {
		if checked := checkSchema(t, s, administrate.Assumptions{Regions: right}); len(checked.Mismatches)+len(checked.FailedAssumptions) > 0 {
			t.Errorf("with %q: %+v", right, checked)
		}
	}
}

func TestCheckSaysThatTheSchemaIsHidden(t *testing.T) {
	t.Parallel()
	for name, answer := range map[string]struct {
		status int
		body   string
		hidden bool
	}{
		"refused":                  {200, `{"errors":[{"message":"GraphQL introspection is not allowed"}]}`, true},
		"refused with 400":         {400, `{"errors":[{"message":"GraphQL introspection is not allowed"}]}`, true},
		"refused while executing":  {200, `{"data":null,"errors":[{"message":"not allowed","path":["__schema"]}]}`, true},
		"refused with data":        {200, `{"data":{"__schema":null},"errors":[{"message":"not allowed","path":["__schema"]}]}`, true},
		"null":                     {200, `{"data":{"__schema":null}}`, true},
		"nothing":                  {200, `{"data":{}}`, true},
		"something else":           {200, `{"data":{"__schema":{"types":[]}}}`, false},
		"a type of no kind":        {200, `{"data":{"__schema":{"queryType":{"name":"Query"},"types":[{"name":"Query"}]}}}`, false},
		"a reference to nothing":   {200, `{"data":{"__schema":{"queryType":{"name":"Q"},"types":[{"kind":"OBJECT","name":"Q","fields":[{"name":"x"}]}]}}}`, false},
		"no GraphQL at all":        {404, `not found`, false},
		"a proxy does not like it": {403, `forbidden`, false},
	} {
		t.Run(name, func(t *testing.T) {
			server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
				w.WriteHeader(answer.status)
				_, _ = io.WriteString(w, answer.body)
			}))
			defer server.Close()
			_, err := Check(t.Context(), client(t, server.URL))
			var hidden *IntrospectionDisabledError
			if err == nil || errors.As(err, &hidden) != answer.hidden {
				t.Errorf("got %v", err)
			}
			if answer.hidden && strings.Contains(answer.body, "allowed") != strings.Contains(fmt.Sprint(err), "not allowed") {
				t.Errorf("does not say what the API said: %v", err)
			}
		})
	}
}
