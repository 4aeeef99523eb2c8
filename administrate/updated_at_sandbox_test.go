package administrate_test

import (
	"bytes"
	"errors"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/oppflow/oppflow/administrate"
)

type recordingTransport struct {
	transport http.RoundTripper
	sent      *[]string
}

func (l recordingTransport) RoundTrip(r *http.Request) (*http.Response, error) {
	document, err := io.ReadAll(r.Body)
	if err != nil {
		return nil, err
	}
	*l.sent = append(*l.sent, string(document))
	r = r.Clone(r.Context())
	r.Body = io.NopCloser(bytes.NewReader(document))
	return l.transport.RoundTrip(r)
}

// The client reads UpdatedAt from the field in Assumptions.OpportunityUpdated, but only in
// OpportunityWithUpdatedAt and in a Search with Full.
func TestOpportunityWithUpdatedAt(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		rows    map[string]string
		assumed administrate.SchemaName
		field   string
		shown   bool
	}{
		"as assumed": {nil, "", "updatedAt", true},
		"renamed":    {map[string]string{"opportunity.updatedAt": "lastUpdatedAt"}, "lastUpdatedAt", "lastUpdatedAt", true},
		"off":        {map[string]string{"opportunity.updatedAt": "absent"}, administrate.Off, "updatedAt", false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var sent []string
			s := newTenantOf(t, c.rows, func(o *administrate.Options) {
				o.Assumed.OpportunityUpdated = c.assumed
				o.WrapTransport = func(transport http.RoundTripper) http.RoundTripper { return recordingTransport{transport, &sent} }
			})
			ctx := t.Context()
			o := must[administrate.Opportunity](t)(s.CreateOpportunity(ctx, administrate.NewOpportunity{Name: "n", RegionID: regionDR}))
			plain := must[administrate.Opportunity](t)(s.Opportunity(ctx, o.ID))
			must[administrate.Page](t)(s.Opportunities(ctx, administrate.Search{First: 100, Attributes: true}))
			if document := strings.Join(sent, ""); plain.UpdatedAt != nil || strings.Contains(document, c.field) {
				t.Errorf("nobody asked for the time of the last change: %v in %s", plain.UpdatedAt, document)
			}
			changed := must[administrate.Opportunity](t)(s.OpportunityWithUpdatedAt(ctx, o.ID))
			if got := strings.Contains(sent[len(sent)-1], c.field); got != c.shown {
				t.Errorf("the name is sent: %t, want %t: %s", got, c.shown, sent[len(sent)-1])
			}
			if (changed.UpdatedAt != nil) != c.shown || c.shown && s.now().Sub(*changed.UpdatedAt).Abs() > time.Minute {
				t.Errorf("changed at %v", changed.UpdatedAt)
			}
			page := must[administrate.Page](t)(s.Opportunities(ctx, administrate.Search{
				First: 100, Full: true, Filters: []administrate.Filter{{Field: administrate.ByID, Operation: administrate.In, Values: []string{o.ID}}},
			}))
			if diff := cmp.Diff([]administrate.Opportunity{changed}, page.Rows); diff != "" {
				t.Errorf("the same record on a page (-alone +page):\n%s", diff)
			}
			changed.UpdatedAt = nil
			if diff := cmp.Diff(plain, changed); diff != "" {
				t.Errorf("the other members (-plain +changed):\n%s", diff)
			}
		})
	}
	s := newTenantOf(t, map[string]string{"opportunity.updatedAt": "absent"}, nil)
	o := must[administrate.Opportunity](t)(s.CreateOpportunity(t.Context(), administrate.NewOpportunity{Name: "n", RegionID: regionDR}))
	var refused *administrate.RefusedError
	if _, err := s.OpportunityWithUpdatedAt(t.Context(), o.ID); !errors.As(err, &refused) {
		t.Errorf("a name that the tenant does not have: %v", err)
	}
	var invalid *administrate.InvalidError
	if _, err := s.Opportunities(t.Context(), administrate.Search{Full: true, Bare: true}); !errors.As(err, &invalid) {
		t.Errorf("whole and bare: %v", err)
	}
}
