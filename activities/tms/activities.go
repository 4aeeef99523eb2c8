package tms

import (
	"cmp"
	"errors"
	"time"

	"go.temporal.io/sdk/activity"
	"go.temporal.io/sdk/client"
	"go.temporal.io/sdk/worker"

	"github.com/oppflow/oppflow/activities"
	"github.com/oppflow/oppflow/administrate"
)

// Options configure the activities. API and Temporal are needed.
type Options struct {
	// API is the client every request of the process goes through.
	API *administrate.Client
	// Temporal is asked whether a reference had earlier runs.
	Temporal client.Client
	// Mark says how a record carries the caller's reference.
	Mark Mark
	// ReservationLength is for how long places are held; 0 is 14 days.
	ReservationLength time.Duration
	// NamesFor is how long what a name means is remembered; 0 is 10 minutes.
	NamesFor time.Duration
	// Now is the clock; nil is time.Now.
	Now func() time.Time
}

// Activities are the activities of one worker.
type Activities struct {
	api               *administrate.Client
	temporal          client.Client
	mark              Mark
	reservationLength time.Duration
	names             *names
	now               func() time.Time
}

// New makes the activities.
func New(o Options) (*Activities, error) {
	if o.API == nil || o.Temporal == nil {
		return nil, errors.New("tms: API and Temporal are needed")
	}
	now := o.Now
	if now == nil {
		now = time.Now
	}
	return &Activities{
		api: o.API, temporal: o.Temporal, mark: o.Mark, now: now,
		reservationLength: cmp.Or(o.ReservationLength, 14*24*time.Hour),
		names:             newNames(cmp.Or(o.NamesFor, 10*time.Minute), now),
	}, nil
}

// Register registers the activities under their names of the contract.
func (a *Activities) Register(registry worker.ActivityRegistry) {
	for name, function := range map[string]any{
		activities.CreateOpportunity: a.CreateOpportunity,
		activities.ApplyCommands:     a.ApplyCommands,
		activities.ReadOpportunity:   a.ReadOpportunity,
		activities.FindOpportunity:   a.FindOpportunity,
		activities.ResolveNames:      a.ResolveNames,
		activities.MarkOpportunity:   a.MarkOpportunity,
		activities.ProbeAPI:          a.ProbeAPI,
	} {
		registry.RegisterActivityWithOptions(function, activity.RegisterOptions{Name: name})
	}
}
