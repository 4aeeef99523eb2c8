package tms

import (
	"cmp"
	"context"
	"errors"
	"net/http"
	"time"

	"go.temporal.io/sdk/activity"
	"go.temporal.io/sdk/client"
	"go.temporal.io/sdk/converter"
	"go.temporal.io/sdk/worker"

	"github.com/oppflow/oppflow/activities"
	"github.com/oppflow/oppflow/administrate"
	"github.com/oppflow/oppflow/opportunity"
	"github.com/oppflow/oppflow/playbook"
)

// Options configure the activities. API and Temporal are needed.
type Options struct {
	// API is the client that every request of the process goes through.
	API *administrate.Client
	// Temporal is asked whether a reference had earlier runs.
	Temporal client.Client
	// Mark says how a record carries the caller's reference.
	Mark Mark
	// ReservationLength is how long places are held; 0 is 14 days.
	ReservationLength time.Duration
	// AdoptedSinceRecord says that the follow-ups of an adopted record count from the record's
	// own time of last change; else they count from the adoption.
	AdoptedSinceRecord bool
	// Times bound how long a request may be under way.
	Times activities.Times
	// NamesFor is how long the worker remembers the meaning of a name; 0 is 10 minutes.
	NamesFor time.Duration
	// Book returns the version of the tenant's playbook that is in force at a time of the
	// Temporal server's clock. Its error says why the worker does not know the version, or
	// cannot load it. With nil, Playbook and ServiceKeys are in force.
	Book func(time.Time) (Book, error)
	// Without are kinds of effects that the worker does not know, like one of an earlier
	// version; none knows all.
	Without []opportunity.EffectKind
	// Playbook is a playbook without a version; nil is a playbook without rules.
	Playbook *playbook.Playbook
	// ServiceKeys are the keys that sign requests to the services of Playbook, by the names
	// of their secrets.
	ServiceKeys map[string]ServiceKey
	// Services carries the requests to services; nil is a transport of the worker's own.
	Services http.RoundTripper
	// ReadOnly keeps the worker from sending requests to services. The client of the API has
	// its own switch.
	ReadOnly bool
	// Payloads reads the starts of earlier runs; nil is the converter of the SDK.
	Payloads converter.DataConverter
	// Permitted, when given, is asked before the worker calls a service of the tenant. The
	// client of the API asks Permitted by itself. An error of Permitted keeps the worker
	// from sending the request.
	Permitted func(context.Context) error
	// Made, when given, is called for each record that was made and carries its reference's
	// mark; Made must not block.
	Made func(opportunity.ID, opportunity.Reference)
	// Now is the clock; nil is time.Now.
	Now func() time.Time
	// Version is the worker's version, for an operator; "" is "of an unknown version".
	Version string
}

// Activities are the activities of one worker.
type Activities struct {
	api               *administrate.Client
	temporal          client.Client
	questions         *questions
	mark              Mark
	reservationLength time.Duration
	sinceRecord       bool // adopted records count from their last change
	times             activities.Times
	names             *names
	books             func(time.Time) (Book, error)
	services          *services
	readOnly          bool
	without           []opportunity.EffectKind
	sender            *sender
	begun             begun
	sent              references
	payloads          converter.DataConverter
	permitted         func(context.Context) error
	made              func(opportunity.ID, opportunity.Reference)
	now               func() time.Time
	version           string
	askFor            time.Duration // how long the worker asks the namespace for other runs
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
	payloads := o.Payloads
	if payloads == nil {
		payloads = converter.GetDefaultDataConverter()
	}
	permitted := o.Permitted
	if permitted == nil {
		permitted = func(context.Context) error { return nil }
	}
	made := o.Made
	if made == nil || o.Mark.none() {
		made = func(opportunity.ID, opportunity.Reference) {}
	}
	books := o.Book
	if books == nil {
		fixed := Book{Playbook: o.Playbook, Keys: o.ServiceKeys}
		books = func(time.Time) (Book, error) { return fixed, nil }
	}
	return &Activities{
		api: o.API, temporal: o.Temporal, questions: newQuestions(o.Temporal, now), mark: o.Mark, now: now,
		reservationLength: cmp.Or(o.ReservationLength, 14*24*time.Hour),
		sinceRecord:       o.AdoptedSinceRecord,
		times:             o.Times,
		names:             newNames(cmp.Or(o.NamesFor, 10*time.Minute), now),
		books:             books,
		services:          newServices(o.Services, now),
		readOnly:          o.ReadOnly,
		without:           o.Without,
		sender:            &sender{now: now},
		payloads:          payloads,
		permitted:         permitted,
		version:           cmp.Or(o.Version, "of an unknown version"),
		made:              made,
		askFor:            askWithin,
	}, nil
}

// Register registers the activities under their names of the contract.
func (a *Activities) Register(registry worker.ActivityRegistry) {
	for name, function := range map[string]any{
		activities.CreateOpportunity: once(a, a.CreateOpportunity),
		activities.ApplyCommands:     once(a, a.ApplyCommands),
		activities.ReadOpportunity:   a.ReadOpportunity,
		activities.FindOpportunity:   a.FindOpportunity,
		activities.ResolveNames:      a.ResolveNames,
		activities.MarkOpportunity:   once(a, a.MarkOpportunity),
		activities.ProbeAPI:          a.ProbeAPI,
		activities.PlanOpportunity:   a.PlanOpportunity,
		activities.InspectEffect:     a.InspectEffect,
		activities.CarryOutEffect:    once(a, a.CarryOutEffect),
	} {
		registry.RegisterActivityWithOptions(function, activity.RegisterOptions{Name: name})
	}
}
