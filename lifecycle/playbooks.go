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
	// PlaybookInForceAfter is how long after it was stored a version is in force. A worker
	// reads the namespace every two thirds of that time. A worker whose last read is older
	// than eight ninths of it plans and sends nothing. So no worker plans with the version
	// before when the time is over, whatever the worker has read.
	PlaybookInForceAfter = 45 * time.Second
)

// Limits of the versions of a namespace's playbook.
const (
	// MaxPlaybookBytes is the longest text.
	MaxPlaybookBytes = 256 << 10
	// MaxPlaybookVersions is how many versions are listed, the latest.
	MaxPlaybookVersions = 20
	// MaxPlaybookTexts is the most JSON that the texts of all versions take together. The
	// oldest texts are dropped first.
	MaxPlaybookTexts = 768 << 10
)

// maxDeploymentBytes is the most JSON of one deployment: an update with it must pass.
const maxDeploymentBytes = opportunity.MaxUpdateBytes - 8<<10

// PlaybookVersion is one version of the playbook of a namespace.
type PlaybookVersion struct {
	// Number counts the versions from 1.
	Number int `json:"number"`
	// By says who deployed it, as they said themselves.
	By string `json:"by,omitempty"`
	// Digest is that of the playbook, as the one who deployed it computed it.
	Digest string `json:"digest,omitempty"`
	// Restores is the number of the older version whose text it has; 0 is none.
	Restores int `json:"restores,omitempty"`
	// StoredAt is when it was stored, and InForceAt since when workers plan with it: the
	// same time where no worker had worked in the namespace before.
	StoredAt  time.Time `json:"storedAt"`
	InForceAt time.Time `json:"inForceAt"`
	// Bytes is the length of its text.
	Bytes int `json:"bytes"`
	// Text is the playbook as the tenant wrote it. Dropped says that it is not kept any
	// more.
	Text    string `json:"text,omitempty"`
	Dropped bool   `json:"dropped,omitempty"`
}

// AtOnce reports whether the version has been in force since it was stored: no time is
// compared.
func (v PlaybookVersion) AtOnce() bool { return v.InForceAt.Equal(v.StoredAt) }

// PlaybookVersions are the versions of the playbook of a namespace, the latest last.
type PlaybookVersions []PlaybookVersion

// InForce returns the version that is in force at the time, which is one of the Temporal
// server's clock; false says that none is yet.
func (v PlaybookVersions) InForce(at time.Time) (PlaybookVersion, bool) {
	for _, version := range slices.Backward(v) {
		if version.AtOnce() || !version.InForceAt.After(at) {
			return version, true
		}
	}
	return PlaybookVersion{}, false
}

// Latest returns the version that was stored last; false says that there is none.
func (v PlaybookVersions) Latest() (PlaybookVersion, bool) {
	if len(v) == 0 {
		return PlaybookVersion{}, false
	}
	return v[len(v)-1], true
}

// Numbered returns the version of the number.
func (v PlaybookVersions) Numbered(number int) (PlaybookVersion, bool) {
	at := slices.IndexFunc(v, func(one PlaybookVersion) bool { return one.Number == number })
	if at < 0 {
		return PlaybookVersion{}, false
	}
	return v[at], true
}

// Needed returns the versions with which a worker may have to plan from the time on: the
// one in force then, and later ones.
func (v PlaybookVersions) Needed(at time.Time) PlaybookVersions {
	now, some := v.InForce(at)
	if !some {
		return v
	}
	return v[slices.IndexFunc(v, func(one PlaybookVersion) bool { return one.Number == now.Number }):]
}

// WithTexts returns the versions with the texts of those of the numbers alone.
func (v PlaybookVersions) WithTexts(numbers ...int) PlaybookVersions {
	some := slices.Clone(v)
	for n := range some {
		if !slices.Contains(numbers, some[n].Number) {
			some[n].Text = ""
		}
	}
	return some
}

// NamespaceQuestion is the payload of NamespaceOf.
type NamespaceQuestion struct {
	// Texts are the numbers of the versions of the playbook whose texts are wanted.
	Texts []int `json:"texts,omitempty"`
}

