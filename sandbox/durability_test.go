package sandbox_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/shopspring/decimal"
	"pgregory.net/rapid"

	"github.com/oppflow/oppflow/sandbox"
	"github.com/oppflow/oppflow/sandbox/globalid"
	"github.com/oppflow/oppflow/settings/testrun"
)

// stores runs a test twice: with a store in memory and with a store in a file.
func stores(t *testing.T, test func(t *testing.T, data string)) {
	t.Run("memory", func(t *testing.T) { test(t, "") })
	t.Run("file", func(t *testing.T) {
		dir := t.TempDir()
		const name = "odd name?#%20.db"
		test(t, filepath.Join(dir, name))
		files, err := os.ReadDir(dir)
		if err != nil {
			t.Fatal(err)
		}
		for _, f := range files {
			if info, err := f.Info(); !strings.HasPrefix(f.Name(), name) || err != nil || f.Name() == name && info.Size() == 0 {
				t.Errorf("the data went to %s", f.Name())
			}
		}
	})
}

// 32 clients add interests to one opportunity at the same time. No client gets the error "database
// is locked". Every interest whose client got a response exists exactly once, and grandTotal has
// the correct value.
func TestConcurrentInterestsAreAllThere(t *testing.T) {
	t.Parallel()
	stores(t, func(t *testing.T, data string) {
		a := open(t, sandbox.Options{Data: data})
		opportunity := a.create(t, "busy")
		const writers = 32
		each := 8
		if testrun.Race {
			each = 2 // the race detector finds races in the first iterations, and makes each iteration many times slower
		}
		var mu sync.Mutex
		answered := map[string]bool{}
		var writing, reading sync.WaitGroup
		stop := make(chan struct{})
		for w := range writers {
			writing.Go(func() {
				for i := range each {
					payload := a.mutate(t, "addInterest", fmt.Sprintf(`opportunityId: %q, interestDetails: {id: "Q291cnNlOjE=", reserve: true, quantity: %d, unitAmount: "%d.01"}`,
						opportunity, w%3+1, i), "interests { id }")
					id := valueAt(t, mustSucceed(t, payload), "interests", 0, "id").(string)
					mu.Lock()
					if answered[id] {
						t.Errorf("two responses contain the interest %s", id)
					}
					answered[id] = true
					mu.Unlock()
				}
			})
		}
		for range 4 {
			reading.Go(func() {
				for {
					select {
					case <-stop:
						return
					default:
						a.query(t, `{ opportunities { edges { node { value { grandTotal } interests(first: 100) { edges { node { id } } } } } } }`, nil)
					}
				}
			})
		}
		reading.Go(func() { // a client that cancels its request
			for n := 0; ; n++ {
				select {
				case <-stop:
					return
				default:
				}
				ctx, cancel := context.WithTimeout(context.Background(), time.Duration(n%20)*100*time.Microsecond)
				body, _ := json.Marshal(map[string]any{"query": `{ opportunities { edges { node { interests(first: 100) { edges { node { id item { id } } } } } } } }`})
				r := httptest.NewRequestWithContext(ctx, http.MethodPost, "/graphql", bytes.NewReader(body))
				r.Header.Set("Content-Type", "application/json")
				r.Header.Set("Authorization", "Bearer "+a.Token())
				a.Handler().ServeHTTP(httptest.NewRecorder(), r)
				cancel()
			}
		})
		writing.Wait()
		close(stop)
		reading.Wait()

		found := map[string]bool{}
		places, total := 0, decimal.Zero
		for offset := 0; offset < writers*each; offset += 100 {
			data := a.query(t, fmt.Sprintf(`{ node(id: %q) { ... on Opportunity { interests(first: 100, offset: %d) { edges { node { id quantity totalAmount } } } } } }`, opportunity, offset), nil)
			for _, e := range valueAt(t, data, "node", "interests", "edges").([]any) {
				found[valueAt(t, e, "node", "id").(string)] = true
				places += int(valueAt(t, e, "node", "quantity").(float64))
				total = total.Add(decimal.RequireFromString(valueAt(t, e, "node", "totalAmount").(string)))
			}
		}
		if diff := cmp.Diff(answered, found); diff != "" || len(found) != writers*each {
			t.Errorf("%d interests, want %d (-answered +found):\n%s", len(found), writers*each, diff)
		}
		wantTotal, wantPlaces := decimal.Zero, 0
		for w := range writers {
			for i := range each {
				wantTotal = wantTotal.Add(decimal.New(int64(i*100+1), -2).Mul(decimal.NewFromInt(int64(w%3 + 1))))
				wantPlaces += w%3 + 1
			}
		}
		sums := a.query(t, `{ node(id: "`+opportunity+`") { ... on Opportunity { value { grandTotal } } } event: node(id: "Q291cnNlOjE=") { ... on Event { reserved } } }`, nil)
		if got := valueAt(t, sums, "node", "value", "grandTotal"); got != wantTotal.StringFixed(2) || !total.Equal(wantTotal) {
			t.Errorf("grandTotal is %v, the interests sum up to %s, want %s", got, total, wantTotal.StringFixed(2))
		}
		if got := valueAt(t, sums, "event", "reserved"); got != float64(wantPlaces) || places != wantPlaces {
			t.Errorf("reserved is %v, the interests have %d places, want %d", got, places, wantPlaces)
		}
	})
}

