package store

import (
	"strings"
	"testing"
	"time"

	"github.com/oppflow/oppflow/sandbox/assumptions"
	"github.com/oppflow/oppflow/sandbox/globalid"
)

func queryPlan(t *testing.T, s *Store, query string, args ...any) string {
	t.Helper()
	rows, err := s.read.QueryContext(t.Context(), "EXPLAIN QUERY PLAN "+query, args...)
	if err != nil {
		t.Fatalf("%v\n%s", err, query)
	}
	defer func() { _ = rows.Close() }()
	var steps []string
	for rows.Next() {
		var id, parent, unused int
		var detail string
		if err := rows.Scan(&id, &parent, &unused, &detail); err != nil {
			t.Fatal(err)
		}
		steps = append(steps, detail)
	}
	if err := rows.Err(); err != nil {
		t.Fatal(err)
	}
	return strings.Join(steps, "\n")
}

// The frequent searches use an index, so the time of a search does not grow with the number of
// opportunities.
func TestSearchesUseIndices(t *testing.T) {
	s, err := Open(t.Context(), "", time.Now, assumptions.Choices{})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = s.Close() }()
	value := func(v string) *string { return &v }
	for field, v := range map[string]string{
		"id":         globalid.EncodeInt(globalid.Opportunity, 1),
		"name":       "x",
		"regionId":   globalid.Encode(globalid.Region, "UK"),
		"regionName": "UK",
		"stepId":     globalid.EncodeInt(globalid.OpportunityStep, 3),
		"accountId":  globalid.EncodeInt(globalid.Account, 2),
		"createdAt":  "2026-01-01",
	} {
		where, args, err := opportunities.where([]*Filter{{Field: field, Operation: "eq", Value: value(v)}}, nil, assumptions.Choices{})
		if err != nil {
			t.Fatal(err)
		}
		if p := queryPlan(t, s, "SELECT "+opportunities.columns+" FROM "+opportunities.from+where+" ORDER BY o.id LIMIT 51", args...); strings.Contains(p, "SCAN o") || !strings.Contains(p, "SEARCH o") {
			t.Errorf("%s reads all opportunities:\n%s", field, p)
		}
	}
	for name, query := range map[string]string{
		"interests of an opportunity": "SELECT " + interests.columns + " FROM " + interests.from + " WHERE i.opportunity_id = 1 ORDER BY i.id LIMIT 51",
		"interests in an event":       "SELECT " + interests.columns + " FROM " + interests.from + " WHERE i.event_id = 1 ORDER BY i.id LIMIT 51",
		"learners of an interest":     "SELECT " + learners.columns + " FROM " + learners.from + " WHERE n.interest_id = 1 ORDER BY n.id LIMIT 51",
		"grand total":                 grandTotalQuery,
		"reserved places":             reservedPlacesQuery,
		"whether places are held":     hasReservationQuery,
	} {
		var args []any
		for range strings.Count(query, "?") {
			args = append(args, 1)
		}
		if p := queryPlan(t, s, query, args...); strings.Contains(p, "SCAN i\n") || strings.Contains(p, "SCAN i ") || strings.Contains(p, "SCAN n") || strings.Contains(p, "SCAN o") {
			t.Errorf("%s reads all rows:\n%s", name, p)
		}
	}
	// For a page ordered by id or by created_at, SQLite reads the rows in index order and stops at
	// the last row of the page.
	for _, c := range []struct{ tail, without string }{
		{" ORDER BY o.id LIMIT 51", "TEMP B-TREE"},
		{" ORDER BY o.created_at DESC, o.id LIMIT 51", "TEMP B-TREE FOR ORDER BY"},
	} {
		if p := queryPlan(t, s, "SELECT "+opportunities.columns+" FROM "+opportunities.from+c.tail); strings.Contains(p, c.without) || !strings.HasPrefix(p, "SCAN o") {
			t.Errorf("%s sorts all opportunities:\n%s", c.tail, p)
		}
	}
}
