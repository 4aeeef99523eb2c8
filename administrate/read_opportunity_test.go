package administrate

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
)

func rows(pageInfo string, nodes ...string) string {
	for i, n := range nodes {
		nodes[i] = `{"cursor":"c","node":` + n + `}`
	}
	return `{"edges":[` + strings.Join(nodes, ",") + `],"pageInfo":` + pageInfo + `}`
}

const (
	lastPage = `{"totalRecords":2,"hasNextPage":false,"endCursor":"E"}`
	nextPage = `{"totalRecords":250,"hasNextPage":true,"endCursor":"E"}`
)

func TestOpportunity(t *testing.T) {
	t.Parallel()
	record := func(page string) string {
		return `{"id":"O2","name":"First Aid","step":{"id":"S3","name":"Proposed","stage":{"id":"G3","name":"Proposed","state":"Open"}},
		"account":{"id":"A","name":"Clinic"},"financialUnit":{"name":"Pounds Sterling","code":"GBP","symbol":"£"},
		"value":{"grandTotal":"219.85"},"isReservationValid":true,"reservationsValidUntil":"2026-11-30T16:00:00.5Z",
		"attributes":[{"definitionKey":"k","value":"v"},{"definitionKey":"l","value":null}],
		"interests":` + rows(page,
			`{"id":"I1","totalAmount":"199.90","quantity":1,"unitAmount":199.90,"item":{"id":"C","__typename":"CourseTemplate","templateCode":"c","templateTitle":"t"}}`,
			`{"id":"I2","totalAmount":19.95,"item":null}`) + `}`
	}
	until := time.Date(2026, 11, 30, 16, 0, 0, 5e8, time.UTC)
	one := 1
	want := Opportunity{
		ID: "O2", Name: "First Aid",
		Step:         Step{ID: "S3", Name: "Proposed", Stage: Stage{ID: "G3", Name: "Proposed", State: "Open"}},
		Account:      &Ref{"A", "Clinic"},
		Currency:     &Currency{"Pounds Sterling", "GBP", "£"},
		GrandTotal:   money("219.85"),
		Attributes:   []Attribute{{"k", "v"}, {"l", ""}},
		Reservations: Reservations{Valid: true, Until: &until},
		Interests: []Interest{
			{ID: "I1", Item: Item{"C", "CourseTemplate", "c", "t"}, Total: money("199.90"), Quantity: &one, UnitAmount: money("199.90")},
			{ID: "I2", Total: money("19.95")},
		},
		InterestCount: 250, NextInterestsCursor: "E",
	}
	c, last := serveBody(t, `{"data":{"opportunities":`+rows(lastPage, record(nextPage))+`}}`)
	got, err := c.Opportunity(t.Context(), `O2"]`)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, got, compareOptions()...); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	sent := []rootField{{Alias: "opportunities", Field: "opportunities", Arguments: map[string]any{
		"filters": []any{map[string]any{"field": "id", "operation": "eq", "value": `O2"]`}},
	}}}
	if diff := cmp.Diff(sent, rootsOf(t, last())); diff != "" {
		t.Errorf("sent (-want +got):\n%s", diff)
	}
	if _, err := c.Opportunity(t.Context(), ""); outcomeOf(t, err) != "invalid" {
		t.Errorf("without an id: %v", err)
	}

	page, err := c.Interests(t.Context(), "O2", "C")
	if err != nil || page.Count != 250 || page.NextCursor != "E" || len(page.Interests) != 2 {
		t.Errorf("a further page: %+v, %v", page, err)
	}
	if text := last().Query; last().Variables["after"] != "C" || !strings.Contains(text, "after: $after") {
		t.Errorf("a further page: sent %s", text)
	}
	c, _ = serveBody(t, `{"data":{"opportunities":`+rows(lastPage, record(lastPage))+`}}`)
	if page, err := c.Interests(t.Context(), "O2", ""); err != nil || page.NextCursor != "" {
		t.Errorf("the last page: %+v, %v", page, err)
	}
}

