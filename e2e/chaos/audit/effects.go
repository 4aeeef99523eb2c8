package audit

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/oppflow/oppflow/opportunity"
)

// checkEffects compares the objects that effects create with the record. If an effect waits for an
// operator, a missing object is no violation.
func (a *auditor) checkEffects(f *caseFile) {
	if f.record == nil || len(f.chains) == 0 {
		return
	}
	a.checkMissingLearners(f)
	a.checkHeldPlaces(f)
	a.checkInvoices(f)
	a.checkMails(f)
}

func (f *caseFile) lastChain() *Chain { return f.chains[len(f.chains)-1] }

// effectsEnded returns false for an opportunity that an operator closed, and while the opportunity
// has a queued message, an active effect or a question. Attention about an effect also makes
// effectsEnded return false, because an operator must still act.
func (f *caseFile) effectsEnded() bool {
	c := f.lastChain()
	return c.View != nil && (c.Status == Running || c.Status == Completed) && c.View.Question == nil && c.View.Closing == nil &&
		len(c.View.Queue)+len(c.View.Parked)+len(c.View.RunningEffects) == 0 && !hasAttention(c.View, opportunity.AttentionEffect)
}

// isWon reports whether the record is won and whether a message that is reported as done requested
// the transition to the record's step.
func (f *caseFile) isWon() bool {
	return f.record.State == opportunity.Won && slices.ContainsFunc(f.lastChain().requests(), func(r request) bool {
		p, is := r.command.(opportunity.Progress)
		return is && r.state == reportedDone && p.To == f.record.Step
	})
}

// isInterrupted reports whether a reset of the run or a restore of Temporal's database may have
// hidden the record's last transition from Oppflow. Oppflow runs no effects for a transition that
// Oppflow did not see.
func (a *auditor) isInterrupted(f *caseFile) bool {
	return len(a.evidence.Restores) > 0 || len(a.resetTimes(f.reference)) > 0
}

func (c *Chain) effectResult(kind opportunity.EffectKind) (opportunity.EffectResult, bool) {
	for _, result := range slices.Backward(c.View.EffectResults) {
		if result.Kind == kind {
			return result, true
		}
	}
	return opportunity.EffectResult{}, false
}

func succeeded(result opportunity.EffectResult) bool {
	return result.Outcome == opportunity.EffectDone || result.Outcome == opportunity.EffectUnchanged
}

// mustHaveLearners reports whether all learners of the record must be registered. If the view shows
// no result of the effect register, the learners must be registered only if no reset or restore
// interrupted the run.
func (a *auditor) mustHaveLearners(f *caseFile) bool {
	if !a.tolerances.Effects || !f.isWon() || !f.effectsEnded() {
		return false
	}
	result, known := f.lastChain().effectResult(opportunity.EffectRegister)
	if !known {
		return !a.isInterrupted(f)
	}
	return succeeded(result)
}

func (a *auditor) checkMissingLearners(f *caseFile) {
	if !a.mustHaveLearners(f) {
		return
	}
	for _, interest := range a.actualRecord(f).Interests {
		for _, person := range interest.People {
			if interest.Item.Type() == opportunity.TypeEvent && !a.isRegistered(interest.Item, addressKey(person.Email)) {
				a.report(EffectMissing, f.reference, "", "record %s is won and its effects have ended, but the learner %s of interest %s is not on event %s", f.record.ID, person.Email, interest.ID, interest.Item)
			}
		}
	}
}

func (a *auditor) isRegistered(event opportunity.ID, person string) bool {
	return slices.ContainsFunc(a.evidence.Bookings.Registrations, func(r Registration) bool { return r.Event == event && a.address[r.Contact] == person })
}

// checkHeldPlaces checks that a lost or archived record whose effects have ended holds no places.
// checkReservations checks the records whose run has ended.
func (a *auditor) checkHeldPlaces(f *caseFile) {
	lost := f.record.State == opportunity.Lost || f.record.State == opportunity.Archived
	c := f.lastChain()
	if lost && c.Status == Running && f.effectsEnded() && !a.isInterrupted(f) && a.actualRecord(f).hasReservation(a.evidence.At) && !hasAttention(c.View, opportunity.AttentionReservation) {
		a.report(OrphanReservation, f.reference, "", "record %s is %s and its effects have ended, but the record reserves places until %v", f.record.ID, strings.ToLower(string(f.record.State)), f.record.ReservedUntil)
	}
}

func (a *auditor) checkInvoices(f *caseFile) {
	n := 0
	for _, invoice := range a.evidence.Bookings.Invoices {
		if invoice.Record == f.record.ID && !invoice.Void {
			n++
		}
	}
	if n > 1 {
		a.report(EffectDuplicated, f.reference, "", "record %s has %d invoices", f.record.ID, n)
	}
}

