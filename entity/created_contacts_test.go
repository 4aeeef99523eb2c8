package entity_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/oppflow/oppflow/entity"
	"github.com/oppflow/oppflow/exchange"
	"github.com/oppflow/oppflow/opportunity"
)

const (
	createdEvent = opportunity.ID("event")
	knownContact = opportunity.ID("known")
)

func learnerOf(contact opportunity.ID) opportunity.TouchedObject {
	return opportunity.TouchedObject{Kind: opportunity.ObjectLearner, Event: createdEvent, Contact: contact, Created: true}
}

// registrationOf returns the inspection of a registration that names a known contact, and the
// attendees by their indexes.
func registrationOf(attendees ...int) entity.Inspection {
	return entity.Inspection{
		NextRequest: &exchange.EffectRequest{
			Kind: exchange.RequestRegister, Target: createdEvent, IDs: append(make([]opportunity.ID, 0, 10), knownContact), Attendees: attendees,
		},
		UndoEntry: exchange.UndoEntry{
			Notes: map[string]string{"unchecked": "event"}, Objects: append(make([]opportunity.TouchedObject, 0, 10), learnerOf(knownContact)),
		},
		Contacts: []opportunity.ID{knownContact, "", "", ""},
	}
}

// The undo entry contains the learners before the registration is sent, so that the undo also removes
// learners whose registration had a lost response.
func TestRegistrationGetsTheCreatedContacts(t *testing.T) {
	t.Parallel()
	for name, row := range map[string]struct {
		attendees []int
		created   []opportunity.ID
		want      []opportunity.ID // nil: a contact is missing
	}{
		"all are known":              {[]int{1, 3}, []opportunity.ID{"", "ada", "", "ben"}, []opportunity.ID{knownContact, "ada", "ben"}},
		"only the named attendees":   {[]int{3}, []opportunity.ID{"", "ada", "", "ben"}, []opportunity.ID{knownContact, "ben"}},
		"one person, two attendees":  {[]int{1, 2}, []opportunity.ID{"", "ada", "ada"}, []opportunity.ID{knownContact, "ada"}},
		"the contact is in the list": {[]int{1}, []opportunity.ID{"", knownContact}, []opportunity.ID{knownContact}},
		"one is missing":             {[]int{1, 3}, []opportunity.ID{"", "ada", "", ""}, nil},
		"the index is too large":     {[]int{1, 3}, []opportunity.ID{"", "ada", ""}, nil},
		"the index is negative":      {[]int{-1}, []opportunity.ID{"", "ada", ""}, nil},
		"no contact was created":     {[]int{1}, nil, nil},
	} {
		found, before := registrationOf(row.attendees...), registrationOf(row.attendees...)
		got, is := found.WithCreatedContacts(row.created)
		if diff := cmp.Diff(before, found); diff != "" {
			t.Errorf("%s: the inspection itself changed: %s", name, diff)
		}
		if extra := found.NextRequest.IDs[:2][1]; extra != "" {
			t.Errorf("%s: the list of the inspection itself got %q", name, extra)
		}
		want := before
		if row.want != nil {
			want.NextRequest.IDs, want.NextRequest.Attendees, want.UndoEntry.Objects = row.want, nil, nil
			for _, contact := range row.want {
				want.UndoEntry.Objects = append(want.UndoEntry.Objects, learnerOf(contact))
			}
		}
		if diff := cmp.Diff(want, got); is != (row.want != nil) || diff != "" {
			t.Errorf("%s: %v, %s", name, is, diff)
		}
		if is && entity.NeedsContacts(*got.NextRequest) {
			t.Errorf("%s: the request still needs contacts", name)
		}
	}
}

// An inspection that does not wait for contacts stays as it is.
func TestOtherInspectionsGetNoContacts(t *testing.T) {
	t.Parallel()
	creation := entity.Inspection{NextRequest: &exchange.EffectRequest{Kind: exchange.RequestCreateContacts, Attendees: []int{0}}}
	for name, found := range map[string]entity.Inspection{
		"no request": {}, "a registration of known contacts": registrationOf(), "the creation of contacts": creation,
	} {
		if got, is := found.WithCreatedContacts([]opportunity.ID{"ada"}); is || !cmp.Equal(found, got) {
			t.Errorf("%s: %v, %s", name, is, cmp.Diff(found, got))
		}
	}
}
