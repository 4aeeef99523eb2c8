package tms

import (
	"context"
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strings"

	"go.temporal.io/sdk/temporal"

	"github.com/oppflow/oppflow/activities"
	"github.com/oppflow/oppflow/activities/tms/people"
	"github.com/oppflow/oppflow/activities/tms/record"
	"github.com/oppflow/oppflow/administrate"
	"github.com/oppflow/oppflow/exchange"
	"github.com/oppflow/oppflow/opportunity"
)

type effectHandler interface {
	inspect(ctx context.Context, in activities.EffectInput) (activities.InspectResult, error)
	execute(ctx context.Context, in activities.EffectInput) (activities.ExecuteResult, error)
}

// effectHandlers has one exported method for each kind of effect. effectHandlerFor finds the method
// by its name, which is the kind with a capital first letter.
type effectHandlers struct {
	activities *Activities
	playbook   VersionedPlaybook
}

// effectHandlerFor returns the handler for the kind, or nil if the worker does not know the kind.
func (a *Activities) effectHandlerFor(kind opportunity.EffectKind, by VersionedPlaybook) effectHandler {
	if kind == "" || slices.Contains(a.unknownEffectKinds, kind) {
		return nil
	}
	method := reflect.ValueOf(effectHandlers{a, by}).MethodByName(strings.ToUpper(string(kind[:1])) + string(kind[1:]))
	if !method.IsValid() {
		return nil
	}
	handler, _ := method.Interface().(func() effectHandler)
	return handler()
}

// N is a struct of texts. The struct tag of each field of N is the key of a note.
func notesOf[N any](entry exchange.UndoEntry) N {
	var notes N
	value := reflect.ValueOf(&notes).Elem()
	for field := range value.Type().Fields() {
		value.FieldByIndex(field.Index).SetString(entry.Notes[field.Tag.Get("note")])
	}
	return notes
}

// withNotes returns the undo entry with the notes; an empty text removes its note.
func withNotes[N any](entry exchange.UndoEntry, notes N) exchange.UndoEntry {
	all := maps.Clone(entry.Notes)
	if all == nil {
		all = make(map[string]string)
	}
	value := reflect.ValueOf(notes)
	for field := range value.Type().Fields() {
		key, text := field.Tag.Get("note"), value.FieldByIndex(field.Index).String()
		if all[key] = text; text == "" {
			delete(all, key)
		}
	}
	entry.Notes = all
	return entry
}

// requestNotes are the notes of effects for which a later read cannot show whether a request was
// executed.
type requestNotes struct {
	// Inspected is set when an inspection read the state before the effect sent its first request.
	Inspected string `note:"looked"`
	// Confirmed is set when the API responded that it executed the request.
	Confirmed string `note:"asked"`
}

func confirmedResult(in activities.EffectInput, err error) activities.ExecuteResult {
	result := activities.ExecuteResult{CallResult: callResult(err), UndoEntry: in.UndoEntry}
	if err == nil {
		notes := notesOf[requestNotes](in.UndoEntry)
		notes.Confirmed = "yes"
		result.UndoEntry = withNotes(in.UndoEntry, notes)
	}
	return result
}

func settingsOf[S any](in activities.EffectInput) *S {
	return exchange.SettingsOf[S](in.Effect.Settings)
}

// InspectEffect finds out which request an effect still needs. InspectEffect also inspects the
// effects in Ahead, and reads the record if the input requests the record. InspectEffect sends the
// queries of all reads together (see administrate.ReadTogether). The result omits an effect in
// Ahead whose inspection failed, and a record that could not be read.
func (a *Activities) InspectEffect(ctx context.Context, in activities.EffectInput) (activities.InspectResult, error) {
	by, err := a.currentPlaybook(ctx)
	if err != nil {
		return activities.InspectResult{}, playbookUnavailable("%s", err)
	}
	e := a.effectHandlerFor(in.Effect.Kind, by)
	if e == nil { // the server retries the activity, on any worker
		return activities.InspectResult{}, temporal.NewApplicationError(a.unknownKindText(in.Effect.Kind), string(activities.ReasonUnknownEffectKind))
	}
	var out activities.InspectResult
	inspect := func(ctx context.Context) (err error) {
		out, err = e.inspect(ctx, in)
		return err
	}
	ahead := make([]activities.InspectResult, len(in.Ahead))
	var also []func(context.Context) error
	for n, next := range in.Ahead {
		handler := a.effectHandlerFor(next.Effect.Kind, by)
		if handler == nil || !next.Effect.Kind.IsVerifiable() {
			continue
		}
		one := next.Of(in)
		also = append(also, func(ctx context.Context) error {
			found, err := handler.inspect(ctx, one)
			if err == nil {
				found.Subject = one.Subject()
				ahead[n] = found
			}
			return err
		})
	}
	reading, needsEvents := record.NewRead(a.api, in.Opportunity, in.Interests), by.Playbook.NeedsEvents("")
	if in.ReadRecord {
		readRecord, others := reading.Queries(needsEvents)
		also = append(append(also, readRecord), others...)
	}
	also = append(also, a.prefetch(in)...)
	if err := administrate.ReadTogether(ctx, inspect, also...)[0]; err != nil {
		return activities.InspectResult{}, err
	}
	out.Subject, out.Read = in.Subject(), a.recordRead(ctx, in, reading, needsEvents)
	out.Ahead = slices.DeleteFunc(ahead, func(found activities.InspectResult) bool { return found.Subject == "" })
	return out, nil
}

