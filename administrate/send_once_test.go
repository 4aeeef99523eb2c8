package administrate

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/oppflow/oppflow/administrate/oauth"
	"github.com/oppflow/oppflow/administrate/transport"
)

const (
	secretToken = "tok-3f9a77d1c0"
	secretName  = "Melissandre"
)

func client(t *testing.T, url string, change func(*Options)) *Client {
	t.Helper()
	o := Options{Options: transport.Options{URL: url, Tokens: oauth.StaticToken(secretToken)}}
	if observe != nil {
		o.WrapTransport = observe(t)
	}
	if change != nil {
		change(&o)
	}
	c, err := New(o)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// addInterest sends an AddInterest with secret values, which no error text may contain.
func addInterest(ctx context.Context, c *Client) error {
	_, err := c.AddInterest(ctx, AddInterest{
		OpportunityID: "o", ItemID: "i", Kind: Course, Quantity: 1,
		NewLearners: []Learner{{FirstName: secretName, LastName: "Green", Email: secretName + "@example.com"}},
	})
	return err
}

// outcomeOf returns the outcome that the error shows, and fails the test if the error text contains
// a secret.
func outcomeOf(t *testing.T, err error) string {
	t.Helper()
	if err == nil {
		return "done"
	}
	for _, text := range []string{err.Error(), fmt.Sprintf("%v %+v %s", err, err, err)} {
		if strings.Contains(text, secretName) || strings.Contains(text, secretToken) {
			t.Errorf("an error shows what is secret: %s", text)
		}
	}
	for inner := errors.Unwrap(err); inner != nil; inner = errors.Unwrap(inner) {
		if strings.Contains(inner.Error(), secretName) || strings.Contains(inner.Error(), secretToken) {
			t.Errorf("a cause shows what is secret: %v", inner)
		}
	}
	var (
		notSent  *NotSentError
		unknown  *UnknownError
		rejected *RejectedError
		refused  *RefusedError
		invalid  *InvalidError
	)
	switch {
	case errors.As(err, &notSent):
		return "not sent: " + string(notSent.Reason)
	case errors.As(err, &unknown):
		return "unknown"
	case errors.As(err, &rejected):
		return "rejected"
	case errors.As(err, &refused):
		return "refused"
	case errors.As(err, &invalid):
		return "invalid"
	}
	t.Errorf("error of no known type: %T %v", err, err)
	return "?"
}

const successBody = `{"data":{"m0":{"opportunities":null,"addInterest":{"errors":[],"interests":[{"id":"1"}]}}}}`

// The API documentation names the HTTP statuses 401, 429 and 500 (API notes 1 and 2). An empty list
// of top-level errors means that the request had no error (documented, API notes 3.5). A list of
// errors in the payload that is not empty means that the API rejected the mutation, with any HTTP
// status (observed, API notes 3.5). A payload whose list of errors is missing or null has no
// errors. If a response does not contain the mutation's result, the mutation does not count as
// done.
func TestAnswers(t *testing.T) {
	answer := func(status int, body string) http.HandlerFunc {
		return func(w http.ResponseWriter, _ *http.Request) {
			w.WriteHeader(status)
			_, _ = io.WriteString(w, body)
		}
	}
	// echo returns a handler whose response repeats everything that the client sent, including the
	// token.
	echo := func(status int, form string) http.HandlerFunc {
		return func(w http.ResponseWriter, r *http.Request) {
			body, _ := io.ReadAll(r.Body)
			quoted, _ := json.Marshal(string(body) + r.Header.Get("Authorization"))
			w.Header().Set("Location", "/"+secretName)
			w.Header().Set("Retry-After", secretName)
			w.WriteHeader(status)
			_, _ = io.WriteString(w, strings.ReplaceAll(form, "ECHO", string(quoted)))
		}
	}
	for _, test := range []struct {
		name    string
		handler http.HandlerFunc
		want    string
	}{
		{"done", answer(200, successBody), "done"},
		{"created", answer(201, successBody), "done"},
		{"empty top-level errors", answer(200, `{"errors":[],`+successBody[1:]), "done"},
		{"null top-level errors", answer(200, `{"errors":null,`+successBody[1:]), "done"},
		{"top-level error elsewhere", answer(200, `{"errors":[{"message":"m","path":["m7"]}],`+successBody[1:]), "done"},
		{"missing payload errors", answer(200, `{"data":{"m0":{"addInterest":{"interests":[{"id":"1"}]}}}}`), "done"},
		{"null payload errors", answer(200, `{"data":{"m0":{"addInterest":{"errors":null,"interests":[{"id":"1"}]}}}}`), "done"},

		{"rejected", answer(200, `{"data":{"m0":{"addInterest":{"errors":[{"label":"L","message":"M","value":null}],"interests":null}}}}`), "rejected"},
		{"rejected with an object", answer(200, `{"data":{"m0":{"addInterest":{"errors":[{"label":"L"}],"interests":[{"id":"1"}]}}}}`), "rejected"},
		{"rejected without words", answer(200, `{"data":{"m0":{"addInterest":{"errors":[{}]}}}}`), "rejected"},

		{"refused", answer(200, `{"errors":[{"message":"Unknown argument","locations":[{"line":2,"column":7}]}]}`), "refused"},
		{"refused with 400", answer(400, `{"errors":[{"message":"Syntax Error"}]}`), "refused"},
		{"refused with 422 and null data", answer(422, `{"errors":[{"message":"Unknown field"}],"data":null}`), "refused"},
		{"refused for a variable", answer(200, `{"errors":[{"message":"must be an ID","path":["variable","m0_id"]}]}`), "refused"},
		{"refused with an echo", echo(200, `{"errors":[{"message":ECHO}]}`), "refused"},
		{"refused with 400 and an echo", echo(400, `{"errors":[{"message":ECHO,"extensions":{"x":ECHO}}]}`), "refused"},

		{"unauthorised", echo(401, `ECHO`), "not sent: authentication"},
		{"unauthorised with errors", answer(401, `{"errors":[{"message":"no"}]}`), "not sent: authentication"},
		{"rate limited", echo(429, `ECHO`), "not sent: rate limited"},

		{"400 without errors", answer(400, `{}`), "unknown"},
		{"400 with data", answer(400, `{"errors":[{"message":"m"}],"data":{"m0":null}}`), "unknown"},
		{"400 after execution began", answer(400, `{"errors":[{"message":"m","path":["m0"]}]}`), "unknown"},
		{"400 of a proxy", echo(400, `<html>ECHO`), "unknown"},
		{"forbidden", echo(403, `ECHO`), "unknown"},
		{"no such page", echo(404, `ECHO`), "unknown"},
		{"server error", echo(500, `ECHO`), "unknown"},
		{"server error in form", answer(500, `{"errors":[{"message":"m"}]}`), "unknown"},
		{"bad gateway", echo(502, `ECHO`), "unknown"},
		{"redirect", echo(307, ``), "unknown"},
		{"accepted", answer(202, successBody), "unknown"},
		{"no content", answer(204, ``), "unknown"},
		{"empty", answer(200, ``), "unknown"},
		{"not JSON", echo(200, `<html>ECHO`), "unknown"},
		{"cut JSON", answer(200, successBody[:len(successBody)-2]), "unknown"},
		{"more than one JSON value", answer(200, successBody+successBody), "unknown"},
		{"an array", answer(200, `[`+successBody+`]`), "unknown"},
		{"nothing in it", answer(200, `{}`), "unknown"},
		{"no errors and no data", answer(200, `{"errors":[]}`), "unknown"},
		{"no data after execution began", answer(200, `{"errors":[{"message":"m","path":["m0"]}]}`), "unknown"},
		{"null data", answer(200, `{"data":null}`), "unknown"},
		{"null data with errors", answer(200, `{"errors":[{"message":"m"}],"data":null}`), "unknown"},
		{"null data with an echo", echo(200, `{"errors":[{"message":ECHO,"path":["m0"]}],"data":null}`), "unknown"},
		{"data of another form", echo(200, `{"data":ECHO}`), "unknown"},
		{"errors of another form", echo(200, `{"errors":ECHO,"data":{}}`), "unknown"},
		{"missing alias", answer(200, `{"data":{}}`), "unknown"},
		{"null alias", echo(200, `{"errors":[{"message":ECHO,"path":["m0"]}],"data":{"m0":null}}`), "unknown"},
		{"null field", answer(200, `{"data":{"m0":{"addInterest":null}}}`), "unknown"},
		{"alias of another form", echo(200, `{"data":{"m0":ECHO}}`), "unknown"},
		{"payload of another form", echo(200, `{"data":{"m0":{"addInterest":ECHO}}}`), "unknown"},
		{"payload errors of another form", echo(200, `{"data":{"m0":{"addInterest":{"errors":ECHO,"interests":[{"id":"1"}]}}}}`), "unknown"},
		{
			"payload errors that could not be read",
			answer(200, `{"errors":[{"message":"m","path":["m0","addInterest","errors"]}],"data":{"m0":{"addInterest":{"errors":null,"interests":[{"id":"1"}]}}}}`),
			"unknown",
		},
		{"neither errors nor interest", answer(200, `{"data":{"m0":{"addInterest":{"errors":[],"interests":null}}}}`), "unknown"},
		{"no interest", answer(200, `{"data":{"m0":{"addInterest":{"errors":[],"interests":[]}}}}`), "unknown"},
		{"interest without id", answer(200, `{"data":{"m0":{"addInterest":{"errors":[],"interests":[{"totalAmount":"1"}]}}}}`), "unknown"},
		{"amount of another form", echo(200, `{"data":{"m0":{"addInterest":{"errors":[],"interests":[{"id":"1","totalAmount":ECHO}]}}}}`), "unknown"},
		{"huge amount", answer(200, `{"data":{"m0":{"addInterest":{"errors":[],"interests":[{"id":"1","totalAmount":"1e1000"}]}}}}`), "unknown"},
		{"monstrous amount", answer(200, `{"data":{"m0":{"addInterest":{"errors":[],"interests":[{"id":"1","totalAmount":1e999999999}]}}}}`), "unknown"},
	} {
		t.Run(test.name, func(t *testing.T) {
			var times atomic.Int32
			server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				times.Add(1)
				if r.Method != http.MethodPost || r.Header.Get("Authorization") != "Bearer "+secretToken ||
					r.Header.Get("Content-Type") != "application/json" {
					t.Errorf("sent %s with %v", r.Method, r.Header)
				}
				test.handler(w, r)
			}))
			defer server.Close()
			err := addInterest(t.Context(), client(t, server.URL, nil))
			if got := outcomeOf(t, err); got != test.want {
				t.Errorf("got %s (%v), want %s", got, err, test.want)
			}
			if times.Load() != 1 {
				t.Errorf("sent %d times, want once", times.Load())
			}
		})
	}
}