func TestOpportunityNotThere(t *testing.T) {
	t.Parallel()
	for name, body := range map[string]string{
		"not found":             `{"data":{"opportunities":` + rows(`{"totalRecords":0}`) + `}}`,
		"not found, null edges": `{"data":{"opportunities":{"edges":null}}}`,
	} {
		c, _ := serveBody(t, body)
		_, err := c.Opportunity(t.Context(), secretName)
		var missing *NotFoundError
		if !errors.As(err, &missing) || missing.ID != secretName || strings.Contains(err.Error(), secretName) {
			t.Errorf("%s: %v", name, err)
		}
	}
	for name, body := range map[string]string{
		"null":              `{"data":{"opportunities":null}}`,
		"missing":           `{"data":{}}`,
		"a null row":        `{"data":{"opportunities":` + rows(lastPage, `null`) + `}}`,
		"two rows":          `{"data":{"opportunities":` + rows(lastPage, `{"id":"a"}`, `{"id":"b"}`) + `}}`,
		"a row without id":  `{"data":{"opportunities":` + rows(lastPage, `{"name":"a"}`) + `}}`,
		"time without zone": `{"data":{"opportunities":` + rows(lastPage, `{"id":"a","reservationsValidUntil":"2026-11-30T16:00:00"}`) + `}}`,
		"endless interests": `{"data":{"opportunities":` + rows(lastPage, `{"id":"a","interests":`+rows(`{"hasNextPage":true}`)+`}`) + `}}`,
		"a null interest":   `{"data":{"opportunities":` + rows(lastPage, `{"id":"a","interests":`+rows(lastPage, "null")+`}`) + `}}`,
	} {
		c, _ := serveBody(t, body)
		if o, err := c.Opportunity(t.Context(), "O"); outcomeOf(t, err) != "unknown" {
			t.Errorf("%s: %+v, %v", name, o, err)
		}
	}
}

func TestSearch(t *testing.T) {
	t.Parallel()
	filter := func(members ...any) map[string]any {
		m := map[string]any{"field": members[0], "operation": members[1]}
		for i := 2; i < len(members); i += 2 {
			m[members[i].(string)] = members[i+1]
		}
		return m
	}
	const body = `{"data":{"opportunities":{"edges":[{"node":{"id":"O1","name":"n","value":{"grandTotal":"0.00"},"step":null,
		"attributes":[{"definitionKey":"k","value":"v"}],
		"interests":{"edges":[{"node":{"id":"I1","__typename":"OpportunityInterest","totalAmount":"5.00","item":{"id":"E","__typename":"Event"}}}],
		"pageInfo":{"totalRecords":1}}}}],"pageInfo":{"totalRecords":51,"hasNextPage":true,"endCursor":"E"}}}}`
	for _, test := range []struct {
		name   string
		search Search
		want   map[string]any
	}{
		{"all", Search{}, nil},
		{
			"region",
			Search{Filters: []Filter{{Field: ByRegionName, Operation: Equal, Value: `U"K`}}, First: 100},
			map[string]any{"filters": []any{filter("regionName", "eq", "value", `U"K`)}, "first": int64(100)},
		},
		{
			"empty value",
			Search{Filters: []Filter{{Field: ByName, Operation: NotEqual}}, Offset: 50},
			map[string]any{"filters": []any{filter("name", "ne", "value", "")}, "offset": int64(50)},
		},
		{"several", Search{Filters: []Filter{
			{Field: ByStepID, Operation: In, Values: []string{"a", "b"}}, {Field: "ownerId", Operation: IsNull},
		}, After: "C"}, map[string]any{"filters": []any{filter("stepId", "in", "values", []any{"a", "b"}), filter("ownerId", "isnull")}, "after": "C"}},
		{
			"ordered",
			Search{Order: &Order{Field: ByCreated, Descending: true}},
			map[string]any{"order": map[string]any{"field": "createdAt", "direction": "desc"}},
		},
		{
			"ordered up",
			Search{Order: &Order{Field: ByID}},
			map[string]any{"order": map[string]any{"field": "id", "direction": "asc"}},
		},
	} {
		t.Run(test.name, func(t *testing.T) {
			c, last := serveBody(t, body)
			got, err := c.Opportunities(t.Context(), test.search)
			if err != nil {
				t.Fatal(err)
			}
			want := Page{Count: 51, NextCursor: "E", Rows: []Opportunity{{
				ID: "O1", Name: "n", GrandTotal: money("0"), Attributes: []Attribute{{"k", "v"}}, InterestCount: 1,
				Interests: []Interest{{ID: "I1", Total: money("5"), Item: Item{ID: "E", Type: "Event"}}},
			}}}
			if diff := cmp.Diff(want, got, compareOptions()...); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
			if diff := cmp.Diff(test.want, rootsOf(t, last())[0].Arguments, cmpopts.EquateEmpty()); diff != "" {
				t.Errorf("sent (-want +got):\n%s", diff)
			}
		})
	}
	for name, s := range map[string]Search{
		"too many":           {First: 101},
		"negative":           {First: -1},
		"offset and after":   {Offset: 1, After: "c"},
		"negative offset":    {Offset: -1},
		"no field":           {Filters: []Filter{{Operation: Equal, Value: "x"}}},
		"field of no form":   {Filters: []Filter{{Field: "id}", Operation: Equal, Value: "x"}}},
		"no operation":       {Filters: []Filter{{Field: ByID, Value: "x"}}},
		"other operation":    {Filters: []Filter{{Field: ByID, Operation: "is", Value: "x"}}},
		"value for isnull":   {Filters: []Filter{{Field: ByID, Operation: IsNull, Value: "x"}}},
		"value for in":       {Filters: []Filter{{Field: ByID, Operation: In, Value: "x"}}},
		"no values for in":   {Filters: []Filter{{Field: ByID, Operation: In}}},
		"values for eq":      {Filters: []Filter{{Field: ByID, Operation: Equal, Values: []string{"x"}}}},
		"no field to order":  {Order: &Order{}},
		"value not in UTF-8": {Filters: []Filter{{Field: ByID, Operation: Equal, Value: "\xff"}}},
	} {
		c, last := serveBody(t, body)
		if _, err := c.Opportunities(t.Context(), s); outcomeOf(t, err) != "invalid" || last().Query != "" {
			t.Errorf("%s: %v, sent %q", name, err, last().Query)
		}
	}
}

