package cli

import (
	"context"
	"errors"
	"net/http"
	"strings"
	"testing"
	"unicode"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/oppflow/oppflow/administrate"
	"github.com/oppflow/oppflow/administrate/oauth"
	"github.com/oppflow/oppflow/administrate/transport"
	"github.com/oppflow/oppflow/opportunity"
)

func TestLearnersAreReadAsPeopleWriteThem(t *testing.T) {
	melissa := opportunity.Learner{FirstName: "Melissa", LastName: "Green", Email: "melissa@example.com"}
	for text, want := range map[string]opportunity.Learner{
		"Melissa Green <melissa@example.com>":            melissa,
		"  Melissa   Green<melissa@example.com> ":        melissa,
		`"Melissa Green" < melissa@example.com >`:        melissa,
		"Green, Melissa <melissa@example.com>":           melissa,
		"Anna Maria Berg <a@b.example>":                  {FirstName: "Anna Maria", LastName: "Berg", Email: "a@b.example"},
		"van den Berg, Anna Maria <a@b.example>":         {FirstName: "Anna Maria", LastName: "van den Berg", Email: "a@b.example"},
		"Tomás O’Byrne <tomas+courses@mail.example.com>": {FirstName: "Tomás", LastName: "O’Byrne", Email: "tomas+courses@mail.example.com"},
	} {
		got, err := parseLearner(text)
		if diff := cmp.Diff(want, got); err != nil || diff != "" {
			t.Errorf("%q: %v (-want +got):\n%s", text, err, diff)
		}
	}
}

func TestLearnerErrorsQuoteNoPerson(t *testing.T) {
	for _, text := range []string{
		"", "Melissa", "Melissa Green", "melissa@example.com", "<melissa@example.com>", "Melissa <melissa@example.com>",
		"Melissa Green <>", "Melissa Green <melissa>", "Melissa Green <melissa@>", "Melissa Green <melissa@example.com",
		"Melissa Green melissa@example.com>", "Melissa Green <melissa@example.com> Smith", "Melissa Green <mel issa@example.com>",
		", Melissa <melissa@example.com>", "Green, <melissa@example.com>", "Melissa Green <Mel <melissa@example.com>>",
		"Melissa Green <melissa@example.com, green@example.com>",
	} {
		got, err := parseLearner(text)
		if err == nil {
			t.Errorf("%q is parsed as %+v", text, got)
			continue
		}
		// The help text that explains the form of a learner contains an invented person, Melissa. No
		// other output may contain the name Melissa.
		shown := strings.NewReplacer("Melissa Green <melissa@example.com>", "", "Green, Melissa <melissa@example.com>", "").Replace(err.Error())
		if strings.Contains(strings.ToLower(shown), "melissa") {
			t.Errorf("%q: the error contains data of the person: %v", text, err)
		}
	}
}

func TestLearnerThatIsWrittenDownIsReadBack(t *testing.T) {
	word := rapid.StringMatching(`[A-Za-zÀ-ÿ’-]{1,12}`)
	rapid.Check(t, func(t *rapid.T) {
		want := opportunity.Learner{
			FirstName: strings.Join(rapid.SliceOfN(word, 1, 3).Draw(t, "first"), " "),
			LastName:  strings.Join(rapid.SliceOfN(word, 1, 3).Draw(t, "last"), " "),
			Email:     rapid.StringMatching(`[a-z0-9+_-]{1,10}@[a-z0-9]{1,10}\.example`).Draw(t, "email"),
		}
		got, err := parseLearner(want.LastName + ", " + want.FirstName + " <" + want.Email + ">")
		if err != nil || got != want {
			t.Fatalf("%+v was parsed as %+v: %v", want, got, err)
		}
	})
}

func FuzzLearner(f *testing.F) {
	for _, seed := range []string{"Melissa Green <melissa@example.com>", "Green, Melissa <m@e.x>", "<>", "a b <c@d>", `"a b" <"c d"@e>`, "a, b, c <d@e>"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		learner, err := parseLearner(text)
		if err != nil {
			if learner != (opportunity.Learner{}) {
				t.Errorf("%q: both %+v and %v", text, learner, err)
			}
			return
		}
		for _, field := range []string{learner.FirstName, learner.LastName, learner.Email} {
			if field == "" || strings.TrimSpace(field) != field || !strings.Contains(text, strings.Fields(field)[0]) {
				t.Errorf("%q: %+v", text, learner)
			}
		}
	})
}

