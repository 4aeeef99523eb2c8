package activities

import (
	"time"

	"github.com/oppflow/oppflow/opportunity"
)

// TaskQueue is where calls of the API run, apart from the workflows, so that a
// rate limit can be set on it.
const TaskQueue = "administrate-api"

// The registered names of the activities.
const (
	CreateOpportunity = "CreateOpportunity"
	ApplyCommands     = "ApplyCommands"
	ReadOpportunity   = "ReadOpportunity"
	FindOpportunity   = "FindOpportunity"
	ResolveNames      = "ResolveNames"
	MarkOpportunity   = "MarkOpportunity"
	ProbeAPI          = "ProbeAPI"
	PlanOpportunity   = "PlanOpportunity"
	InspectEffect     = "InspectEffect"
	CarryOutEffect    = "CarryOutEffect"
)

// Reason says why a request was not sent, or why nobody knows whether it was.
type Reason string

// The reasons for not sending.
const (
	// ReasonNames: a name in it is not known to the worker; resolve it first.
	ReasonNames Reason = "names"
	// ReasonSeen: the namespace knows another run of the same reference, so the
	// record may exist; look for its mark first.
	ReasonSeen Reason = "seen"
	// ReasonReset: the run that asks is not the one that its workflow takes itself
	// for, so it was reset; what the run before put to the API is to be read back
	// first.
	ReasonReset Reason = "reset"
	// ReasonErrors: the API answers with errors of its own. It is the workflow's,
	// of a request whose fate was read back.
	ReasonErrors Reason = "errors"
	// ReasonNamespace: the namespace is asked too much to answer now whether there
	// was another run of the same reference.
	ReasonNamespace Reason = "namespace"
	// ReasonUnreachable: no connection to the API.
	ReasonUnreachable Reason = "unreachable"
	// ReasonAuthentication: the API does not take the token.
	ReasonAuthentication Reason = "authentication"
	// ReasonTenant: the namespace belongs to another tenant than the one that the
	// worker's credentials reach.
	ReasonTenant Reason = "tenant"
	// ReasonRate: over the API's rate limit, or waiting too long for a turn.
	ReasonRate Reason = "rate"
	// ReasonLate: the time to send had passed.
	ReasonLate Reason = "late"
	// ReasonVersion: the worker does not know what is to be done; one of a later
	// version does.
	ReasonVersion Reason = "version"
	// ReasonPlaybook: the worker does not know which playbook is in force, or cannot load
	// it, or has one of a lower version than the opportunity has seen.
	ReasonPlaybook Reason = "playbook"
	// ReasonUnplanned: the playbook in force has effects of moves, and those of a move in
	// the request were not planned; plan it first.
	ReasonUnplanned Reason = "unplanned"
	// ReasonAttempt: what ended the activity is not the attempt that may have sent the request; that one
	// may still send it.
	ReasonAttempt Reason = "attempt"
	// ReasonQueue: no worker took the activity in time. It is the workflow's, on the
	// server's word.
	ReasonQueue Reason = "queue"
)

// Sending is what is known of a request as a whole.
type Sending struct {
	// About is what the request was about: the reference of a create, the record of
	// other changes, the key of an effect.
	About string `json:"about,omitempty"`
	// Fate is done when the request was answered (its answers say more),
	// rejected when it was refused as a whole, not sent, or unknown.
	Fate opportunity.Fate `json:"fate"`
	// Reason is set when Fate is not sent.
	Reason Reason `json:"reason,omitempty"`
	// Missing are the names to resolve, for ReasonNames.
	Missing []opportunity.Name `json:"missing,omitempty"`
	// Run is the id of the run that asked, for ReasonReset.
	Run string `json:"run,omitempty"`
	// Failing says, of an unknown Fate or of unknown answers, that the API did
	// answer: with an error of its own.
	Failing bool `json:"failing,omitempty"`
	// RetryAfter is how long the API asks to be left alone; 0 when it does not say.
	RetryAfter time.Duration `json:"retryAfter,omitempty"`
	// Error says why, unless Fate is done. It holds nothing a person typed.
	Error *opportunity.Error `json:"error,omitempty"`
	// Rules are those of the worker's playbook; nil where it has none.
	Rules *Rules `json:"rules,omitempty"`
}

// CreateInput asks for the record to be created.
type CreateInput struct {
	Reference opportunity.Reference  `json:"reference"`
	Start     opportunity.Start      `json:"start"`
	Resolved  []opportunity.Resolved `json:"resolved,omitempty"`
	// StartDigest is that of the start as it was given, which Start need not hold in
	// full; "" is not compared with earlier starts.
	StartDigest string `json:"startDigest,omitempty"`
	// Looked says that the record was looked for by its mark and not found, so
	// that earlier runs of the reference need not be asked about.
	Looked bool `json:"looked,omitempty"`
	// First says that the namespace proves that the reference had no run before. Without
	// that proof the record is looked for: the index of runs may not show an earlier run yet.
	First bool `json:"first,omitempty"`
	// Run is the run that the workflow takes itself for; "" is not compared.
	Run string `json:"run,omitempty"`
}

