package tms_test

import (
	"context"
	"errors"
	"testing"

	"go.temporal.io/sdk/worker"

	"github.com/oppflow/oppflow/activities"
	"github.com/oppflow/oppflow/activities/tms"
	"github.com/oppflow/oppflow/activities/tms/runs"
	"github.com/oppflow/oppflow/administrate"
	"github.com/oppflow/oppflow/administrate/oauth"
	"github.com/oppflow/oppflow/administrate/transport"
	"github.com/oppflow/oppflow/exchange"
)

// A worker reads the epoch of its namespace when its first activity begins. The first activity
// sends nothing, because the run may come from a backup.
func TestNothingIsSentBeforeTheEpochIsKnown(t *testing.T) {
	r := newFixture(t, tms.ReferenceTag{})
	record := r.createRecord("A-1")
	r.requestCount()
	known := false
	permitted := func(context.Context) error {
		if !known {
			return errors.New("not known yet")
		}
		return nil
	}
	var err error
	r.options.CheckPermission = permitted
	r.options.API, err = administrate.New(administrate.Options{Options: transport.Options{URL: r.url, Tokens: oauth.StaticToken(r.token), Permitted: permitted}})
	if err != nil {
		t.Fatal(err)
	}
	r.newWorker(tms.ReferenceTag{})
	r.env.SetWorkerOptions(worker.Options{BackgroundActivityContext: runs.WithEpoch(context.Background(), func() string {
		if !known {
			known = true
			return ""
		}
		return "second"
	})})
	if got := r.apply(record, interest(course, 1)).CallResult; got.Status != exchange.StatusNotSent || got.Reason != activities.ReasonWrongTenant {
		t.Errorf("the change: %+v; want it not sent", got)
	}
	if n := r.requestCount(); n != 0 {
		t.Errorf("%d requests were sent", n)
	}
}
