package lifecycle

import (
	"encoding/json"
	"slices"
	"time"
	"unicode/utf8"

	"github.com/oppflow/oppflow/opportunity"
)

// Times of the versions of a namespace's playbook.
const (
	// PlaybookInForceAfter is how long after its deployment a version comes into force. A worker
	// reads the namespace every two thirds of this time. A worker whose last read is older than
	// eight ninths of this time plans and sends nothing. When PlaybookInForceAfter is over, no
	// worker plans with the previous version, even a worker that has not read the new version.
	PlaybookInForceAfter = 45 * time.Second
)

// Limits of the versions of a namespace's playbook.
const (
	// MaxPlaybookBytes is the length of the longest text.
	MaxPlaybookBytes = 256 << 10
	// MaxPlaybookVersions is how many versions a namespace keeps. The namespace drops older
	// versions.
	MaxPlaybookVersions = 20
	// MaxPlaybookTexts is the maximum size of the texts of all versions together, in bytes of JSON.
	// The namespace drops the oldest texts first.
	MaxPlaybookTexts = 768 << 10
)

// maxDeploymentBytes is the maximum size of one deployment, in bytes of JSON. The server accepts an
// update with a deployment of this size.
const maxDeploymentBytes = opportunity.MaxUpdateBytes - 8<<10

// PlaybookVersion is one version of the playbook of a namespace.
type PlaybookVersion struct {
	// Number counts the versions from 1.
	Number int `json:"number"`
	// DeployedBy says who deployed the version, in their own words.
	DeployedBy string `json:"by,omitempty"`
	// Digest is the digest of the playbook, as its deployer computed it.
	Digest string `json:"digest,omitempty"`
	// Restores is the number of the older version with the same text; 0 is none.
	Restores int `json:"restores,omitempty"`
	// StoredAt is when the version was stored, and InForceAt is the time from which workers plan
	// with the version. StoredAt and InForceAt are equal when no worker had worked in the namespace
	// before.
	StoredAt  time.Time `json:"storedAt"`
	InForceAt time.Time `json:"inForceAt"`
	// Bytes is the length of the text.
	Bytes int `json:"bytes"`
	// Text is the playbook as the tenant wrote it. TextDropped says that the text is no longer
	// kept.
	Text        string `json:"text,omitempty"`
	TextDropped bool   `json:"dropped,omitempty"`
}

// IsImmediate reports whether the version came into force when it was stored. An immediate version
// is in force whatever a clock shows.
func (v PlaybookVersion) IsImmediate() bool { return v.InForceAt.Equal(v.StoredAt) }

// PlaybookVersions are the versions of the playbook of a namespace, the latest last.
type PlaybookVersions []PlaybookVersion

// InForce returns the version that is in force at the time `at`, which is compared with times of
// the Temporal server's clock. The result false means that no version is in force yet.
func (v PlaybookVersions) InForce(at time.Time) (PlaybookVersion, bool) {
	for _, version := range slices.Backward(v) {
		if version.IsImmediate() || !version.InForceAt.After(at) {
			return version, true
		}
	}
	return PlaybookVersion{}, false
}

// Latest returns the version that was stored last, or false when there are no versions.
func (v PlaybookVersions) Latest() (PlaybookVersion, bool) {
	if len(v) == 0 {
		return PlaybookVersion{}, false
	}
	return v[len(v)-1], true
}

// ByNumber returns the version with the number.
func (v PlaybookVersions) ByNumber(number int) (PlaybookVersion, bool) {
	at := slices.IndexFunc(v, func(one PlaybookVersion) bool { return one.Number == number })
	if at < 0 {
		return PlaybookVersion{}, false
	}
	return v[at], true
}

// CurrentAndLater returns the versions with which a worker may have to plan at the time `at` or
// later. The result is the version in force at the time `at` and all later versions.
func (v PlaybookVersions) CurrentAndLater(at time.Time) PlaybookVersions {
	now, some := v.InForce(at)
	if !some {
		return v
	}
	return v[slices.IndexFunc(v, func(one PlaybookVersion) bool { return one.Number == now.Number }):]
}

// WithTexts returns the versions with the texts of the given numbers only.
func (v PlaybookVersions) WithTexts(numbers ...int) PlaybookVersions {
	some := slices.Clone(v)
	for n := range some {
		if !slices.Contains(numbers, some[n].Number) {
			some[n].Text = ""
		}
	}
	return some
}

// NamespaceInput is the payload of NamespaceOf.
type NamespaceInput struct {
	// Texts are the numbers of the playbook versions whose texts are requested.
	Texts []int `json:"texts,omitempty"`
}

// Deployment is the payload of Deploy.
type Deployment struct {
	// Text is the playbook as the tenant wrote it; an empty text does nothing.
	Text string `json:"text"`
	// Digest is the digest of the playbook.
	Digest string `json:"digest,omitempty"`
	// DeployedBy says who deploys the version.
	DeployedBy string `json:"by,omitempty"`
	// Restores is the number of the older version with the same text.
	Restores int `json:"restores,omitempty"`
	// NumberAbove makes the version get a number above this one. NumberAbove is for a namespace
	// that lost its workflow and, with the workflow, its versions.
	NumberAbove int `json:"above,omitempty"`
}

