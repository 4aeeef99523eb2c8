package places_test

import (
	"context"
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/oppflow/oppflow/activities/tms/places"
	"github.com/oppflow/oppflow/administrate"
	"github.com/oppflow/oppflow/opportunity"
)

type fakeAPI struct {
	err   error
	asked []string
}

func (f *fakeAPI) Events(_ context.Context, ids []string) ([]administrate.ScheduledEvent, error) {
	f.asked = append(f.asked, strings.Join(ids, " "))
	ten := 10
	return []administrate.ScheduledEvent{{ID: "E1", Reserved: &ten}, {ID: "E2"}}, f.err
}

func TestRead(t *testing.T) {
	api := &fakeAPI{}
	got, err := places.Read(t.Context(), api, []opportunity.ID{"E1", "", "E2", "E1"})
	if err != nil || cmp.Diff(places.Reserved{"E1": 10}, got) != "" || got.On("E2") != nil || *got.On("E1") != 10 {
		t.Errorf("got %v, %v", got, err)
	}
	if diff := cmp.Diff([]string{"E1 E2"}, api.asked); diff != "" {
		t.Error(diff)
	}
	if _, err := places.Read(t.Context(), api, []opportunity.ID{""}); err != nil || len(api.asked) != 1 {
		t.Errorf("no event: %d requests, %v", len(api.asked), err)
	}
	api.err = errors.New("no")
	if got, err := places.Read(t.Context(), api, []opportunity.ID{"E1"}); err == nil || got != nil {
		t.Errorf("a failed read returns %v, %v", got, err)
	}
}

func TestStates(t *testing.T) {
	const held, notHeld, notKnown = opportunity.PlacesHeld, opportunity.PlacesNotHeld, opportunity.PlacesNotKnown
	for _, c := range []struct {
		name          string
		interests     []places.Interest
		before, after places.Reserved
		want          []opportunity.PlacesState
	}{
		{"the only interest", []places.Interest{{Event: "A", Quantity: 2}}, nil, nil, []opportunity.PlacesState{held}},
		{"nothing was read", []places.Interest{{Event: "A", Quantity: 2, Held: true}, {Event: "B", Quantity: 2}}, nil, nil, []opportunity.PlacesState{held, notKnown}},
		{"the second grew", []places.Interest{{Event: "A", Quantity: 2, Held: true}, {Event: "B", Quantity: 2}}, places.Reserved{"A": 2, "B": 10}, places.Reserved{"A": 2, "B": 12}, []opportunity.PlacesState{held, held}},
		{"the second did not grow", []places.Interest{{Event: "A", Quantity: 2, Held: true}, {Event: "B", Quantity: 2}}, places.Reserved{"A": 2, "B": 10}, places.Reserved{"A": 2, "B": 10}, []opportunity.PlacesState{held, notKnown}},
		{"the second has none", []places.Interest{{Event: "A", Quantity: 2, Held: true}, {Event: "B", Quantity: 2}}, places.Reserved{"A": 2, "B": 0}, places.Reserved{"A": 2, "B": 0}, []opportunity.PlacesState{held, notHeld}},
		{"places of the first are gone", []places.Interest{{Event: "A", Quantity: 2, Held: true}, {Event: "B", Quantity: 2}}, nil, places.Reserved{"A": 1, "B": 2}, []opportunity.PlacesState{notHeld, notKnown}},
		{"two on one event", []places.Interest{{Event: "A", Quantity: 2}, {Event: "A", Quantity: 3}}, places.Reserved{"A": 10}, places.Reserved{"A": 15}, []opportunity.PlacesState{held, held}},
		{"one of two on one event", []places.Interest{{Event: "A", Quantity: 2}, {Event: "A", Quantity: 3}}, places.Reserved{"A": 10}, places.Reserved{"A": 12}, []opportunity.PlacesState{notKnown, notKnown}},
		{"one more on the event of the first", []places.Interest{{Event: "A", Quantity: 2, Held: true}, {Event: "A", Quantity: 3}}, places.Reserved{"A": 10}, places.Reserved{"A": 13}, []opportunity.PlacesState{held, held}},
		{"an unknown quantity", []places.Interest{{Event: "A", Quantity: 2}, {Event: "A"}}, places.Reserved{"A": 10}, places.Reserved{"A": 12}, []opportunity.PlacesState{notKnown, notKnown}},
		{"unknown events", []places.Interest{{Quantity: 2}, {Quantity: 3}}, nil, nil, []opportunity.PlacesState{notKnown, notKnown}},
	} {
		var got []opportunity.PlacesState
		for _, one := range places.States(c.interests, len(c.interests) == 1, c.before, c.after) {
			got = append(got, one.State)
		}
		if diff := cmp.Diff(c.want, got); diff != "" {
			t.Errorf("%s: %s", c.name, diff)
		}
	}
}