func TestFiltersAreRead(t *testing.T) {
	filter := func(field administrate.OpportunityField, operation administrate.FilterOperation, value string, values ...string) administrate.Filter {
		return administrate.Filter{Field: field, Operation: operation, Value: value, Values: values}
	}
	for text, want := range map[string]administrate.Filter{
		"regionName=UK":                        filter("regionName", "eq", "UK"),
		"regionName:eq:UK":                     filter("regionName", "eq", "UK"),
		"name=a:b=c":                           filter("name", "eq", "a:b=c"),
		"name:ne:a:b=c":                        filter("name", "ne", "a:b=c"),
		"name:like:First Aid%":                 filter("name", "like", "First Aid%"),
		"name:wordlike:Aid":                    filter("name", "wordlike", "Aid"),
		"createdAt:ge:2026-01-01T00:00:00Z":    filter("createdAt", "ge", "2026-01-01T00:00:00Z"),
		"createdAt:gt:2026-01-01":              filter("createdAt", "gt", "2026-01-01"),
		"createdAt:le:2026-01-01":              filter("createdAt", "le", "2026-01-01"),
		"createdAt:lt:2026-01-01":              filter("createdAt", "lt", "2026-01-01"),
		"regionName:in:UK":                     filter("regionName", "in", "", "UK"),
		"regionName:in:UK,Dominican Republic":  filter("regionName", "in", "", "UK", "Dominican Republic"),
		"regionName:notin:UK,IE":               filter("regionName", "notin", "", "UK", "IE"),
		"regionName:contains:a:b":              filter("regionName", "contains", "", "a:b"),
		"accountId:isnull":                     filter("accountId", "isnull", ""),
		"accountId:notnull":                    filter("accountId", "notnull", ""),
		"id=T3Bwb3J0dW5pdHk6Mg==":              filter("id", "eq", "T3Bwb3J0dW5pdHk6Mg=="),
		"stepId:in:T3Bwb3J0dW5pdHlTdGVwOjM=,x": filter("stepId", "in", "", "T3Bwb3J0dW5pdHlTdGVwOjM=", "x"),
	} {
		got, err := parseFilter(text)
		if diff := cmp.Diff(want, got); err != nil || diff != "" {
			t.Errorf("%q: %v (-want +got):\n%s", text, err, diff)
		}
	}
}

func TestFilterThatIsWrittenDownIsReadBack(t *testing.T) {
	value := rapid.StringN(1, 20, -1)
	listed := rapid.StringMatching(`[^,]{1,10}`)
	rapid.Check(t, func(t *rapid.T) {
		want := administrate.Filter{
			Field:     administrate.OpportunityField(rapid.StringMatching(`[A-Za-z_][A-Za-z0-9_]{0,10}`).Draw(t, "field")),
			Operation: rapid.SampledFrom(operations).Draw(t, "operation"),
		}
		text := string(want.Field) + ":" + string(want.Operation)
		switch want.Operation {
		case administrate.IsNull, administrate.NotNull:
		case administrate.In, administrate.NotIn, administrate.Contains:
			want.Values = rapid.SliceOfN(listed, 1, 4).Draw(t, "values")
			text += ":" + strings.Join(want.Values, ",")
		default:
			want.Value = value.Draw(t, "value")
			text += ":" + want.Value
		}
		got, err := parseFilter(text)
		if diff := cmp.Diff(want, got); err != nil || diff != "" {
			t.Fatalf("%q: %v (-want +got):\n%s", text, err, diff)
		}
	})
}

// The API client can send every filter that parseFilter accepts.
func FuzzFilter(f *testing.F) {
	for _, seed := range []string{"regionName=UK", "a:in:b,c", "a:isnull", "a:isnull:", "a:eq:", "=", ":", "a=", "a:in:,", "a-b=c", "ä=b", "a:eq:\x00"} {
		f.Add(seed)
	}
	client, err := administrate.New(administrate.Options{Options: transport.Options{
		URL: "http://127.0.0.1:1/graphql", Tokens: oauth.StaticToken("t"), Transport: offline{},
		RequestsPerSecond: 1e9, Burst: 1e6,
	}})
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, text string) {
		filter, err := parseFilter(text)
		if err != nil {
			if strings.TrimSpace(err.Error()) == "" {
				t.Errorf("%q: no reason", text)
			}
			return
		}
		_, err = client.Opportunities(context.Background(), administrate.Search{Filters: []administrate.Filter{filter}})
		var invalid *administrate.InvalidError
		if errors.As(err, &invalid) && strings.ToValidUTF8(text, "") == text {
			t.Errorf("%q was read as %+v, which cannot be sent: %v", text, filter, err)
		}
	})
}

// offline is a network without connections.
type offline struct{}

func (offline) RoundTrip(*http.Request) (*http.Response, error) { return nil, errors.New("offline") }

func FuzzOneLine(f *testing.F) {
	for _, seed := range []string{"a\nb", "a\r\tb", "\x1b[31mred", "a\u2028b", "a\u202eb", "  a  b ", "\xff"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		for _, c := range oneLine(text) {
			if c != ' ' && !unicode.IsPrint(c) {
				t.Errorf("%q: %q in %q", text, c, oneLine(text))
			}
		}
	})
}