// prefetch returns functions that read in the first request what the effects read later.
func (a *Activities) prefetch(in activities.EffectInput) []func(context.Context) error {
	var contacts, registers bool
	var all []func(context.Context) error
	expected := make(map[int]opportunity.ID)
	for _, next := range append([]activities.EffectAhead{{Effect: in.Effect, UndoEntry: in.UndoEntry}}, in.Ahead...) {
		one := next.Of(in)
		switch next.Effect.Kind {
		case opportunity.EffectAccount:
			if name := (accountHandler{a}).accountName(one); name != "" && in.Account == "" {
				all = append(all, func(ctx context.Context) error {
					_, err := a.api.AccountsByName(ctx, name)
					return err
				})
			}
		case opportunity.EffectContacts:
			contacts = true
		case opportunity.EffectRegister:
			registers = true
			if events := people.Events(in.Attendees); len(events) > 0 && len(events) <= administrate.MaxEntries {
				all = append(all, func(ctx context.Context) error {
					_, err := a.api.Events(ctx, people.IDStrings(events))
					return err
				})
			}
			if (registerHandler{a}).shouldRelease(one) && slices.ContainsFunc(in.Interests, func(i opportunity.RecordedInterest) bool { return i.Reserve }) {
				all = append(all, func(ctx context.Context) error {
					_, err := a.readReservation(ctx, in.Opportunity)
					return err
				})
			}
		}
		maps.Copy(expected, expectedContacts(next.UndoEntry))
	}
	switch {
	case in.Undo:
		return nil
	case contacts || registers:
		all = append(all, people.Prefetch(a.api, in.Opportunity, in.Account, in.Attendees, expected, registers)...)
	}
	return all
}

func (a *Activities) recordRead(ctx context.Context, in activities.EffectInput, reading *record.Read, needsEvents bool) *activities.RecordRead {
	raw := reading.Record()
	if raw.ID == "" {
		return nil
	}
	found := activities.RecordRead{Record: a.snapshot(raw, in.Reference), TaggedByOther: a.referenceTag.isTaggedByOther(raw, in.Reference)}
	if needsEvents {
		events, err := reading.Events(ctx)
		if err != nil {
			return nil
		}
		found.Events = record.EventChanges(events)
	}
	return &found
}

// ExecuteEffect sends the request that the inspection returned. ExecuteEffect joins this request with
// the requests of the effects in Ahead (see administrate.ChangeTogether).
func (a *Activities) ExecuteEffect(ctx context.Context, in activities.EffectInput) (activities.ExecuteResult, error) {
	by, err := a.currentPlaybook(ctx)
	if err != nil {
		return activities.ExecuteResult{CallResult: playbookUnavailableResult(err)}, nil
	}
	if len(in.Ahead) == 0 {
		return a.executeOne(ctx, by, in)
	}
	all := make([]activities.ExecuteResult, 1+len(in.Ahead))
	changes := make([]func(context.Context) error, len(all))
	for i := range all {
		one := in
		if one.Ahead = nil; i > 0 {
			one = in.Ahead[i-1].Of(in)
		}
		all[i].Subject = one.Subject()
		changes[i] = func(ctx context.Context) error {
			result, err := a.executeOne(ctx, by, one)
			result.Subject = all[i].Subject
			all[i] = result
			return err
		}
	}
	for i, err := range administrate.ChangeTogether(a.withSendDeadline(ctx), changes...) {
		if err != nil {
			all[i].CallResult = activities.CallResult{Subject: all[i].Subject, Status: exchange.StatusUnknown, Reason: activities.ReasonAttemptNotEnded}
		}
	}
	result := all[0]
	result.Ahead = all[1:]
	return result, nil
}

func (a *Activities) executeOne(ctx context.Context, by VersionedPlaybook, in activities.EffectInput) (activities.ExecuteResult, error) {
	e := a.effectHandlerFor(in.Effect.Kind, by)
	switch {
	case e == nil:
		return activities.ExecuteResult{CallResult: activities.CallResult{
			Status: exchange.StatusNotSent, Reason: activities.ReasonUnknownEffectKind, Error: opportunity.Failf(opportunity.Rejected, "%s", a.unknownKindText(in.Effect.Kind)),
		}}, nil
	case in.Request == nil:
		return rejectedResult(opportunity.Invalidf("the input of the activity has no request for the effect %q", in.Effect.Key)), nil
	}
	result, err := e.execute(ctx, in)
	if err == nil {
		result.About = a.rejectedEvents(ctx, in, result.CallResult)
	}
	return result, err
}

func (a *Activities) unknownKindText(kind opportunity.EffectKind) string {
	return fmt.Sprintf("the worker %s does not support effects of kind %q; deploy a later version of the worker", a.version, kind)
}