// Deployment is the payload of Deploy.
type Deployment struct {
	// Text is the playbook as the tenant wrote it; an empty one does nothing.
	Text string `json:"text"`
	// Digest is that of the playbook.
	Digest string `json:"digest,omitempty"`
	// By says who deploys it.
	By string `json:"by,omitempty"`
	// Restores is the number of the older version whose text it is.
	Restores int `json:"restores,omitempty"`
	// Above has the version get a number above this one, where the versions were lost with
	// the workflow of the namespace.
	Above int `json:"above,omitempty"`
}

// Deployed is the answer to Deploy.
type Deployed struct {
	// Version is the version that has the text, without it.
	Version PlaybookVersion `json:"version"`
	// Unchanged says that it had the text before, so that nothing was stored.
	Unchanged bool `json:"unchanged,omitempty"`
}

// Join is what a worker says when it begins to work in a namespace without a playbook.
type Join struct {
	// Own is the playbook of the worker's settings; nil is none.
	Own *Deployment `json:"own,omitempty"`
}

// MayDeploy returns why Deploy would refuse the deployment at the time.
func (s *NamespaceState) MayDeploy(d Deployment, now time.Time) error {
	switch {
	case len(d.Text) > MaxPlaybookBytes:
		return opportunity.Invalidf("text: %d bytes; a playbook has at most %d", len(d.Text), MaxPlaybookBytes)
	case jsonSize(d) > maxDeploymentBytes:
		return opportunity.Invalidf("text: %d bytes of JSON; a playbook has at most %d", jsonSize(d), maxDeploymentBytes)
	case !utf8.ValidString(d.Text):
		return opportunity.Invalidf("text: it is not UTF-8")
	case utf8.RuneCountInString(d.By) > opportunity.MaxTextLength:
		return opportunity.Invalidf("by: at most %d characters", opportunity.MaxTextLength)
	case d.Restores < 0, d.Above < 0:
		return opportunity.Invalidf("restores, above: must be numbers of versions")
	}
	needed := s.Playbooks.Needed(now)
	size := jsonSize(d.Text)
	for _, version := range needed {
		size += jsonSize(version.Text)
	}
	if latest, some := s.Playbooks.Latest(); some && (len(needed) >= MaxPlaybookVersions || size > MaxPlaybookTexts) {
		return opportunity.Failf(opportunity.Busy, "%d versions of the playbook are not in force yet; deploy again after %s",
			len(needed)-1, latest.InForceAt.UTC().Format(time.RFC3339))
	}
	return nil
}

// Deploy stores the playbook at the time as a new version, which is in force after the
// given time: at once where no worker has worked in the namespace yet. A text that the
// latest version has is not stored again.
func (s *NamespaceState) Deploy(d Deployment, now time.Time, after time.Duration) (Deployed, error) {
	if err := s.MayDeploy(d, now); err != nil {
		return Deployed{}, err
	}
	latest, some := s.Playbooks.Latest()
	if some && !latest.Dropped && latest.Text == d.Text && d.Above < latest.Number {
		return Deployed{Version: latest.withoutText(), Unchanged: true}, nil
	}
	version := PlaybookVersion{
		Number: max(latest.Number, d.Above) + 1, By: d.By, Digest: d.Digest, Restores: d.Restores, StoredAt: now, InForceAt: now.Add(after),
		Bytes: len(d.Text), Text: d.Text,
	}
	if !some && !s.Working {
		version.InForceAt = now
	}
	if version.InForceAt.Before(latest.InForceAt) {
		version.InForceAt = latest.InForceAt
	}
	s.Playbooks = append(slices.Clone(s.Playbooks), version)
	s.Playbooks = s.Playbooks[max(0, len(s.Playbooks)-MaxPlaybookVersions):]
	s.dropTexts()
	return Deployed{Version: version.withoutText()}, nil
}

// dropTexts drops the oldest texts that find no room.
func (s *NamespaceState) dropTexts() {
	size := 0
	for n, version := range slices.Backward(s.Playbooks) {
		if size += jsonSize(version.Text); size > MaxPlaybookTexts {
			s.Playbooks[n].Text, s.Playbooks[n].Dropped = "", true
		}
	}
}

// Join takes in that a worker begins to work. Its own playbook is deployed where the
// namespace has none.
func (s *NamespaceState) Join(j Join, now time.Time, after time.Duration) error {
	if len(s.Playbooks) > 0 {
		return nil
	}
	if j.Own == nil {
		s.Working = true
		return nil
	}
	_, err := s.Deploy(*j.Own, now, after)
	return err
}

// WithTexts returns the state with the texts of those versions of the playbook alone.
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
