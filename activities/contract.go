package activities

import (
	"time"

	"github.com/oppflow/oppflow/exchange"
	"github.com/oppflow/oppflow/opportunity"
)

// TaskQueue is the task queue of the API activities, separate from the workflows' so that
// it can have a rate limit.
const TaskQueue = "administrate-api"

// The registered names of the activities.
const (
	CreateOpportunity = "CreateOpportunity"
	ApplyCommands     = "ApplyCommands"
	ReadOpportunity   = "ReadOpportunity"
	FindOpportunity   = "FindOpportunity"
	ResolveNames      = "ResolveNames"
	TagOpportunity    = "MarkOpportunity"
	ProbeAPI          = "ProbeAPI"
	PlanOpportunity   = "PlanOpportunity"
	InspectEffect     = "InspectEffect"
	ExecuteEffect     = "CarryOutEffect"
)

// Reason says why a request was not sent, or why it is unknown whether the request was
// sent.
type Reason string

// The reasons for not sending.
const (
	// ReasonUnresolvedNames: the request holds a name that the worker does not know; resolve the name
	// first.
	ReasonUnresolvedNames Reason = "names"
	// ReasonEarlierRun: the namespace knows another run of the same reference, so the record may
	// exist. Look for the mark of the reference first.
	ReasonEarlierRun Reason = "seen"
	// ReasonReset: the server knows the run by another id than the workflow does, so the run
	// was reset. The requests of the run before are read back first.
	ReasonReset Reason = "reset"
	// ReasonServerErrors: the API returns errors of its own. The workflow sets this reason, for a
	// request whose fate was read back.
	ReasonServerErrors Reason = "errors"
	// ReasonNamespaceBusy: the namespace gets too many questions to say now whether the
	// reference had another run.
	ReasonNamespaceBusy Reason = "namespace"
	// ReasonUnreachable: no connection to the API.
	ReasonUnreachable Reason = "unreachable"
	// ReasonAuthentication: the API does not accept the token.
	ReasonAuthentication Reason = "authentication"
	// ReasonWrongTenant: the namespace belongs to another tenant than the worker's credentials.
	ReasonWrongTenant Reason = "tenant"
	// ReasonRateLimit: the request is over the API's rate limit, or waited too long for a turn.
	ReasonRateLimit Reason = "rate"
	// ReasonSendDeadlinePassed: the time to send had passed.
	ReasonSendDeadlinePassed Reason = "late"
	// ReasonUnknownEffectKind: the worker does not know the requested effect; a worker of a later
	// version does.
	ReasonUnknownEffectKind Reason = "version"
	// ReasonPlaybookUnavailable: the worker does not know which playbook is in force, or cannot load
	// the playbook, or has a playbook of a lower version than the opportunity has seen.
	ReasonPlaybookUnavailable Reason = "playbook"
	// ReasonTransitionUnplanned: the playbook in force has effects of moves, and the effects of a move
	// in the request were not planned. Plan the move first.
	ReasonTransitionUnplanned Reason = "unplanned"
	// ReasonAttemptNotEnded: the activity was not ended by the attempt that may have sent the request. That
	// attempt may still send the request.
	ReasonAttemptNotEnded Reason = "attempt"
	// ReasonNoWorker: no worker took the activity in time. The workflow sets this reason,
	// because the server says so.
	ReasonNoWorker Reason = "queue"
)

// CallResult is the fate of a request as a whole.
type CallResult struct {
	// Subject is the subject of the request: the reference of a create, the record of other
	// changes, the key of an effect.
	Subject string `json:"about,omitempty"`
	// Status is done when the API answered the request (the answers say more), rejected when
	// the API refused the request as a whole, not sent, or unknown.
	Status exchange.ChangeStatus `json:"fate"`
	// Reason is set when Fate is not sent.
	Reason Reason `json:"reason,omitempty"`
	// MissingNames are the names to resolve, for ReasonUnresolvedNames.
	MissingNames []exchange.UnresolvedName `json:"missing,omitempty"`
	// RunID is the id of the run that made the request, for ReasonReset.
	RunID string `json:"run,omitempty"`
	// ServerError says that the API answered with an error of its own. Failing goes with an
	// unknown Fate or with unknown answers.
	ServerError bool `json:"failing,omitempty"`
	// RetryAfter is how long the API asks for no requests, 0 when the API does not say.
	RetryAfter time.Duration `json:"retryAfter,omitempty"`
	// Error says why, unless Fate is done, and holds nothing that a person typed.
	Error *opportunity.Error `json:"error,omitempty"`
	// PlaybookFeatures are the rules of the worker's playbook; nil where the worker has none.
	PlaybookFeatures *PlaybookFeatures `json:"rules,omitempty"`
}

// CreateInput is the input of CreateOpportunity.
type CreateInput struct {
	Reference     opportunity.Reference   `json:"reference"`
	Start         opportunity.Start       `json:"start"`
	ResolvedNames []exchange.ResolvedName `json:"resolved,omitempty"`
	// StartDigest is the digest of the start as it was given. Start need not hold that start
	// in full. "" is not compared with earlier starts.
	StartDigest string `json:"startDigest,omitempty"`
	// SkipEarlierRunCheck says that a search for the mark of the reference found no record. Earlier runs
	// of the reference then need no look.
	SkipEarlierRunCheck bool `json:"looked,omitempty"`
	// NoEarlierRun says that the namespace proves that the reference had no run before. Without that
	// proof the worker looks for the record, because the index of runs may not show an
	// earlier run yet.
	NoEarlierRun bool `json:"first,omitempty"`
	// RunID is the run id from the workflow's history; "" is not compared.
	RunID string `json:"run,omitempty"`
}