// DeployResult is the response to Deploy.
type DeployResult struct {
	// Version is the version with the text, but without the text itself.
	Version PlaybookVersion `json:"version"`
	// Unchanged says that the version had the text before, so that nothing was stored.
	Unchanged bool `json:"unchanged,omitempty"`
}

// NamespaceJoin is the message of a worker that starts to work in a namespace without a playbook.
type NamespaceJoin struct {
	// Playbook is the playbook of the worker's settings; nil is no playbook.
	Playbook *Deployment `json:"own,omitempty"`
}

// CheckDeploy returns the reason why Deploy would reject the deployment at the time `now`.
func (s *NamespaceState) CheckDeploy(d Deployment, now time.Time) error {
	switch {
	case len(d.Text) > MaxPlaybookBytes:
		return opportunity.Invalidf("text: the playbook has %d bytes; the limit is %d bytes", len(d.Text), MaxPlaybookBytes)
	case jsonSize(d) > maxDeploymentBytes:
		return opportunity.Invalidf("text: the message has %d bytes as JSON; the limit is %d bytes", jsonSize(d), maxDeploymentBytes)
	case !utf8.ValidString(d.Text):
		return opportunity.Invalidf("text: not valid UTF-8")
	case utf8.RuneCountInString(d.DeployedBy) > opportunity.MaxTextLength:
		return opportunity.Invalidf("by: must have at most %d characters", opportunity.MaxTextLength)
	case d.Restores < 0, d.NumberAbove < 0:
		return opportunity.Invalidf("restores, above: each value must be a version number or 0")
	}
	needed := s.Playbooks.CurrentAndLater(now)
	size := jsonSize(d.Text)
	for _, version := range needed {
		size += jsonSize(version.Text)
	}
	if latest, some := s.Playbooks.Latest(); some && (len(needed) >= MaxPlaybookVersions || size > MaxPlaybookTexts) {
		return opportunity.Failf(opportunity.Busy, "%d versions of the playbook are not in force yet; deploy the playbook again after %s",
			len(needed)-1, latest.InForceAt.UTC().Format(time.RFC3339))
	}
	return nil
}

// Deploy stores the playbook as a new version, at the time `now`. The version comes into force when
// the duration `after` is over, or at once when no worker has worked in the namespace yet. Deploy
// does not store a text that the latest version already has.
func (s *NamespaceState) Deploy(d Deployment, now time.Time, after time.Duration) (DeployResult, error) {
	if err := s.CheckDeploy(d, now); err != nil {
		return DeployResult{}, err
	}
	latest, some := s.Playbooks.Latest()
	if some && !latest.TextDropped && latest.Text == d.Text && d.NumberAbove < latest.Number {
		return DeployResult{Version: latest.withoutText(), Unchanged: true}, nil
	}
	version := PlaybookVersion{
		Number: max(latest.Number, d.NumberAbove) + 1, DeployedBy: d.DeployedBy, Digest: d.Digest, Restores: d.Restores, StoredAt: now, InForceAt: now.Add(after),
		Bytes: len(d.Text), Text: d.Text,
	}
	if !some && !s.WorkerJoined {
		version.InForceAt = now
	}
	if version.InForceAt.Before(latest.InForceAt) {
		version.InForceAt = latest.InForceAt
	}
	s.Playbooks = append(slices.Clone(s.Playbooks), version)
	s.Playbooks = s.Playbooks[max(0, len(s.Playbooks)-MaxPlaybookVersions):]
	s.dropTexts()
	return DeployResult{Version: version.withoutText()}, nil
}

// dropTexts drops the oldest texts until the other texts fit into MaxPlaybookTexts.
func (s *NamespaceState) dropTexts() {
	size := 0
	for n, version := range slices.Backward(s.Playbooks) {
		if size += jsonSize(version.Text); size > MaxPlaybookTexts {
			s.Playbooks[n].Text, s.Playbooks[n].TextDropped = "", true
		}
	}
}

// Join records that a worker starts to work, and deploys the worker's own playbook when the
// namespace has none.
func (s *NamespaceState) Join(j NamespaceJoin, now time.Time, after time.Duration) error {
	if len(s.Playbooks) > 0 {
		return nil
	}
	if j.Playbook == nil {
		s.WorkerJoined = true
		return nil
	}
	_, err := s.Deploy(*j.Playbook, now, after)
	return err
}

// WithTexts returns the state with the texts of the given playbook versions only.
func (s NamespaceState) WithTexts(numbers ...int) NamespaceState {
	s.Playbooks = s.Playbooks.WithTexts(numbers...)
	return s
}

func (v PlaybookVersion) withoutText() PlaybookVersion {
	v.Text = ""
	return v
}

func jsonSize(value any) int {
	data, err := json.Marshal(value)
	if err != nil {
		return 0 // plain data
	}
	return len(data)
}
