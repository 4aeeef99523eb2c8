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
	// ReferenceTag says how a record carries the caller's reference.
	ReferenceTag ReferenceTag
	// ReservationLength is how long places are held; 0 is 14 days.
	ReservationLength time.Duration
	// FollowUpsFromLastChange says that the follow-ups of an adopted record count from the record's
	// own time of last change; else they count from the adoption.
	FollowUpsFromLastChange bool
	// Times bound how long a request may be under way.
	Times activities.Times
	// NameCacheTTL is how long the worker remembers the meaning of a name; 0 is 10 minutes.
	NameCacheTTL time.Duration
	// PlaybookAt returns the version of the tenant's playbook that is in force at a time of the
	// Temporal server's clock. Its error says why the worker does not know the version, or
	// cannot load it. With nil, Playbook and ServiceKeys are in force.
	PlaybookAt func(time.Time) (VersionedPlaybook, error)
	// UnknownEffectKinds are kinds of effects that the worker does not know, like one of an earlier
	// version; none knows all.
	UnknownEffectKinds []opportunity.EffectKind
	// Playbook is a playbook without a version; nil is a playbook without rules.
	Playbook *playbook.Playbook
	// ServiceKeys are the keys that sign requests to the services of Playbook, by the names
	// of their secrets.
	ServiceKeys map[string]ServiceKey
	// ServiceTransport carries the requests to services; nil is a transport of the worker's own.
	ServiceTransport http.RoundTripper
	// ReadOnly keeps the worker from sending requests to services. The client of the API has
	// its own switch.
	ReadOnly bool
	// DataConverter reads the starts of earlier runs; nil is the converter of the SDK.
	DataConverter converter.DataConverter
	// CheckPermission, when given, is asked before the worker calls a service of the tenant. The
	// client of the API asks Permitted by itself. An error of Permitted keeps the worker
	// from sending the request.
	CheckPermission func(context.Context) error
	// OnRecordCreated, when given, is called for each record that was made and carries its reference's
	// mark; Made must not block.
	OnRecordCreated func(opportunity.ID, opportunity.Reference)
	// Now is the clock; nil is time.Now.
	Now func() time.Time
	// Version is the worker's version, for an operator; "" is "of an unknown version".
	Version string
}

// Activities are the activities of one worker.
type Activities struct {
	api                     *administrate.Client
	temporal                client.Client
	runLister               *runLister
	referenceTag            ReferenceTag
	reservationLength       time.Duration
	followUpsFromLastChange bool // adopted records count from their last change
	times                   activities.Times
	nameCache               *nameCache
	playbookAt              func(time.Time) (VersionedPlaybook, error)
	serviceClient           *serviceClient
	readOnly                bool
	unknownEffectKinds      []opportunity.EffectKind
	sendingAddress          *sendingAddressCache
	startedActivities       startedActivities
	createAttempts          createAttempts
	dataConverter           converter.DataConverter
	checkPermission         func(context.Context) error
	onRecordCreated         func(opportunity.ID, opportunity.Reference)
	now                     func() time.Time
	version                 string
	earlierRunTimeout       time.Duration // how long the worker asks the namespace for other runs
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
	payloads := o.DataConverter
	if payloads == nil {
		payloads = converter.GetDefaultDataConverter()
	}
	permitted := o.CheckPermission
	if permitted == nil {
		permitted = func(context.Context) error { return nil }
	}
	made := o.OnRecordCreated
	if made == nil || o.ReferenceTag.isDisabled() {
		made = func(opportunity.ID, opportunity.Reference) {}
	}
	books := o.PlaybookAt
	if books == nil {
		fixed := VersionedPlaybook{Playbook: o.Playbook, ServiceKeys: o.ServiceKeys}
		books = func(time.Time) (VersionedPlaybook, error) { return fixed, nil }
	}
	return &Activities{
		api: o.API, temporal: o.Temporal, runLister: newRunLister(o.Temporal, now), referenceTag: o.ReferenceTag, now: now,
		reservationLength:       cmp.Or(o.ReservationLength, 14*24*time.Hour),
		followUpsFromLastChange: o.FollowUpsFromLastChange,
		times:                   o.Times,
		nameCache:               newNameCache(cmp.Or(o.NameCacheTTL, 10*time.Minute), now),
		playbookAt:              books,
		serviceClient:           newServiceClient(o.ServiceTransport, now),
		readOnly:                o.ReadOnly,
		unknownEffectKinds:      o.UnknownEffectKinds,
		sendingAddress:          &sendingAddressCache{now: now},
		dataConverter:           payloads,
		checkPermission:         permitted,
		version:                 cmp.Or(o.Version, "of an unknown version"),
		onRecordCreated:         made,
		earlierRunTimeout:       earlierRunTimeout,
	}, nil
}

// Register registers the activities under their names of the contract.
func (a *Activities) Register(registry worker.ActivityRegistry) {
	for name, function := range map[string]any{
		activities.CreateOpportunity: sendOnce(a, a.CreateOpportunity),
		activities.ApplyCommands:     sendOnce(a, a.ApplyCommands),
		activities.ReadOpportunity:   a.ReadOpportunity,
		activities.FindOpportunity:   a.FindOpportunity,
		activities.ResolveNames:      a.ResolveNames,
		activities.TagOpportunity:    sendOnce(a, a.TagOpportunity),
		activities.ProbeAPI:          a.ProbeAPI,
		activities.PlanOpportunity:   a.PlanOpportunity,
		activities.InspectEffect:     a.InspectEffect,
		activities.ExecuteEffect:     sendOnce(a, a.ExecuteEffect),
	} {
		registry.RegisterActivityWithOptions(function, activity.RegisterOptions{Name: name})
	}
}
