package playbook

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/oppflow/oppflow/opportunity"
)

// Plan returns what is done about the facts on the occasion: the effects of a move or of a happening. For the zero
// occasion it returns the follow-ups of the current step. The same facts give the same plan. All times are in UTC.
func (p *Playbook) Plan(facts Facts, occasion opportunity.Occasion) opportunity.Plan {
	planner := p.plannerOf(facts)
	switch occasion.Kind {
	case "":
		planner.followUps()
	case opportunity.OccasionMove:
		planner.move(occasion.To)
	case opportunity.OccasionEventCancelled, opportunity.OccasionSoldOut, opportunity.OccasionLapsed:
		planner.happening(occasion)
	default:
		planner.problem("no playbook knows of the occasion %q", clip(string(occasion.Kind)))
	}
	return planner.plan
}

// plannerOf returns the planner for the facts.
func (p *Playbook) plannerOf(facts Facts) *planner {
	if p == nil {
		p = new(Playbook)
	}
	return &planner{
		Playbook: p, facts: facts, surroundings: surroundingsOf(facts), variables: p.variables(facts),
		plan: opportunity.Plan{Digest: p.Digest()},
	}
}

// planner makes one plan.
type planner struct {
	*Playbook
	facts        Facts
	surroundings surroundings
	variables    Variables
	plan         opportunity.Plan
}

// problem notes something that could not be decided, each text once.
func (p *planner) problem(format string, args ...any) {
	if told := fmt.Sprintf(format, args...); len(p.plan.Problems) < maxTold && !slices.Contains(p.plan.Problems, told) {
		p.plan.Problems = append(p.plan.Problems, told)
	}
}

// holds decides the condition at the path. A condition that cannot be decided does not hold.
func (p *planner) holds(rule, path string) bool {
	holds, err := p.conditions[path].holds(p.surroundings)
	if err != nil {
		p.problem("%s: its condition cannot be decided about this record, and counts as not met", rule)
	}
	return holds
}

// write fills a template in. A template that cannot be filled in is a problem.
func (p *planner) write(rule string, text Text) string {
	written, err := text.write(p.variables)
	if err != nil {
		p.problem("%s: a text cannot be filled in about this record, and stays empty", rule)
	}
	return cut(strings.TrimSpace(written))
}

// cut shortens a filled-in text, so that it does not grow with the record.
func cut(text string) string {
	if len(text) <= maxWrittenBytes {
		return text
	}
	return strings.ToValidUTF8(text[:maxWrittenBytes], "")
}

// matches reports whether a step lies in the place. A nil place matches every step.
func (place *Place) matches(step opportunity.Step) bool {
	return place == nil || place.pattern().Matches(step)
}

// pattern returns the place as the state of an opportunity has it.
func (place *Place) pattern() opportunity.StepPattern {
	return opportunity.StepPattern{Step: place.Step, Stage: place.Stage, State: opportunity.StageState(place.State)}
}

func (p *planner) move(to opportunity.Step) {
	for i, rule := range p.rules.Transitions {
		path := fmt.Sprintf("transitions[%d]", i)
		if rule.From.matches(p.facts.Step) && rule.To.matches(to) && p.holds(rule.Name, path+".when") {
			p.plan.Before = append(p.plan.Before, p.effects(rule.Name, rule.Name+"/before", path+".before", "", rule.Before)...)
			p.plan.After = append(p.plan.After, p.effects(rule.Name, rule.Name+"/after", path+".after", "", rule.After)...)
		}
	}
}

func (p *planner) happening(occasion opportunity.Occasion) {
	for i, rule := range p.rules.Happenings {
		path := fmt.Sprintf("happenings[%d]", i)
		if rule.On != string(occasion.Kind) || !p.holds(rule.Name, path+".when") {
			continue
		}
		about := string(occasion.Item)
		if occasion.Kind == opportunity.OccasionLapsed {
			about = stamp(p.facts.Reservation.Until)
		}
		if about != "" {
			about = "/" + about
		}
		p.plan.After = append(p.plan.After, p.effects(rule.Name, rule.Name+"/do", path+".do", about, rule.Do)...)
	}
}