// TestReadsAreWhole: if the response to a query contains an error, the client returns an error and
// none of the data.
func TestReadsAreWhole(t *testing.T) {
	t.Parallel()
	for body, want := range map[string]string{
		`{"data":{"hello":"world"}}`:                                       "done",
		`{"errors":[],"data":{"hello":"world"}}`:                           "done",
		`{"errors":[{"message":"m"}],"data":{"hello":"world"}}`:            "unknown",
		`{"errors":[{"message":"m","path":["x"]}],"data":{"hello":"wor"}}`: "unknown",
		`{"errors":[{"message":"m"}]}`:                                     "refused",
	} {
		server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			_, _ = io.WriteString(w, body)
		}))
		if got := outcomeOf(t, client(t, server.URL, nil).Hello(t.Context())); got != want {
			t.Errorf("%s: got %s, want %s", body, got, want)
		}
		server.Close()
	}
}

// TestRefusalNamesThePlace: the client's error text contains the name in the sent document at which
// the API reported the error. Only the member Messages of the error contains the API's message.
func TestRefusalNamesThePlace(t *testing.T) {
	t.Parallel()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		var s sent
		_ = json.NewDecoder(r.Body).Decode(&s)
		before, _, _ := strings.Cut(s.Query, "regions(")
		line := strings.Count(before, "\n") + 1
		column := strings.Index(strings.Split(s.Query, "\n")[line-1], "regions(") + 1
		_, _ = fmt.Fprintf(w, `{"errors":[{"message":"no %s","locations":[{"line":%d,"column":%d},{"line":9999,"column":1},{"line":1,"column":-3}]}]}`,
			secretName, line, column)
	}))
	defer server.Close()
	_, err := client(t, server.URL, nil).Lookup(t.Context(), LookupRequest{Steps: &PageRequest{}, Regions: &PageRequest{}})
	if outcomeOf(t, err) != "refused" {
		t.Fatal(err)
	}
	if want := `administrate: the API refused the whole GraphQL document Lookup; the API reported an error at "regions"; no part of the document was executed`; err.Error() != want {
		t.Errorf("got %s\nwant %s", err, want)
	}
	var refused *RefusedError
	if errors.As(err, &refused); len(refused.Messages) != 1 || refused.Messages[0] != "no "+secretName {
		t.Errorf("messages %q", refused.Messages)
	}
}