// CreateResult is the result of CreateOpportunity.
type CreateResult struct {
	CallResult
	Record exchange.Snapshot `json:"record,omitzero"`
	Region opportunity.Ref   `json:"region,omitzero"`
}

// ApplyInput holds changes of the record, for one request.
type ApplyInput struct {
	Reference     opportunity.Reference   `json:"reference"`
	Opportunity   opportunity.ID          `json:"opportunity"`
	Changes       []exchange.Change       `json:"mutations"`
	ResolvedNames []exchange.ResolvedName `json:"resolved,omitempty"`
	// TransitionUnplanned says that the effects of a move in the request were not planned, because the
	// playbook that the workflow knows has none.
	TransitionUnplanned bool `json:"unplanned,omitempty"`
	// RunID is the run id from the workflow's history; "" is not compared.
	RunID string `json:"run,omitempty"`
}

// ApplyResult holds one answer for each change when Fate is done.
type ApplyResult struct {
	CallResult
	Results []exchange.ChangeResult `json:"answers,omitempty"`
}

// ReadInput asks for the record.
type ReadInput struct {
	Reference   opportunity.Reference `json:"reference"`
	Opportunity opportunity.ID        `json:"opportunity"`
	// After continues with the interests of a record that has more interests than one
	// request can read. The rest of the record is then left out.
	After string `json:"after,omitempty"`
	// ForAdoption says that the read is for an adoption. The record then holds the time of its last
	// change, where the worker counts follow-ups from that time.
	ForAdoption bool `json:"adopts,omitempty"`
	// WorkflowID and Run are the run of the opportunity that takes over the record. With ""
	// earlier runs are not asked about.
	WorkflowID string `json:"workflow,omitempty"`
	RunID      string `json:"run,omitempty"`
}

// TagOwner says whose mark a record carries.
type TagOwner string

// The owners of a record.
const (
	// TagOwnerThis: the record carries the reference's mark.
	TagOwnerThis TagOwner = "us"
	// TagOwnerOther: the record carries the mark of another reference.
	TagOwnerOther TagOwner = "other"
	// TagOwnerNone: the record carries no mark.
	TagOwnerNone TagOwner = "nobody"
	// TagOwnerUnknown: under the worker's mark setting the worker cannot know.
	TagOwnerUnknown TagOwner = "untold"
)

// ReadResult is the record, or more of its interests.
type ReadResult struct {
	Record exchange.Snapshot `json:"record"`
	// TagOwner and Run, the id of the run that asked, are set on the first page.
	TagOwner TagOwner `json:"owner,omitempty"`
	// TaggedByOther says that the mark is certainly the mark of another reference. A name that
	// only looks like a mark does not count.
	TaggedByOther bool   `json:"foreign,omitempty"`
	RunID         string `json:"run,omitempty"`
	// SettleTime is how long requests of an earlier run of the opportunity may still be
	// committed to a record that carries the reference's mark already.
	SettleTime time.Duration `json:"settling,omitempty"`
	// Next is where the interests continue, "" at their end.
	Next string `json:"next,omitempty"`
	// PlaybookFeatures are the rules of the worker's playbook, on the first page; nil where the worker
	// has none.
	PlaybookFeatures *PlaybookFeatures `json:"rules,omitempty"`
}

// TagInput is the request to put the reference's mark on a record that has none.
type TagInput struct {
	Reference   opportunity.Reference `json:"reference"`
	Opportunity opportunity.ID        `json:"opportunity"`
	// Name is the name of the record, for a mark in the name.
	Name string `json:"name"`
	// WorkflowID and Run are the run of the opportunity that takes over the record. With ""
	// the start is not compared with earlier starts.
	WorkflowID string `json:"workflow,omitempty"`
	RunID      string `json:"run,omitempty"`
}

// FindInput asks for the record that carries the reference's mark.
type FindInput struct {
	Reference opportunity.Reference `json:"reference"`
	// Region is where the record was to be created, by id or name.
	Region string `json:"region"`
	// ResolvedNames are the names known so far.
	ResolvedNames []exchange.ResolvedName `json:"resolved,omitempty"`
	// After continues a search that needs more than one request.
	After string `json:"after,omitempty"`
	// StartDigest is the digest of the start. StartDigest is compared with the digests of
	// earlier runs once a record is found; "" is not compared.
	StartDigest string `json:"startDigest,omitempty"`
}

// FindResult holds the ids of the records found; more than one is a question.
type FindResult struct {
	// Reference is the reference whose mark was looked for.
	Reference opportunity.Reference `json:"reference,omitempty"`
	// TagDisabled says that no record can be found under the worker's mark setting.
	TagDisabled bool             `json:"blind,omitempty"`
	Found       []opportunity.ID `json:"found,omitempty"`
	// Conflict is set where a record was found and an earlier run had another start.
	Conflict *opportunity.Error `json:"conflict,omitempty"`
	// SettleTime is how long requests of an earlier run may still be committed to a record that
	// was found.
	SettleTime time.Duration   `json:"settling,omitempty"`
	Region     opportunity.Ref `json:"region,omitzero"`
	// Next is where the search continues, "" at its end.
	Next string `json:"next,omitempty"`
}

// ResolveInput asks what names mean.
type ResolveInput struct {
	Names []exchange.UnresolvedName `json:"names"`
}

// ResolveResult holds one entry for each name, in order.
type ResolveResult struct {
	ResolvedNames []exchange.ResolvedName `json:"resolved"`
}

// ProbeResult says that the API returned an answer.
type ProbeResult struct {
	Answered bool `json:"answered"`
}
