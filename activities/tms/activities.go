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
	"github.com/oppflow/oppflow/activities/tms/names"
	"github.com/oppflow/oppflow/activities/tms/runs"
	"github.com/oppflow/oppflow/activities/tms/service"
	"github.com/oppflow/oppflow/administrate"
	"github.com/oppflow/oppflow/opportunity"
)

// API are the operations of the TMS that the activities need.
type API interface {
	// Methods for the records of opportunities.
	Hello(ctx context.Context) error
	Opportunity(ctx context.Context, id string) (administrate.Opportunity, error)
	OpportunityWithUpdatedAt(ctx context.Context, id string) (administrate.Opportunity, error)
	OpportunityLinks(ctx context.Context, opportunityID string) (administrate.OpportunityLinks, error)
	Opportunities(ctx context.Context, s administrate.Search) (administrate.Page, error)
	Interests(ctx context.Context, opportunityID, after string) (administrate.InterestPage, error)
	CreateOpportunity(ctx context.Context, n administrate.NewOpportunity) (administrate.Opportunity, error)
	UpdateOpportunity(ctx context.Context, u administrate.UpdateOpportunity) (administrate.Opportunity, error)
	Apply(ctx context.Context, mutations []administrate.Mutation) ([]administrate.MutationResult, error)
	// Methods that look up names.
	CanLookUp(kind administrate.Kind) bool
	Lookup(ctx context.Context, w administrate.LookupRequest) (administrate.LookupResult, error)
	// Methods for events, for their places and for their learners.
	Event(ctx context.Context, id string) (administrate.ScheduledEvent, error)
	Events(ctx context.Context, ids []string) ([]administrate.ScheduledEvent, error)
	Reserve(ctx context.Context, h administrate.Reserve) (administrate.ReserveResult, error)
	ExtendReservations(ctx context.Context, e administrate.ExtendReservations) (*administrate.Opportunity, error)
	EventRegistrations(ctx context.Context, eventID, after string) (administrate.RegistrationPage, error)
	Enrolments(ctx context.Context, eventID string, contactIDs []string, after string) (administrate.LearnerPage, error)
	EnrolmentSources(ctx context.Context, eventID string, contactIDs []string, after string) (administrate.LearnerPage, error)
	RegisterContacts(ctx context.Context, r administrate.RegisterContacts) (administrate.RegisterContactsResult, error)
	CancelLearner(ctx context.Context, learnerID string) error
	ReactivateLearner(ctx context.Context, learnerID string) error
	// Methods for accounts and contacts.
	Account(ctx context.Context, id string) (administrate.Account, error)
	AccountOwner(ctx context.Context, accountID string) (*administrate.User, error)
	AccountsByName(ctx context.Context, name string) (administrate.AccountPage, error)
	CreateAccount(ctx context.Context, n administrate.NewAccount) (administrate.Account, error)
	Contact(ctx context.Context, id string) (administrate.Contact, error)
	ContactsByEmails(ctx context.Context, emails []string, after string) (administrate.ContactPage, error)
	CreateContacts(ctx context.Context, contacts []administrate.NewContact) ([]administrate.ContactResult, error)
	// Methods for invoices, training tokens, mails and log entries.
	Billing(ctx context.Context, opportunityID string) (administrate.Billing, error)
	UpdateInvoice(ctx context.Context, u administrate.UpdateInvoice) (administrate.Invoice, error)
	FinaliseInvoice(ctx context.Context, invoiceID string) (administrate.Invoice, error)
	ShowsTokenIssues() bool
	TokenIssues(ctx context.Context, opportunityID string) (administrate.TokenIssues, error)
	SendingAddresses(ctx context.Context, after string) (administrate.SendingAddressPage, error)
	SendEmail(ctx context.Context, e administrate.Email) error
	SendBulkEmail(ctx context.Context, e administrate.BulkEmail) error
	WriteLog(ctx context.Context, l administrate.LogEntry) error
}