func TestLookup(t *testing.T) {
	t.Parallel()
	event, template := `{"id":"E1","code":"X","title":"X"}`, `{"id":"C1","code":"Y","title":"X"}`
	none := rows(lastPage)
	body := `{"data":{
		"steps":` + rows(nextPage, `{"id":"S","name":"Won","stage":{"id":"G","name":"W","state":"Won"}}`) + `,
		"regions":` + rows(lastPage, `{"id":"R","name":"UK"}`) + `,
		"currencies":` + rows(nextPage, `{"code":"USD","name":"U.S. Dollars","symbol":"$"}`) + `,
		"account0":` + rows(lastPage, `{"id":"A1","name":"Twin"}`, `{"id":"A2","name":"Twin"}`) + `,
		"account1":` + none + `,
		"item0_events_code":` + rows(lastPage, event) + `,"item0_events_title":` + rows(lastPage, event) + `,
		"item0_templates_code":` + none + `,"item0_templates_title":` + rows(lastPage, template) + `,
		"item0_paths_code":` + none + `,"item0_paths_name":` + none + `,
		"item0_tokens_name":` + rows(lastPage, `{"id":"T","title":"X"}`) + `}}`
	c, last := serveBody(t, body)
	wanted := LookupRequest{
		Steps: &PageRequest{}, Regions: &PageRequest{After: "c"}, Currencies: &PageRequest{}, Accounts: []string{"Twin", "Nobody"}, Items: []ItemName{{Text: "X"}},
	}
	got, err := c.Lookup(t.Context(), wanted)
	if err != nil {
		t.Fatal(err)
	}
	want := LookupResult{
		Steps:      []Step{{ID: "S", Name: "Won", Stage: Stage{ID: "G", Name: "W", State: "Won"}}},
		Regions:    []Ref{{"R", "UK"}},
		Currencies: []Currency{{"U.S. Dollars", "USD", "$"}},
		Accounts:   map[string][]Ref{"Twin": {{"A1", "Twin"}, {"A2", "Twin"}}, "Nobody": nil},
		Items: map[string][]Item{"X": {
			{"E1", "Event", "X", "X"}, {"C1", "CourseTemplate", "Y", "X"}, {"T", "TrainingTokenType", "", "X"},
		}},
		Next: &LookupRequest{Steps: &PageRequest{After: "E"}, Currencies: &PageRequest{After: "E"}},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	for _, r := range rootsOf(t, last()) {
		if filters, ok := r.Arguments["filters"].([]any); ok {
			value := filters[0].(map[string]any)["value"]
			if want := map[string]string{"account0": "Twin", "account1": "Nobody"}[r.Alias]; value != want && value != "X" {
				t.Errorf("%s compares with %v", r.Alias, value)
			}
		}
	}

	for _, missing := range []string{"steps", "regions", "account0", "item0_paths_code"} {
		c, _ := serveBody(t, strings.Replace(body, `"`+missing+`":`, `"gone":`, 1))
		if _, err := c.Lookup(t.Context(), wanted); outcomeOf(t, err) != "unknown" {
			t.Errorf("without %s in the answer: %v", missing, err)
		}
	}
	texts := strings.Split(strings.Repeat("x", maxLookupTexts), "")
	for name, w := range map[string]LookupRequest{
		"nothing":        {},
		"too many":       {Accounts: texts, Items: []ItemName{{Text: "x"}}},
		"an empty text":  {Items: []ItemName{{}}},
		"an empty name":  {Accounts: []string{""}},
		"text not UTF-8": {Items: []ItemName{{Text: "\xff"}}},
	} {
		if _, err := c.Lookup(t.Context(), w); outcomeOf(t, err) != "invalid" {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// TestDuplicateTexts: if a look-up contains the same text twice, the result contains the text once.
func TestDuplicateTexts(t *testing.T) {
	t.Parallel()
	answer := rows(lastPage, `{"id":"A1","name":"Twin"}`)
	c, _ := serveBody(t, fmt.Sprintf(`{"data":{"account0":%s,"account1":%s}}`, answer, answer))
	got, err := c.Lookup(t.Context(), LookupRequest{Accounts: []string{"Twin", "Twin"}})
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(map[string][]Ref{"Twin": {{"A1", "Twin"}}}, got.Accounts); diff != "" {
		t.Error(diff)
	}
}