// CreateResult is what became of it.
type CreateResult struct {
	Sending
	Record opportunity.Snapshot `json:"record,omitzero"`
	Region opportunity.Named    `json:"region,omitzero"`
}

// ApplyInput asks for changes of the record, in one request.
type ApplyInput struct {
	Reference   opportunity.Reference  `json:"reference"`
	Opportunity opportunity.ID         `json:"opportunity"`
	Mutations   []opportunity.Mutation `json:"mutations"`
	Resolved    []opportunity.Resolved `json:"resolved,omitempty"`
	// Unplanned says that the effects of a move in it were not planned, as the playbook
	// that the workflow knows has none.
	Unplanned bool `json:"unplanned,omitempty"`
	// Run is the run that the workflow takes itself for; "" is not compared.
	Run string `json:"run,omitempty"`
}

// ApplyResult holds one answer for each change when Fate is done.
type ApplyResult struct {
	Sending
	Answers []opportunity.Answer `json:"answers,omitempty"`
}

// ReadInput asks for the record.
type ReadInput struct {
	Reference   opportunity.Reference `json:"reference"`
	Opportunity opportunity.ID        `json:"opportunity"`
	// After goes on with the interests of a record that has more than one
	// request can bring; the rest of it is then left out.
	After string `json:"after,omitempty"`
}

// Owner says whose mark a record carries.
type Owner string

// The owners of a record.
const (
	// OwnerUs: the record carries the reference's mark.
	OwnerUs Owner = "us"
	// OwnerOther: it carries the mark of another reference.
	OwnerOther Owner = "other"
	// OwnerNobody: it carries none.
	OwnerNobody Owner = "nobody"
	// OwnerUntold: the worker's mark setting leaves no way to tell.
	OwnerUntold Owner = "untold"
)

// ReadResult is the record, or more of its interests.
type ReadResult struct {
	Record opportunity.Snapshot `json:"record"`
	// Owner is set on the first page, and so is Run: the id of the run that asked.
	Owner Owner `json:"owner,omitempty"`
	// Foreign says that the mark is certainly that of another reference: a name that
	// looks like one is none.
	Foreign bool   `json:"foreign,omitempty"`
	Run     string `json:"run,omitempty"`
	// Next is where the interests go on, "" at their end.
	Next string `json:"next,omitempty"`
	// Rules are those of the worker's playbook, on the first page; nil where it has
	// none.
	Rules *Rules `json:"rules,omitempty"`
}

// MarkInput asks for the reference's mark to be put on a record that has none.
type MarkInput struct {
	Reference   opportunity.Reference `json:"reference"`
	Opportunity opportunity.ID        `json:"opportunity"`
	// Name is what the record is called, for a mark in the name.
	Name string `json:"name"`
	// Workflow and Run are the run of the opportunity that takes the record over; "" is
	// not compared with earlier ones.
	Workflow string `json:"workflow,omitempty"`
	Run      string `json:"run,omitempty"`
}

// FindInput asks for the record that carries the reference's mark.
type FindInput struct {
	Reference opportunity.Reference `json:"reference"`
	// Region is where it was to be created, by id or name.
	Region string `json:"region"`
	// Resolved are the names known so far.
	Resolved []opportunity.Resolved `json:"resolved,omitempty"`
	// After continues a search that needs more than one request.
	After string `json:"after,omitempty"`
	// StartDigest is that of the start, which is compared with those of earlier runs once a
	// record is found; "" is not compared.
	StartDigest string `json:"startDigest,omitempty"`
}

// FindResult holds the ids of the records found; more than one is a question.
type FindResult struct {
	// Reference is the one whose mark was looked for.
	Reference opportunity.Reference `json:"reference,omitempty"`
	// Blind says that the worker's mark setting leaves no way to find a record.
	Blind bool             `json:"blind,omitempty"`
	Found []opportunity.ID `json:"found,omitempty"`
	// Conflict is set where a record was found and an earlier run had another start.
	Conflict *opportunity.Error `json:"conflict,omitempty"`
	Region   opportunity.Named  `json:"region,omitzero"`
	// Next is where the search goes on, "" at its end.
	Next string `json:"next,omitempty"`
}

// ResolveInput asks what names mean.
type ResolveInput struct {
	Names []opportunity.Name `json:"names"`
}

// ResolveResult holds one entry for each name, in order.
type ResolveResult struct {
	Resolved []opportunity.Resolved `json:"resolved"`
}

// ProbeResult says that the API answers at all.
type ProbeResult struct {
	Answered bool `json:"answered"`
}
