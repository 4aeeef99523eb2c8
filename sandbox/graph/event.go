package graph

import (
	"context"
	"strconv"

	"github.com/oppflow/oppflow/sandbox/assumptions"
	"github.com/oppflow/oppflow/sandbox/store"
)

func (r event) DisplayID(_ context.Context, e *store.Event) (string, error) {
	if r.Choices.Is(assumptions.EventDisplayID, "code") {
		return e.Code, nil
	}
	return strconv.FormatInt(e.ID, 10), nil
}

// StartDate returns the day on which the event begins, in the event's time zone.
func (r event) StartDate(_ context.Context, e *store.Event) (*string, error) {
	const day = len("2031-03-03")
	if e.Start == nil || len(*e.Start) < day || r.Choices.Is(assumptions.EventStartDate, "time") {
		return e.Start, nil
	}
	date := (*e.Start)[:day]
	return &date, nil
}

func (r event) BookingAccount(ctx context.Context, e *store.Event) (*store.Account, error) {
	return r.Store.BookingAccount(ctx, e)
}