// effects returns the effects of a list whose conditions hold.
func (p *planner) effects(rule, key, path, about string, effects []EffectRule) []opportunity.Effect {
	var planned []opportunity.Effect
	for i, e := range effects {
		if !p.holds(rule, fmt.Sprintf("%s[%d].when", path, i)) {
			continue
		}
		effect := p.effect(rule, e)
		effect.Key = fmt.Sprintf("%s/%d/%s%s", key, i+1, effect.Kind, about)
		planned = append(planned, effect)
	}
	return planned
}

// after returns the moment that is the length after now. Without a length it is an hour, the default wait for the
// TMS.
func (p *planner) after(length Length) time.Time {
	return p.work.plus(p.facts.Now, orDefault(length)).UTC()
}

func (p *planner) effect(rule string, e EffectRule) opportunity.Effect {
	undo, _ := e.undo()
	effect := opportunity.Effect{Kind: e.kind(), Undo: undo}
	switch effect.Kind {
	case opportunity.EffectAccount:
		effect.Account = &opportunity.EnsureAccount{Name: p.facts.Details.Name}
		if name := p.write(rule, e.Account.Name); name != "" {
			effect.Account.Name = oneLine(name)
		}
	case opportunity.EffectContacts:
		effect.Contacts = &opportunity.EnsureContacts{Several: cmp.Or(opportunity.Several(e.Contacts.Several), opportunity.SeveralAsk)}
	case opportunity.EffectAttributes:
		effect.Attributes = &opportunity.EnsureAttributes{Values: make(map[string]string)}
		for _, key := range sorted(e.Attributes.Set) {
			effect.Attributes.Values[key] = p.write(rule, e.Attributes.Set[key])
		}
	case opportunity.EffectReserve:
		effect.Reserve = &opportunity.HoldPlaces{Until: p.after(e.Reserve.For)}
	case opportunity.EffectExtend:
		effect.Extend = &opportunity.HoldPlaces{Until: p.after(e.Extend.For)}
	case opportunity.EffectRegister:
		effect.Register = &opportunity.Register{Release: !e.Register.KeepPlaces}
	case opportunity.EffectInvoice:
		effect.Invoice = &opportunity.EnsureInvoice{
			WaitUntil: p.after(e.Invoice.Wait), PurchaseOrder: oneLine(p.write(rule, e.Invoice.PurchaseOrder)),
			Comments: p.write(rule, e.Invoice.Comments), FinaliseAt: p.finaliseAt(rule, e.Invoice.FinaliseBeforeStart),
		}
	case opportunity.EffectTokens:
		effect.Tokens = &opportunity.AwaitTokens{WaitUntil: p.after(e.Tokens.Wait)}
	case opportunity.EffectEmail:
		effect.Email = e.Email.planned()
	case opportunity.EffectLog:
		effect.Log = p.log(rule, e.Log)
	case opportunity.EffectCall:
		effect.Call = e.Call.planned()
	}
	return effect
}

// finaliseAt returns when an invoice is made final, never before now. It returns zero when the invoice stays a
// draft.
func (p *planner) finaliseAt(rule string, before *Length) time.Time {
	if before == nil {
		return time.Time{}
	}
	start := p.facts.firstStart()
	if start.IsZero() {
		p.problem("%s: no event is known to start after now, so the invoice stays a draft", rule)
		return time.Time{}
	}
	return latest(p.work.minus(start, *before), p.facts.Now).UTC()
}

func (e EmailRule) planned() *opportunity.SendEmail {
	return &opportunity.SendEmail{To: opportunity.Recipient(e.To), Template: e.Use}
}