// Two sandboxes that use one data file, like two processes, wait for each other's transactions.
func TestTwoSandboxesShareAFile(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "data.db")
	boxes := []*api{open(t, sandbox.Options{Data: path}), open(t, sandbox.Options{Data: path})}
	const writers, each = 4, 25
	var all sync.WaitGroup
	for w := range writers {
		all.Go(func() {
			for range each {
				boxes[w%len(boxes)].addCourse(t, "T3Bwb3J0dW5pdHk6MQ==", 1, "0.01")
			}
		})
	}
	all.Wait()
	for _, a := range boxes {
		wantJSON(t, a.query(t, `{ node(id: "T3Bwb3J0dW5pdHk6MQ==") { ... on Opportunity { value { grandTotal } interests(first: 0) { pageInfo { totalRecords } } } } }`, nil),
			`{"node": {"value": {"grandTotal": "1.00"}, "interests": {"pageInfo": {"totalRecords": 100}}}}`)
	}
}

func TestConcurrentProgressHappensOnce(t *testing.T) {
	t.Parallel()
	stores(t, func(t *testing.T, data string) {
		a := open(t, sandbox.Options{Data: data})
		id := a.create(t, "race")
		var mu sync.Mutex
		done := 0
		var all sync.WaitGroup
		for range 16 {
			all.Go(func() {
				payload := a.mutate(t, "progress", `opportunityId: "`+id+`", stepId: "T3Bwb3J0dW5pdHlTdGVwOjQ="`, "opportunity { id }")
				if len(valueAt(t, payload, "errors").([]any)) == 0 {
					mu.Lock()
					done++
					mu.Unlock()
				}
			})
		}
		all.Wait()
		if done != 1 {
			t.Errorf("%d of 16 made the same transition", done)
		}
	})
}

func TestGrandTotalIsTheSumOfTheInterests(t *testing.T) {
	t.Parallel()
	a := open(t, sandbox.Options{})
	items := []string{"Q291cnNlVGVtcGxhdGU6MTE=", "Q291cnNlOjE=", "TGVhcm5pbmdQYXRoOjE=", globalid.Encode(globalid.TrainingTokenType, "8848a3b38adf45db8ff60fafcbd3b3f6")}
	property(t, 100, func(r *rapid.T) {
		id := a.create(t, "sum")
		sum := decimal.Zero
		for range rapid.IntRange(0, 12).Draw(r, "interests") {
			quantity := rapid.IntRange(1, 100_000).Draw(r, "quantity")
			cents := rapid.OneOf(rapid.Int64Range(0, 1_000_000_000_000), rapid.Int64Range(0, 300)).Draw(r, "cents")
			unit := decimal.New(cents, -2)
			line := unit.Mul(decimal.NewFromInt(int64(quantity)))
			amount := rapid.SampledFrom([]string{`"` + unit.StringFixed(2) + `"`, unit.String(), `"` + unit.String() + `"`}).Draw(r, "as")
			payload := a.mutate(t, "addInterest", fmt.Sprintf("opportunityId: %q, interestDetails: {id: %q, quantity: %d, unitAmount: %s}", id, rapid.SampledFrom(items).Draw(r, "item"), quantity, amount), "interests { totalAmount }")
			if sum.Add(line).GreaterThan(decimal.New(1, 16)) {
				if len(valueAt(t, payload, "errors").([]any)) != 1 {
					r.Fatalf("accepted beyond the limit: %v", payload)
				}
				continue
			}
			sum = sum.Add(line)
			if got := valueAt(t, mustSucceed(t, payload), "interests", 0, "totalAmount"); got != line.StringFixed(2) {
				r.Fatalf("%d times %s is %v, want %s", quantity, unit, got, line.StringFixed(2))
			}
		}
		data := a.query(t, `query($id: ID!) { node(id: $id) { ... on Opportunity { value { grandTotal } } } }`, vars{"id": id})
		if got := valueAt(t, data, "node", "value", "grandTotal"); got != sum.StringFixed(2) {
			r.Fatalf("grandTotal is %v, want %s", got, sum.StringFixed(2))
		}
	})
}

