package places

import (
	"context"
	"encoding/json"
	"slices"

	"github.com/oppflow/oppflow/administrate"
	"github.com/oppflow/oppflow/opportunity"
)

// API is the part of the API that Read uses.
type API interface {
	Events(ctx context.Context, ids []string) ([]administrate.ScheduledEvent, error)
}

// Reserved is the number of places that all opportunities have reserved, by event. Reserved has no
// entry for an event whose number is not known.
type Reserved map[opportunity.ID]int

// Read reads the numbers of reserved places. Read makes one request for each hundred events.
func Read(ctx context.Context, api API, events []opportunity.ID) (Reserved, error) {
	var ids []string
	for _, event := range events {
		if event != "" && !slices.Contains(ids, string(event)) {
			ids = append(ids, string(event))
		}
	}
	all := make(Reserved, len(ids))
	for some := range slices.Chunk(ids, administrate.MaxEntries) {
		read, err := api.Events(ctx, some)
		if err != nil {
			return nil, err
		}
		for _, event := range read {
			if event.Reserved != nil {
				all[opportunity.ID(event.ID)] = *event.Reserved
			}
		}
	}
	return all, nil
}

// On returns the number of reserved places on the event, or nil when the number is not known.
func (r Reserved) On(event opportunity.ID) *int {
	n, known := r[event]
	if !known {
		return nil
	}
	return &n
}

// String returns the numbers as a text for ParseReserved, or "" when no number is known.
func (r Reserved) String() string {
	text, err := json.Marshal(map[opportunity.ID]int(r))
	if len(r) == 0 || err != nil {
		return ""
	}
	return string(text)
}

// ParseReserved returns the numbers in the text, or nil for a text that String did not return.
func ParseReserved(text string) Reserved {
	var reserved Reserved
	if json.Unmarshal([]byte(text), &reserved) != nil {
		return nil
	}
	return reserved
}

// EventsToCompare returns the events whose reserved places show whether the mutations reserved
// places, by the index of the mutation. EventsToCompare returns nil when all places of the
// opportunity belong to one mutation, because the opportunity's reservation then shows whether the
// places are reserved.
func EventsToCompare(mutations []administrate.Mutation, hasReservation bool) []opportunity.ID {
	events, count := make([]opportunity.ID, len(mutations)), 0
	for i, m := range mutations {
		if add, ok := m.(administrate.AddInterest); ok && add.Reserve {
			events[i] = opportunity.ID(add.ItemID)
			count++
		}
	}
	if count == 0 || count == 1 && !hasReservation {
		return nil
	}
	return events
}