// Options configure the activities. The members API and Temporal are required.
type Options struct {
	// API is the client that sends every API request of the process.
	API API
	// Temporal lists the earlier runs of a reference.
	Temporal     client.Client
	ReferenceTag ReferenceTag
	// ReservationLength is how long places are reserved; 0 means 14 days.
	ReservationLength time.Duration
	// FollowUpsFromLastChange says that the times of follow-ups of an adopted record count from the
	// record's last change.
	FollowUpsFromLastChange bool
	Times                   activities.Times
	// NameCacheTTL is how long the worker caches the id of a name; 0 means 10 minutes.
	NameCacheTTL time.Duration
	// PlaybookAt returns the version of the tenant's playbook that is in force at the given time of
	// the Temporal server's clock. PlaybookAt returns an error if the worker does not know or cannot
	// load the version. If PlaybookAt is nil, a playbook without rules is in force.
	PlaybookAt func(time.Time) (VersionedPlaybook, error)
	// UnknownEffectKinds are kinds of effects that the worker treats as unknown, as a worker of an
	// earlier version does.
	UnknownEffectKinds []opportunity.EffectKind
	// ServiceTransport sends the requests to services; nil means that the worker makes its own
	// transport.
	ServiceTransport http.RoundTripper
	// ReadOnly stops the worker from sending requests to services. ReadOnly does not apply to API,
	// whose client has a read-only setting of its own.
	ReadOnly bool
	// DataConverter reads the start messages of earlier runs; nil means the default converter of
	// the SDK.
	DataConverter converter.DataConverter
	// CheckPermission, if set, is called before the worker sends a change or calls a service of the
	// tenant.
	CheckPermission func(context.Context) error
	// OnRecordCreated, if set, is called for each record that was created with a reference tag.
	// OnRecordCreated must not block.
	OnRecordCreated func(opportunity.ID, opportunity.Reference)
	// Now is the clock; nil means time.Now.
	Now func() time.Time
	// Version is the worker's version, for texts that an operator reads; "" is shown as "of an
	// unknown version".
	Version string
}

// Activities are the activities of one worker.
type Activities struct {
	api                     API
	temporal                client.Client
	runs                    *runs.Reader
	referenceTag            ReferenceTag
	reservationLength       time.Duration
	followUpsFromLastChange bool
	times                   activities.Times
	nameCache               *names.Cache
	playbookAt              func(time.Time) (VersionedPlaybook, error)
	serviceClient           *service.Client
	readOnly                bool
	unknownEffectKinds      []opportunity.EffectKind
	sendingAddress          *sendingAddressCache
	startedActivities       startedActivities
	createAttempts          runs.CreateAttempts
	checkPermission         func(context.Context) error
	onRecordCreated         func(opportunity.ID, opportunity.Reference)
	now                     func() time.Time
	version                 string
	earlierRunTimeout       time.Duration
}

// New makes the activities.
func New(o Options) (*Activities, error) {
	if o.API == nil || o.Temporal == nil {
		return nil, errors.New("tms: Options.API and Options.Temporal are required")
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
		books = func(time.Time) (VersionedPlaybook, error) { return VersionedPlaybook{}, nil }
	}
	return &Activities{
		api: o.API, temporal: o.Temporal, runs: runs.NewReader(o.Temporal, payloads, now), referenceTag: o.ReferenceTag, now: now,
		reservationLength:       cmp.Or(o.ReservationLength, 14*24*time.Hour),
		followUpsFromLastChange: o.FollowUpsFromLastChange,
		times:                   o.Times,
		nameCache:               names.NewCache(cmp.Or(o.NameCacheTTL, 10*time.Minute), now),
		playbookAt:              books,
		serviceClient:           service.NewClient(o.ServiceTransport, now),
		readOnly:                o.ReadOnly,
		unknownEffectKinds:      o.UnknownEffectKinds,
		sendingAddress:          &sendingAddressCache{now: now},
		checkPermission:         permitted,
		version:                 cmp.Or(o.Version, "of an unknown version"),
		onRecordCreated:         made,
		earlierRunTimeout:       earlierRunTimeout,
	}, nil
}

// Register registers the activities under their names in package activities.
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