func (c CallRule) planned() *opportunity.CallService {
	return &opportunity.CallService{Service: c.Service, Path: c.Path, UndoPath: c.Undo}
}

func (p *planner) log(rule string, log *LogRule) *opportunity.WriteLog {
	return &opportunity.WriteLog{
		Status:  cmp.Or(opportunity.LogStatus(log.Status), opportunity.LogSuccess),
		Message: oneLine(p.write(rule, log.Message)),
	}
}

// followUps plans the follow-ups of the step, the earliest first, up to the cap.
func (p *planner) followUps() {
	var all []candidate
	for i, step := range p.rules.Steps {
		if !step.At.matches(p.facts.Step) {
			continue
		}
		for j, rule := range step.FollowUps {
			if !p.holds(rule.Name, fmt.Sprintf("steps[%d].followUps[%d].when", i, j)) {
				continue
			}
			for _, course := range p.courses(rule) {
				all = p.course(all, rule, course)
			}
		}
	}
	slices.SortFunc(all, func(a, b candidate) int {
		return cmp.Or(a.followUp.Due.Compare(b.followUp.Due), cmp.Compare(a.followUp.Key, b.followUp.Key))
	})
	left := cmp.Or(p.rules.FollowUpsAtMost, DefaultCap)
	for _, done := range p.facts.Done {
		if !done.Cancelled {
			left--
		}
	}
	for _, c := range all {
		reason := opportunity.LeftOutByCap
		switch {
		case c.late:
			reason = opportunity.LeftOutLate
		case left > 0:
			left--
			c.followUp.Action = p.action(c.followUp.Name, c.action)
			p.plan.FollowUps = append(p.plan.FollowUps, c.followUp)
			continue
		}
		if len(p.plan.LeftOut) < maxTold {
			p.plan.LeftOut = append(p.plan.LeftOut, opportunity.LeftOut{Key: c.followUp.Key, Reason: reason})
		}
	}
}

// candidate is a follow-up that is not done yet. It may still be too late or above the cap.
type candidate struct {
	followUp opportunity.FollowUp
	action   ActionRule
	late     bool
}

// course is a follow-up with all its repetitions.
type course struct {
	// about is the event from which the course is counted, in the form of the keys.
	about string
	// due is when the first follow-up is due, before anything delays it.
	due time.Time
	// deadline is the moment before which the follow-ups have to be done; zero when there is none.
	deadline time.Time
}

// stamp writes a moment in the form of the keys, to the second.
func stamp(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.UTC().Format("20060102T150405Z")
}

// courses returns the courses of a rule that the facts give a reason for.
func (p *planner) courses(rule FollowUpRule) []course {
	anchors, lengths := rule.Due.given()
	if len(anchors) != 1 {
		return nil
	}
	f, length := p.facts, lengths[0]
	since := func(t time.Time) []course {
		if t.IsZero() {
			return nil
		}
		return []course{{about: stamp(t), due: p.work.plus(t, length)}}
	}
	until := func(about string, t time.Time) course {
		return course{about: about + stamp(t), due: p.work.minus(t, length), deadline: t}
	}
	switch anchors[0] {
	case sinceStep:
		return since(f.Entered)
	case sinceIdle:
		return since(f.LastActivity)
	case untilLapse:
		lapse := f.Reservation.Until
		switch {
		case lapse.IsZero():
			return nil
		case length.Count == 0 && !lapse.Before(f.Entered): // a lapse in an earlier step does not count
			return []course{{about: stamp(lapse), due: lapse}}
		case length.Count > 0 && f.Reservation.Valid && lapse.After(f.Now):
			return []course{until("", lapse)}
		}
	case untilStart:
		var all []course
		for _, interest := range f.Interests {
			if one := until(string(interest.Item)+"/", interest.Start); interest.Start.After(f.Now) && !slices.Contains(all, one) {
				all = append(all, one)
			}
		}
		return nearestCourses(all)
	case untilExpires:
		var all []course
		for _, interest := range f.Interests {
			written, err := time.Parse(opportunity.LocalTimeForm, interest.ExpiresAt)
			if err != nil {
				continue
			}
			expires := p.work.local(dateOf(written), wallOf(written).of)
			if one := until(string(interest.Item)+"/", expires); expires.After(f.Now) && !slices.Contains(all, one) {
				all = append(all, one)
			}
		}
		return nearestCourses(all)
	}
	return nil
}