func TestRetryAfter(t *testing.T) {
	t.Parallel()
	now := time.Now().UTC().Truncate(time.Second)
	for _, test := range []struct {
		header, date string
		want         time.Duration
	}{
		{"", "", 0},
		{"7", "", 7 * time.Second},
		{"0", "", 0},
		{"-3", "", 0},
		{"soon", "", 0},
		{"99999999999999999999", "", 0},
		{"9999999999999", "", 24 * time.Hour},
		{now.Add(90 * time.Second).Format(http.TimeFormat), now.Format(http.TimeFormat), 90 * time.Second},
		{now.Add(time.Hour + time.Minute).Format(http.TimeFormat), now.Add(time.Hour).Format(http.TimeFormat), time.Minute},
		{now.Add(-time.Hour).Format(http.TimeFormat), now.Format(http.TimeFormat), 0},
	} {
		server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			if test.header != "" {
				w.Header().Set("Retry-After", test.header)
			}
			if test.date != "" {
				w.Header().Set("Date", test.date)
			}
			w.WriteHeader(http.StatusTooManyRequests)
		}))
		err := addInterest(t.Context(), client(t, server.URL, nil))
		var notSent *NotSentError
		if !errors.As(err, &notSent) || notSent.Reason != RateLimited || notSent.RetryAfter != test.want {
			t.Errorf("Retry-After %q: %v, want %v", test.header, err, test.want)
		}
		server.Close()
	}
}