func TestRestartKeepsAll(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "data.db")
	start := func() *api {
		a, err := tryOpen(t, sandbox.Options{Data: path})
		if err != nil {
			t.Fatal(err)
		}
		return a
	}
	a := start()
	kept := a.Token()
	id := a.create(t, "kept")
	a.addCourse(t, id, 3, "2.50")
	a.reserve(t, id, 2)
	a.extend(t, id, time.Date(2035, 1, 1, 0, 0, 0, 0, time.UTC))
	mustSucceed(t, a.mutate(t, "progress", `opportunityId: "`+id+`", stepId: "T3Bwb3J0dW5pdHlTdGVwOjQ="`, "opportunity { id }"))
	mustSucceed(t, a.mutate(t, "update", `id: "T3Bwb3J0dW5pdHk6MQ==", name: "renamed", attributes: {definitionKey: "k", value: "v"}`, "opportunity { id }"))
	before := a.query(t, everything, nil)
	if err := a.Close(); err != nil {
		t.Fatal(err)
	}

	if len(kept) < 32 {
		t.Errorf("the token %q can be guessed", kept)
	}
	if info, err := os.Stat(path); err != nil || info.Mode().Perm()&0o077 != 0 {
		t.Errorf("others can read the data file: %v, %v", info.Mode(), err)
	}
	for range 2 {
		a = start()
		if a.Token() != kept {
			t.Errorf("the token is %q after a restart, but was %q before the restart", a.Token(), kept)
		}
		if diff := cmp.Diff(before, a.query(t, everything, nil)); diff != "" {
			t.Errorf("the restart changed (-before +after):\n%s", diff)
		}
		if err := a.Close(); err != nil {
			t.Fatal(err)
		}
	}
	a = start()
	defer func() { _ = a.Close() }()
	if next := a.create(t, "next"); next != "T3Bwb3J0dW5pdHk6Mw==" {
		t.Errorf("the next opportunity is %s, want Opportunity:3", next)
	}
}

// A change is in the data file before the client gets the response.
func TestAnswersAreDurableWithoutClose(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	path := filepath.Join(dir, "data.db")
	a := open(t, sandbox.Options{Data: path})
	a.create(t, "answered")
	// The copy of the files at this point equals the files that a killed process would leave.
	left := filepath.Join(t.TempDir(), "data.db")
	for _, suffix := range []string{"", "-wal"} {
		content, err := os.ReadFile(path + suffix)
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(left+suffix, content, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	b := open(t, sandbox.Options{Data: left})
	if got := opportunityNames(t, b.query(t, `{ opportunities { edges { node { name } } } }`, nil)); len(got) != 2 || got[1] != "answered" {
		t.Errorf("found %q", got)
	}
}

func TestInMemorySandboxesAreIndependent(t *testing.T) {
	t.Parallel()
	a, b := open(t, sandbox.Options{}), open(t, sandbox.Options{})
	a.create(t, "only in a")
	if got := opportunityNames(t, b.query(t, `{ opportunities { edges { node { name } } } }`, nil)); len(got) != 1 {
		t.Errorf("the second sandbox has %q", got)
	}
}

func TestCatalogueOfAFile(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "data.db")
	read := func(o sandbox.Options) string {
		o.Data, o.Token = path, token
		a, err := tryOpen(t, o)
		if err != nil {
			t.Fatal(err)
		}
		defer func() { _ = a.Close() }()
		return fmt.Sprint(valueAt(t, a.query(t, `{ accounts { edges { node { name } } } }`, nil), "accounts", "edges"))
	}
	mine := writeCatalogue(t, `accounts: [{id: 1, name: Mine}, {id: 2, name: Yours}, {id: 3, name: Theirs}]`)
	if got := read(sandbox.Options{Catalogue: mine}); !strings.Contains(got, "Mine") {
		t.Errorf("accounts are %s", got)
	}
	if got := read(sandbox.Options{}); !strings.Contains(got, "Mine") {
		t.Errorf("a start without a catalogue changed the accounts to %s", got)
	}
	if got := read(sandbox.Options{Catalogue: writeCatalogue(t, `accounts: [{id: 1, name: Changed}, {id: 2, name: Yours}, {id: 3, name: Theirs}, {id: 4, name: Added}]`)}); !strings.Contains(got, "Changed") || !strings.Contains(got, "Added") || strings.Contains(got, "Mine") {
		t.Errorf("accounts are %s", got)
	}
}

func TestOpenErrors(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	garbage := filepath.Join(dir, "garbage.db")
	if err := os.WriteFile(garbage, []byte(strings.Repeat("this is no database. ", 100)), 0o600); err != nil {
		t.Fatal(err)
	}
	bad := filepath.Join(dir, "bad.yaml")
	if err := os.WriteFile(bad, []byte("regions:\n  - { id: UK, nmae: UK }\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		o    sandbox.Options
		says string
	}{
		"no such directory": {sandbox.Options{Data: filepath.Join(dir, "missing", "data.db")}, "missing"},
		"a directory":       {sandbox.Options{Data: dir}, dir},
		"no database":       {sandbox.Options{Data: garbage}, "garbage.db"},
		"no catalogue":      {sandbox.Options{Catalogue: filepath.Join(dir, "none.yaml")}, "none.yaml"},
		"a bad catalogue":   {sandbox.Options{Catalogue: bad, Data: filepath.Join(dir, "unborn.db")}, "bad.yaml:2:15"},
	} {
		if _, err := tryOpen(t, c.o); err == nil || !strings.Contains(err.Error(), c.says) || strings.Contains(err.Error(), "\n") {
			t.Errorf("%s: %v, want one line with %q", name, err, c.says)
		}
	}
	if _, err := os.Stat(filepath.Join(dir, "unborn.db")); err == nil {
		t.Error("a bad catalogue left a data file")
	}
}