// checkMails checks that each mail of the record was sent once to each recipient, and that a mail
// whose effect is done was sent. If the opportunity was started again after its run was terminated,
// the new run does not know the follow-ups that the terminated run did, and does them again.
func (a *auditor) checkMails(f *caseFile) {
	count := map[Mail]int{}
	for _, mail := range a.evidence.Bookings.Mails {
		if mail.Record != f.record.ID {
			continue
		}
		mail.At = time.Time{}
		if count[mail]++; count[mail] == 1+len(f.chains) {
			a.report(EffectDuplicated, f.reference, "", "contact %s got the mail %q about record %s more than once in a run", mail.Contact, mail.Rule, f.record.ID)
		}
	}
	view := f.lastChain().View
	if view == nil {
		return
	}
	for _, result := range view.EffectResults {
		if result.Kind != opportunity.EffectEmail || result.Outcome != opportunity.EffectDone {
			continue
		}
		for _, rule := range a.mailRules() {
			if strings.Contains(result.Key, "/"+rule+"/") && !slices.ContainsFunc(a.evidence.Bookings.Mails, func(m Mail) bool { return m.Record == f.record.ID && m.Rule == rule }) {
				a.report(EffectMissing, f.reference, "", "the effect %s is reported as done, but no mail %q about record %s was sent", result.Key, rule, f.record.ID)
			}
		}
	}
}

// mailRules returns the names of the playbook's rules whose mails are in the sandbox's tables.
func (a *auditor) mailRules() []string {
	var rules []string
	for _, mail := range a.evidence.Bookings.Mails {
		if !slices.Contains(rules, mail.Rule) {
			rules = append(rules, mail.Rule)
		}
	}
	return rules
}

// checkPeople checks the contacts and the registrations of the people whom messages name. Each
// person belongs to only one reference of the experiment.
func (a *auditor) checkPeople() {
	a.checkContacts()
	seen := map[string]int{}
	for _, r := range a.evidence.Bookings.Registrations {
		person := a.address[r.Contact]
		f := a.cases[a.personReference[person]]
		if f == nil {
			a.report(EffectOrphan, "", "", "contact %s is on event %s, but no message names the contact as a learner", r.Contact, r.Event)
			continue
		}
		key := fmt.Sprintf("%s %s", person, r.Event)
		if seen[key]++; seen[key] == 2 {
			a.report(EffectDuplicated, f.reference, "", "the learner %s is on event %s more than once", person, r.Event)
		}
		if why := a.whyUnwanted(f, r, person); why != "" {
			a.report(EffectOrphan, f.reference, "", "the learner %s is on event %s, but %s", person, r.Event, why)
		}
	}
}

// whyUnwanted returns why the person must not be on the event, or "". A learner whose interest was
// removed may be on the event if Oppflow registered the learner before a read of the record showed
// the removal.
func (a *auditor) whyUnwanted(f *caseFile, r Registration, person string) string {
	if f.record == nil {
		return "the opportunity has no record"
	}
	wants := func(i Interest) bool { return i.Item == r.Event && i.names(person) }
	if slices.ContainsFunc(a.actualRecord(f).Interests, wants) {
		return ""
	}
	var removed time.Time
	for _, change := range a.evidence.ManualChanges {
		if change.Record == f.record.ID && change.Removed && wants(change.Before) && change.At.After(removed) {
			removed = change.At
		}
	}
	if removed.IsZero() {
		return fmt.Sprintf("record %s never had an interest in the event that names the learner", f.record.ID)
	}
	if read, known := f.readBetween(removed, r.At); known {
		return fmt.Sprintf("a person had removed the interest from record %s at %s, a read at %s showed the removal, and the registration was made at %s",
			f.record.ID, removed.Format(time.TimeOnly), read.Format(time.TimeOnly), r.At.Format(time.TimeOnly))
	}
	return ""
}

// readBetween returns the end of a read of the record that began after the removal of an interest
// and ended before Oppflow scheduled the registration.
func (f *caseFile) readBetween(removed, registered time.Time) (time.Time, bool) {
	var scheduled time.Time
	for _, c := range f.chains {
		for _, at := range c.RegisteredAt {
			if !at.After(registered) && at.After(scheduled) {
				scheduled = at
			}
		}
	}
	for _, c := range f.chains {
		for _, read := range c.Reads {
			if read.From.After(removed) && read.To.Before(scheduled) {
				return read.To, true
			}
		}
	}
	return time.Time{}, false
}

// checkContacts checks that no person has two contacts. Two contacts with one e-mail address and
// different names are two people.
func (a *auditor) checkContacts() {
	first := map[string]opportunity.ID{}
	for _, contact := range a.evidence.Bookings.Contacts {
		reference, named := a.personReference[addressKey(contact.Email)]
		if !named {
			continue
		}
		for _, name := range contact.Names {
			key := addressKey(contact.Email) + " " + strings.ToLower(name)
			if other := first[key]; other != "" && other != contact.ID {
				a.report(EffectDuplicated, reference, "", "the contacts %s and %s are the same person, %s with the address %s", other, contact.ID, name, contact.Email)
				break
			}
			first[key] = contact.ID
		}
	}
}

// CheckedWins counts the won records whose learners the auditor compared with the registrations.
func CheckedWins(e Evidence, rules Tolerances) int {
	a := newAuditor(e, rules)
	n := 0
	for _, f := range a.cases {
		if f.record != nil && len(f.chains) > 0 && a.mustHaveLearners(f) {
			n++
		}
	}
	return n
}

// EffectQuestions counts the effects that wait for an operator.
func (e Evidence) EffectQuestions() int {
	n := 0
	for _, c := range e.Chains {
		if c.Status != Running || c.View == nil {
			continue
		}
		for _, effect := range c.View.RunningEffects {
			if effect.Problem != "" {
				n++
			}
		}
	}
	return n
}