func TestAnswerSize(t *testing.T) {
	t.Parallel()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		_, _ = io.WriteString(w, successBody)
	}))
	defer server.Close()
	exact := client(t, server.URL, func(o *Options) { o.MaxResponseBytes = int64(len(successBody)) })
	if err := addInterest(t.Context(), exact); err != nil {
		t.Errorf("an answer of the largest size: %v", err)
	}
	small := client(t, server.URL, func(o *Options) { o.MaxResponseBytes = int64(len(successBody)) - 1 })
	if got := outcomeOf(t, addInterest(t.Context(), small)); got != "unknown" {
		t.Errorf("one byte more: %s", got)
	}
}

func TestEndlessAnswer(t *testing.T) {
	t.Parallel()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		block := bytes.Repeat([]byte(" "), 64<<10)
		for {
			if _, err := w.Write(block); err != nil {
				return
			}
		}
	}))
	defer server.Close()
	if got := outcomeOf(t, addInterest(t.Context(), client(t, server.URL, nil))); got != "unknown" {
		t.Error(got)
	}
}

func TestRequestSize(t *testing.T) {
	t.Parallel()
	var times atomic.Int32
	server := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { times.Add(1) }))
	defer server.Close()
	c := client(t, server.URL, nil)
	_, err := c.CreateOpportunity(t.Context(), NewOpportunity{Name: strings.Repeat("x", MaxRequestBytes), RegionID: "r"})
	if got := outcomeOf(t, err); got != "invalid" || times.Load() != 0 {
		t.Errorf("%s, sent %d times", got, times.Load())
	}
	for _, n := range []int{0, MaxMutations + 1} {
		_, err := c.Apply(t.Context(), make([]Mutation, n))
		if got := outcomeOf(t, err); got != "invalid" {
			t.Errorf("%d mutations: %s", n, got)
		}
	}
}
