package host_test

import (
	"context"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	enums "go.temporal.io/api/enums/v1"
	"go.temporal.io/api/serviceerror"
	"go.temporal.io/sdk/client"

	"github.com/oppflow/oppflow/lifecycle"
	"github.com/oppflow/oppflow/worker/host"
)

func connect(t *testing.T, f *frontend) client.Client {
	t.Helper()
	c, namespace, err := host.Connect(t.Context(), host.InsecureTemporal(serve(t, f), ""), nil)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.Close)
	if namespace != "default" {
		t.Fatalf("namespace %q", namespace)
	}
	return c
}

func TestSetupRegistersEverythingOnceAndWaitsUntilItCanBeUsed(t *testing.T) {
	t.Parallel() // the test waits
	f := &frontend{slow: 3}
	c := connect(t, f)
	for range 2 {
		if err := host.Setup(t.Context(), c, "default"); err != nil {
			t.Fatal(err)
		}
	}
	attributes, added, queries := f.state()
	if diff := cmp.Diff(lifecycle.SearchAttributes(), attributes); diff != "" {
		t.Errorf("registered (-want +got):\n%s", diff)
	}
	if len(added) != 1 {
		t.Errorf("registered %d times, want once: %v", len(added), added)
	}
	if len(queries) != 5 { // three queries that the service refuses, and one successful query for each call of Setup
		t.Errorf("asked %d times whether they can be used, want 5", len(queries))
	}
	for name := range lifecycle.SearchAttributes() {
		if !strings.Contains(queries[0], name) {
			t.Errorf("whether %s can be used was not asked: %s", name, queries[0])
		}
	}
}

func TestSetupAddsOnlyWhatIsMissing(t *testing.T) {
	there := lifecycle.SearchAttributes()
	delete(there, "OpportunityStep")
	delete(there, "OpportunityAttention")
	there["Someone's"] = enums.INDEXED_VALUE_TYPE_INT
	f := &frontend{attributes: there}
	c := connect(t, f)

	missing, err := host.MissingSearchAttributes(t.Context(), c, "default")
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]string{"OpportunityAttention", "OpportunityStep"}, missing); diff != "" {
		t.Errorf("missing (-want +got):\n%s", diff)
	}
	if err := host.Setup(t.Context(), c, "default"); err != nil {
		t.Fatal(err)
	}
	_, added, _ := f.state()
	if len(added) != 1 || !slices.Equal(slices.Sorted(maps.Keys(added[0])), missing) {
		t.Errorf("added %v, want %v", added, missing)
	}
}

func TestSetupSaysWhatIsWrongWithTheNamespace(t *testing.T) {
	wrong := lifecycle.SearchAttributes()
	wrong["OpportunityStep"] = enums.INDEXED_VALUE_TYPE_INT
	for name, test := range map[string]struct {
		frontend  *frontend
		namespace string
		want      []string
	}{
		"another type": {&frontend{attributes: wrong}, "default", []string{"OpportunityStep", "Int", "Keyword", `"default"`}},
		"no namespace": {&frontend{}, "nowhere", []string{`"nowhere"`, "--temporal-namespace"}},
		"not allowed":  {&frontend{listError: serviceerror.NewPermissionDenied("not yours", "")}, "default", []string{"not yours", `"default"`}},
	} {
		t.Run(name, func(t *testing.T) {
			err := host.Setup(t.Context(), connect(t, test.frontend), test.namespace)
			if err == nil {
				t.Fatal("no error")
			}
			for _, want := range test.want {
				if !strings.Contains(err.Error(), want) {
					t.Errorf("%q does not say %q", err, want)
				}
			}
			if strings.ContainsRune(err.Error(), '\n') {
				t.Errorf("not one line: %q", err)
			}
			if _, added, _ := test.frontend.state(); len(added) > 0 {
				t.Errorf("registered %v all the same", added)
			}
		})
	}
}

func TestSetupEndsWithItsContextWhileTheAttributesCannotBeUsed(t *testing.T) {
	t.Parallel() // the test waits
	f := &frontend{slow: 1 << 30}
	c := connect(t, f)
	ctx, cancel := context.WithTimeout(t.Context(), 300*time.Millisecond)
	defer cancel()
	if err := host.Setup(ctx, c, "default"); err == nil {
		t.Fatal("no error although no query may use the attributes")
	}
}
