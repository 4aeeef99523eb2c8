package sandbox_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/oppflow/oppflow/sandbox"
)

func (a *api) requestFrom(t testing.TB, address string) (status int, retryAfter string) {
	t.Helper()
	r := httptest.NewRequestWithContext(t.Context(), http.MethodPost, "/graphql", strings.NewReader(`{"query": "{ hello }"}`))
	r.Header = http.Header{"Content-Type": {"application/json"}, "Authorization": {"Bearer " + a.Token()}}
	r.RemoteAddr = address
	w := httptest.NewRecorder()
	a.Handler().ServeHTTP(w, r)
	return w.Code, w.Header().Get("Retry-After")
}

// Documented (API notes 2): the limit is 6,000 requests in 5 minutes for each IP address. Further
// requests get the status 429. The documentation does not mention the header Retry-After.
func TestTheLimitIsThatOfTheAPI(t *testing.T) {
	t.Parallel()
	now := newClock()
	a := open(t, sandbox.Options{Now: now.Now})
	for i := range 6000 {
		if status, _ := a.requestFrom(t, "10.0.0.1:5000"); status != 200 {
			t.Fatalf("request %d: %d", i+1, status)
		}
	}
	// Another connection from the same address counts as the same client.
	if status, retryAfter := a.requestFrom(t, "10.0.0.1:5001"); status != 429 || retryAfter != "" {
		t.Errorf("request 6001: %d, Retry-After %q", status, retryAfter)
	}
	if status, _ := a.requestFrom(t, "10.0.0.2:5000"); status != 200 {
		t.Errorf("another address: %d", status)
	}
	// Each address has its own limit, and the token endpoint also counts by address.
	if answer := a.send(t, http.MethodPost, "/oauth/token", strings.NewReader("x"), nil); answer.status == 429 {
		t.Error("the token endpoint was refused to another address")
	}
	now.advance(5*time.Minute - time.Second)
	if status, _ := a.requestFrom(t, "10.0.0.1:5000"); status != 429 {
		t.Errorf("a second too early: %d", status)
	}
	now.advance(time.Second)
	// Documented (API notes 2): a client may send requests again when the client is below the
	// limit. Refused requests do not count.
	for i := range 6000 {
		if status, _ := a.requestFrom(t, "10.0.0.1:5000"); status != 200 {
			t.Fatalf("request %d after five minutes: %d", i+1, status)
		}
	}
}

func TestTheLimitCanBeScaled(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		rate   sandbox.Rate
		assume map[string]string
		// The test sends one request at each second in at.
		at    []int
		want  []int
		retry string
	}{
		"sliding": {
			rate: sandbox.Rate{Requests: 2, Per: 10 * time.Second},
			at:   []int{0, 6, 9, 10, 11, 16, 17}, want: []int{200, 200, 429, 200, 429, 200, 429},
		},
		"fixed": {
			rate: sandbox.Rate{Requests: 2, Per: 10 * time.Second, Fixed: true},
			at:   []int{0, 6, 9, 10, 11, 16, 17}, want: []int{200, 200, 429, 200, 200, 429, 429},
		},
		"with a word on when to come back": {
			rate: sandbox.Rate{Requests: 1, Per: 10 * time.Second, RetryAfter: true},
			at:   []int{0, 3}, want: []int{200, 429}, retry: "7",
		},
		"fixed, with a word": {
			rate: sandbox.Rate{Requests: 1, Per: 10 * time.Second, RetryAfter: true, Fixed: true},
			at:   []int{0, 4}, want: []int{200, 429}, retry: "6",
		},
		"what is refused counts": {
			rate: sandbox.Rate{Requests: 2, Per: 10 * time.Second}, assume: map[string]string{"rate.refused": "counted"},
			at: []int{0, 6, 9, 12, 15, 26}, want: []int{200, 200, 429, 429, 429, 200},
		},
		"fixed, what is refused counts": {
			rate: sandbox.Rate{Requests: 1, Per: 10 * time.Second, Fixed: true}, assume: map[string]string{"rate.refused": "counted"},
			at: []int{0, 9, 18, 27, 37}, want: []int{200, 429, 429, 429, 200},
		},
	} {
		t.Run(name, func(t *testing.T) {
			now := newClock()
			a := open(t, sandbox.Options{Now: now.Now, Rate: test.rate, Assumptions: test.assume})
			passed, retry := 0, ""
			for i, second := range test.at {
				now.advance(time.Duration(second-passed) * time.Second)
				passed = second
				var status int
				if status, retry = a.requestFrom(t, "10.0.0.1:1"); status != test.want[i] {
					t.Errorf("at second %d: %d, want %d", second, status, test.want[i])
				}
			}
			if retry != test.retry {
				t.Errorf("Retry-After %q, want %q", retry, test.retry)
			}
		})
	}
}

func TestTheLimitCanBeSwitchedOff(t *testing.T) {
	t.Parallel()
	a := open(t, sandbox.Options{Rate: sandbox.Rate{Off: true, Requests: 1}})
	for range 10 {
		if status, _ := a.requestFrom(t, "10.0.0.1:1"); status != 200 {
			t.Fatal(status)
		}
	}
}

// The count of an address returns to 0 after the address sent no requests for the time Per.
func TestIdleAddressesAreForgotten(t *testing.T) {
	t.Parallel()
	now := newClock()
	a := open(t, sandbox.Options{Now: now.Now, Rate: sandbox.Rate{Requests: 1, Per: time.Minute}})
	for range 3 {
		for _, address := range []string{"10.0.0.1:1", "10.0.0.2:1"} {
			if status, _ := a.requestFrom(t, address); status != 200 {
				t.Fatalf("%s: %d", address, status)
			}
		}
		if status, _ := a.requestFrom(t, "10.0.0.1:1"); status != 429 {
			t.Fatal(status)
		}
		now.advance(2 * time.Minute)
	}
}

// The documentation does not say whether token requests count against the limit.
func TestRequestsForTokensCountAgainstTheLimitOrNot(t *testing.T) {
	t.Parallel()
	for value, want := range map[string]string{"counted": "200 429 429", "free": "200 200 429"} {
		a := open(t, sandbox.Options{Now: newClock().Now, Rate: sandbox.Rate{Requests: 2, Per: time.Minute}, Assumptions: map[string]string{"rate.tokens": value}})
		client, err := a.Client(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		// All requests come from the same address, which is the default address of httptest.
		ask := func() int {
			t.Helper()
			form := "grant_type=client_credentials&client_id=" + client.ID + "&client_secret=" + client.Secret
			return a.send(t, http.MethodPost, "/oauth/token", strings.NewReader(form), http.Header{"Content-Type": {"application/x-www-form-urlencoded"}}).status
		}
		a.query(t, "{ hello }", nil)
		first, second := ask(), ask()
		if value == "free" {
			a.query(t, "{ hello }", nil)
		}
		if got := fmt.Sprint(first, second, a.post(t, "{ hello }", nil).status); got != want {
			t.Errorf("%s: %s, want %s", value, got, want)
		}
	}
}
