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
	"github.com/oppflow/oppflow/exchange"
	"github.com/oppflow/oppflow/opportunity"
)

// effectHandler inspects effects of one kind and executes their requests.
type effectHandler interface {
	inspect(ctx context.Context, in activities.EffectInput) (activities.InspectResult, error)
	execute(ctx context.Context, in activities.EffectInput) (activities.ExecuteResult, error)
}

// effectHandlers makes the handlers of effects. It has an exported method for each kind, in the file
// of the kind, whose name is the kind's with a capital. effectHandlerFor finds the methods by their
// names, as the SDK finds the activities of a struct.
type effectHandlers struct {
	activities *Activities
	playbook   VersionedPlaybook
}

// effectHandlerFor returns the handler for the kind by the playbook; nil where there is none.
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

// notesOf returns what the effect noted for itself. N is a struct of texts; the tag of a field names
// the note.
func notesOf[N any](entry exchange.UndoEntry) N {
	var notes N
	value := reflect.ValueOf(&notes).Elem()
	for field := range value.Type().Fields() {
		value.FieldByIndex(field.Index).SetString(entry.Notes[field.Tag.Get("note")])
	}
	return notes
}

// withNotes returns the undo entry with the notes; an empty text removes its note. The given undo
// entry stays unchanged.
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

// requestNotes are the notes of effects that send a request whose result the API does not show in
// full.
type requestNotes struct {
	// Inspected: an inspection read the state before the effect requested anything.
	Inspected string `note:"looked"`
	// Confirmed: the API responded that it did what the effect requested.
	Confirmed string `note:"asked"`
}

// confirmedResult returns the result of a request, confirmed where the request was done.
func confirmedResult(in activities.EffectInput, err error) activities.ExecuteResult {
	result := activities.ExecuteResult{CallResult: callResult(err), UndoEntry: in.UndoEntry}
	if err == nil {
		notes := notesOf[requestNotes](in.UndoEntry)
		notes.Confirmed = "yes"
		result.UndoEntry = withNotes(in.UndoEntry, notes)
	}
	return result
}

// settingsOf returns the settings of the effect; nil where there are none.
func settingsOf[S any](in activities.EffectInput) *S {
	return exchange.SettingsOf[S](in.Effect.Settings)
}

// InspectEffect finds out which request an effect still needs.
func (a *Activities) InspectEffect(ctx context.Context, in activities.EffectInput) (activities.InspectResult, error) {
	by, err := a.currentPlaybook(ctx)
	if err != nil {
		return activities.InspectResult{}, playbookUnavailable("%s", err)
	}
	e := a.effectHandlerFor(in.Effect.Kind, by)
	if e == nil { // the server retries the activity, on any worker
		return activities.InspectResult{}, temporal.NewApplicationError(a.unknownKindText(in.Effect.Kind), string(activities.ReasonUnknownEffectKind))
	}
	out, err := e.inspect(ctx, in)
	out.Subject = in.Subject()
	return out, err
}

// ExecuteEffect sends the request that the inspection returned.
func (a *Activities) ExecuteEffect(ctx context.Context, in activities.EffectInput) (activities.ExecuteResult, error) {
	by, err := a.currentPlaybook(ctx)
	if err != nil {
		return activities.ExecuteResult{CallResult: playbookUnavailableResult(err)}, nil
	}
	e := a.effectHandlerFor(in.Effect.Kind, by)
	switch {
	case e == nil:
		return activities.ExecuteResult{CallResult: activities.CallResult{
			Status: exchange.StatusNotSent, Reason: activities.ReasonUnknownEffectKind, Error: opportunity.Failf(opportunity.Rejected, "%s", a.unknownKindText(in.Effect.Kind)),
		}}, nil
	case in.Request == nil:
		return rejectedResult(opportunity.Invalidf("no request is given for the effect %q", in.Effect.Key)), nil
	}
	return e.execute(ctx, in)
}

func (a *Activities) unknownKindText(kind opportunity.EffectKind) string {
	return fmt.Sprintf("the worker %s does not know effects of kind %q; deploy a later version", a.version, kind)
}