// nearestCourses returns the courses with the nearest deadlines: no more than could be done.
func nearestCourses(all []course) []course {
	slices.SortFunc(all, func(a, b course) int {
		return cmp.Or(a.deadline.Compare(b.deadline), cmp.Compare(a.about, b.about))
	})
	return all[:min(len(all), MaxCap)]
}

// course adds the follow-ups of a course that are not done yet. A follow-up that was done late delays the next
// ones. So two are never done in a row to make up for lost time.
func (p *planner) course(all []candidate, rule FollowUpRule, c course) []candidate {
	due := p.begins(rule, c)
	for number := 1; number <= rule.length(); number++ {
		key, action := fmt.Sprintf("%s/%s/%d", rule.Name, c.about, number), rule.Do
		if number > rule.times() {
			key, action = fmt.Sprintf("%s/%s/then", rule.Name, c.about), *rule.Then
		}
		if done := p.done(key); done != nil {
			at := done.At
			if done.Cancelled { // a cancelled follow-up does not bring the next one forward
				at = latest(due, at)
			}
			due = at
		} else {
			due = p.work.allowed(latest(due, p.facts.Now), rule.Hours != "any")
			all = append(all, candidate{
				followUp: opportunity.FollowUp{Key: key, Name: rule.Name, Due: due.UTC(), Number: number, Of: rule.length()},
				action:   action, late: !c.deadline.IsZero() && !due.Before(c.deadline),
			})
		}
		if rule.Repeat != nil {
			due = p.work.plus(due, rule.Repeat.Every)
		}
	}
	return all
}

// begins returns when the first follow-up of a course is due, before anything delays it. A course that was due before
// its record was adopted begins at the record's own time within the next days. A course with a deadline that would
// then come too late is not spread.
func (p *planner) begins(rule FollowUpRule, c course) time.Time {
	if !c.due.Before(p.facts.Adopted) {
		return c.due
	}
	begins := opportunity.CatchUpAt(p.facts.ID, p.facts.Adopted)
	if c.deadline.IsZero() {
		return begins
	}
	last := begins
	for number := 1; ; number++ {
		last = p.work.allowed(last, rule.Hours != "any")
		if !last.Before(c.deadline) {
			return c.due
		}
		if number == rule.length() || rule.Repeat == nil {
			return begins
		}
		last = p.work.plus(last, rule.Repeat.Every)
	}
}

func (p *planner) done(key string) *opportunity.DoneFollowUp {
	at := slices.IndexFunc(p.facts.Done, func(d opportunity.DoneFollowUp) bool { return d.Key == key })
	if at < 0 {
		return nil
	}
	return &p.facts.Done[at]
}

func (p *planner) action(rule string, a ActionRule) opportunity.Action {
	var action opportunity.Action
	if kinds := a.given(); len(kinds) == 1 {
		action.Kind = kinds[0]
	}
	switch action.Kind {
	case opportunity.ActionEmail:
		action.Email = a.Email.planned()
	case opportunity.ActionLog:
		action.Log = p.log(rule, a.Log)
	case opportunity.ActionCall:
		action.Call = a.Call.planned()
	case opportunity.ActionProgress:
		action.Progress = &opportunity.Progress{To: a.Progress.To}
	case opportunity.ActionAttention:
		action.Attention = oneLine(p.write(rule, a.Attention.Text))
	}
	return action
}

func latest(a, b time.Time) time.Time {
	if a.Before(b) {
		return b
	}
	return a
}
