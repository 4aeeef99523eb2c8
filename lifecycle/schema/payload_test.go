package main

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/oppflow/oppflow/lifecycle"
	"github.com/oppflow/oppflow/opportunity"
)

func decoders() map[string]func([]byte) error {
	all := map[string]func([]byte) error{
		"start": func(payload []byte) error { _, err := opportunity.DecodeStart(payload); return err },
		lifecycle.CreateOutcome.Name: func(payload []byte) error {
			_, err := opportunity.DecodeStrict[createOutcomeInput](payload)
			return err
		},
		lifecycle.OutcomeOf.Name: func(payload []byte) error {
			_, err := opportunity.DecodeStrict[outcomeInput](payload)
			return err
		},
	}
	for _, verb := range opportunity.MessageNames() {
		all[string(verb)] = func(payload []byte) error { _, err := opportunity.Decode(verb, payload); return err }
		if opportunity.IsOperatorCommand(verb) {
			all[string(verb)] = func(payload []byte) error { _, err := opportunity.DecodeOperatorCommand(verb, payload); return err }
		}
	}
	return all
}

// createOutcomeInput and outcomeInput are the inputs of two updates, with the checks that the
// workflow makes.
type (
	createOutcomeInput lifecycle.CreateOutcomeInput
	outcomeInput       lifecycle.OutcomeInput
)

func (o createOutcomeInput) Validate() error {
	if o.Start == nil {
		return nil
	}
	return o.Start.Validate()
}

func (a outcomeInput) Validate() error {
	if a.RequestID == "" {
		return opportunity.Invalidf("requestId: missing")
	}
	return nil
}

func id(typ, key string) string {
	return base64.StdEncoding.EncodeToString([]byte(typ + ":" + key))
}

// stricter returns the payloads that Oppflow rejects although their schemas do not.
func stricter() []difference {
	const course = `{"quantity":1,"unitAmount":"1"`
	return []difference{
		{"addInterests", `{"interests":[` + course + `,"item":"` + id("Course", "1") + `","kind":"course"}]}`, "a kind that contradicts the item's id: a schema does not decode ids"},
		{"addInterests", `{"interests":[` + course + `,"item":"` + id("Region", "1") + `","kind":"course"}]}`, "an id of something that is no item, beside a kind"},
		{"addInterests", `{"interests":[` + course + `,"item":"Q291cnNlOj"}]}`, "what begins like an id and is none"},
		{"addInterests", `{"interests":[` + course + `,"item":"A","kind":"course","tax":"true"}]}`, "what is made of the letters of an id and is none"},
		{"progress", `{"to":"` + id("Region", "1") + `"}`, "an id of another type where names are allowed, too"},
		{"start", `{"name":"a","region":"` + id("Person", "1") + `"}`, "an id of another type where names are allowed, too"},
		{"addInterests", `{"interests":[` + course + `,"item":"A","kind":"course","learners":[` + strings.Repeat(`{"firstName":"a","lastName":"b","email":"a@b"},`, opportunity.MaxLearners-1) +
			`{"firstName":"a","lastName":"b","email":"a@b"}],"contacts":["` + id("Person", "1") + `"]}]}`, "too many learners and contacts together: a schema does not add"},
		{"progress", `{"to":"Won","requestId":"` + strings.Repeat("é", opportunity.MaxRequestIDLength/2+1) + `"}`, "a request id is counted in bytes, by a schema in characters"},
		{"progress", `{"to":"Won","requestId":"` + "a\u200bb" + `"}`, "a request id with a character beyond Latin-1 that cannot be printed"},
		{"progress", `{"to":"` + "\u2003" + `"}`, "a text of nothing but white space beyond Latin-1"},
		{"addInterests", `{"interests":[{"item":"A","kind":"course","quantity":1.0,"unitAmount":"1"}]}`, "a whole number that is written with a point"},
		{"addInterests", `{"interests":[{"item":"A","kind":"course","quantity":1e1,"unitAmount":"1"}]}`, "a whole number that is written with an exponent"},
		{"addInterests", `{"interests":[` + course + `,"item":"A","kind":"tokens","expiresAt":"2023-02-30T00:00:00"}]}`, "a day the month does not have"},
		{"extendReservations", `{"until":"2023-02-30T00:00:00Z"}`, "a day the month does not have"},
		{"extendReservations", `{"until":"2023-02-20T00:00:00+99:00"}`, "an offset of more than a day"},
		{"extendReservations", `{"until":"0001-01-01T00:00:00Z"}`, "the beginning of time, which counts as left out"},
		{"progress", `{"to":"Won","to":"Lost"}`, "a member that stands twice: a schema sees the last one only"},
		{"updateDetails", `{"name":"a\ud800b"}`, "half of a surrogate pair: a schema sees U+FFFD"},
		{"progress", `{"to":"Won"}` + strings.Repeat(" ", opportunity.MaxCommandBytes), "a payload of too many bytes"},
	}
}

// laxer returns the payloads that Oppflow accepts although their schemas reject them; callers must
// not send such payloads.
func laxer() []difference {
	return []difference{
		{"progress", `{"to":"Won","requestId":null}`, "null stands for a member that is left out"},
		{"extendReservations", `{"until":"2026-12-31T7:00:00Z"}`, "an hour of one digit"},
		{"extendReservations", `{"until":"2026-12-31T17:00:00,5Z"}`, "a fraction of a second after a comma"},
	}
}

type difference struct{ name, payload, why string }

func TestWhereTheyDiffer(t *testing.T) {
	checker, decode := newChecker(t), decoders()
	for _, d := range stricter() {
		if err := checker.refuses(d.name, []byte(d.payload)); err != nil {
			t.Errorf("%s: the schema says it by now: %v", d.why, err)
		}
		if decode[d.name]([]byte(d.payload)) == nil {
			t.Errorf("%s: Oppflow takes it", d.why)
		}
	}
	for _, d := range laxer() {
		if checker.refuses(d.name, []byte(d.payload)) == nil {
			t.Errorf("%s: the schema allows it by now", d.why)
		}
		if err := decode[d.name]([]byte(d.payload)); err != nil {
			t.Errorf("%s: Oppflow refuses it: %v", d.why, err)
		}
	}
}

// A schema rejects exactly what Oppflow rejects, except for the payloads that the functions
// stricter and laxer return.
func TestSchemasRefuseWhatOppflowRefuses(t *testing.T) {
	checker, decode := newChecker(t), decoders()
	for _, d := range documents() {
		if d.isResponse {
			continue
		}
		if decode[d.name] == nil {
			t.Fatalf("%s: nobody decodes it", d.name)
		}
		t.Run(d.name, func(t *testing.T) {
			refused, taken := 0, 0
			rapid.Check(t, func(t *rapid.T) {
				payload := drawPayload(t, d.name)
				valid := encode(t, payload)
				if err := decode[d.name](valid); err != nil {
					t.Fatalf("drawn as valid, but refused: %v\n%s", err, valid)
				}
				if err := checker.refuses(d.name, valid); err != nil {
					t.Fatalf("Oppflow takes it, the schema does not: %v\n%s", err, valid)
				}
				var said []string
				for range rapid.IntRange(1, 2).Draw(t, "mutations") {
					said = append(said, mutate(t, payload))
				}
				mutant := encode(t, payload)
				if len(mutant) > opportunity.MaxCommandBytes {
					return
				}
				bySchema, byOppflow := checker.refuses(d.name, mutant), decode[d.name](mutant)
				if (bySchema == nil) != (byOppflow == nil) {
					t.Fatalf("%s:\n%s\nthe schema: %v\nOppflow: %v", strings.Join(said, ", "), mutant, bySchema, byOppflow)
				}
				if byOppflow == nil {
					taken++
				} else {
					refused++
				}
			})
			if refused == 0 || taken == 0 {
				t.Errorf("%d mutants were refused and %d taken: nothing is compared", refused, taken)
			}
		})
	}
}

func encode(t *rapid.T, payload jsonObject) []byte {
	data, err := json.Marshal(payload)
	if err != nil {
		t.Fatal(err)
	}
	return data
}

type jsonObject = map[string]any

func text() *rapid.Generator[string] {
	return rapid.StringMatching(`[A-Za-z0-9 ,.()'äß中]{0,20}[A-Za-z0-9]`)
}

func textOr(typ string) *rapid.Generator[string] {
	return rapid.OneOf(text(), ids(typ))
}

func timestamps() *rapid.Generator[string] {
	return rapid.StringMatching(`20[0-9]{2}-(0[1-9]|1[0-2])-(0[1-9]|1[0-9]|2[0-8])T([01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9](\.[0-9]{1,9})?(Z|[+-](0[0-9]|1[0-3]):[0-5][0-9])`)
}

func ids(typ string) *rapid.Generator[string] {
	return rapid.Map(rapid.StringMatching(`[0-9a-f]{1,12}`), func(key string) string { return id(typ, key) })
}

func drawPayload(t *rapid.T, name string) map[string]any {
	payload := make(map[string]any)
	put := func(member string, value *rapid.Generator[string], wanted bool) {
		if wanted || rapid.Bool().Draw(t, "has "+member) {
			payload[member] = value.Draw(t, member)
		}
	}
	switch name {
	case "start":
		if rapid.IntRange(0, 3).Draw(t, "adopts") == 0 {
			put("adopt", ids(opportunity.TypeOpportunity), true)
			break
		}
		put("name", text(), true)
		put("region", textOr(opportunity.TypeRegion), true)
		put("account", textOr(opportunity.TypeAccount), false)
		put("currency", text(), false)
		put("entryStep", textOr(opportunity.TypeStep), false)
		if rapid.Bool().Draw(t, "has interests") {
			payload["interests"] = interests(t, 0)
		}
	case "addInterests":
		payload["interests"] = interests(t, 1)
	case "progress":
		put("to", textOr(opportunity.TypeStep), true)
	case "updateDetails":
		put("name", text(), false)
		put("account", textOr(opportunity.TypeAccount), false)
		put("currency", text(), len(payload) == 0)
	case "extendReservations":
		put("until", timestamps(), true)
	case "pause":
		put("reason", text(), false)
	case "retry", "confirm":
		put("request", text(), true)
	case "acknowledge":
		put("request", text(), true)
		put("kind", text(), false)
	case "skip":
		put("request", text(), true)
		put("reason", text(), true)
	case "snooze":
		put("followUp", text(), true)
		put("until", timestamps(), true)
		put("reason", text(), false)
	case "cancelFollowUp":
		put("followUp", text(), true)
		put("reason", text(), true)
	case "close":
		put("reason", text(), true)
	case "opened":
		if rapid.Bool().Draw(t, "has start") {
			payload["start"] = drawPayload(t, "start")
		}
		return payload
	case "outcome":
		put("requestId", text(), true)
		return payload
	}
	put("requestId", rapid.StringMatching(`[A-Za-z0-9 /:.@-]{1,40}`), false)
	return payload
}

func interests(t *rapid.T, fewest int) []any {
	list := []any{}
	for range rapid.IntRange(fewest, 3).Draw(t, "interests") {
		types := map[opportunity.InterestKind]string{
			opportunity.Course: opportunity.TypeCourse, opportunity.Event: opportunity.TypeEvent,
			opportunity.Path: opportunity.TypePath, opportunity.Tokens: opportunity.TypeTokens,
		}
		kind := rapid.SampledFrom([]opportunity.InterestKind{opportunity.Course, opportunity.Event, opportunity.Path, opportunity.Tokens}).Draw(t, "kind")
		one := jsonObject{
			"quantity":   rapid.IntRange(1, opportunity.MaxQuantity).Draw(t, "quantity"),
			"unitAmount": rapid.StringMatching(`[0-9]{1,15}(\.[0-9]{1,4})?`).Draw(t, "amount"),
		}
		byID := rapid.Bool().Draw(t, "by id")
		if byID {
			one["item"] = ids(types[kind]).Draw(t, "item")
		} else {
			one["item"] = text().Draw(t, "item")
		}
		if !byID || rapid.Bool().Draw(t, "says the kind") {
			one["kind"] = string(kind)
		}
		if kind == opportunity.Event && rapid.Bool().Draw(t, "reserves") {
			one["reserve"] = true
		}
		switch {
		case kind == opportunity.Tokens && rapid.Bool().Draw(t, "expires"):
			one["expiresAt"] = "2023-12-31T23:59:59"
		case kind != opportunity.Tokens && rapid.Bool().Draw(t, "has people"):
			one["learners"] = []any{jsonObject{"firstName": "Melissa", "lastName": text().Draw(t, "last name"), "email": "melissa@example.com"}}
			one["contacts"] = []any{ids(opportunity.TypeContact).Draw(t, "contact")}
		}
		if rapid.Bool().Draw(t, "has tax") {
			one["tax"] = id("Tax", "1")
		}
		list = append(list, one)
	}
	return list
}

// mutate changes one thing somewhere in the payload and returns a description of the
// change.
func mutate(t *rapid.T, payload jsonObject) string {
	at := objects(payload)
	o := at[rapid.IntRange(0, len(at)-1).Draw(t, "object")]
	present := memberNames(o)
	if len(present) == 0 || rapid.IntRange(0, 3).Draw(t, "adds") == 0 {
		name := rapid.SampledFrom([]string{
			"requestId", "name", "region", "adopt", "interests", "until", "reason", "request", "to", "reserve", "expiresAt",
			"learners", "contacts", "kind", "unknown", "", "$schema",
		}).Draw(t, "member")
		o[name] = otherValue(t)
		keepComparable(o, name)
		return fmt.Sprintf("%q added", name)
	}
	name := rapid.SampledFrom(present).Draw(t, "member")
	if rapid.IntRange(0, 3).Draw(t, "removes") == 0 {
		delete(o, name)
		return fmt.Sprintf("%q removed", name)
	}
	if list, ok := o[name].([]any); ok && len(list) > 0 && rapid.Bool().Draw(t, "resizes") {
		limit := opportunity.MaxLearners
		if name == "interests" {
			limit = opportunity.MaxInterestsPerCommand
		}
		size := rapid.SampledFrom([]int{0, limit, limit + 1}).Draw(t, "size")
		if name == "contacts" { // together with the learner this is one too many: see stricter
			size = min(size, limit-1)
		}
		resized := make([]any, 0, size)
		for n := range size {
			resized = append(resized, list[n%len(list)])
		}
		if name == "learners" {
			delete(o, "contacts")
		}
		o[name] = resized
		return fmt.Sprintf("%q of %d", name, size)
	}
	o[name] = otherValue(t)
	keepComparable(o, name)
	return fmt.Sprintf("%q replaced", name)
}

// keepComparable replaces the value of the member when Oppflow rejects this value but the schema
// accepts it.
func keepComparable(o jsonObject, name string) {
	value, isText := o[name].(string)
	switch item, _ := o["item"].(string); {
	case isText && name == "tax":
		o[name] = "no id"
	case isText && name == "kind" && value != "" && opportunity.ID(item).Type() != "":
		o[name] = "no kind"
	}
}

func otherValue(t *rapid.T) any {
	texts := []any{
		"", " ", "\t", "a\nb", "a\u0000b", "a\u0085b", "\u00a0", "#1", "a@b", "a@", "@b", "a@b@c", "a b@c", "course", "event", "tokens", "Course", "true", "1", "1.", "1.50",
		"-1", "+1", "1e5", "1,50", ".5", "12345678901234567890", "0.12345", "2026-12-31T17:00:00Z", "2026-12-31T17:00:00+01:00", "2026-12-31T17:00:00",
		"2026-12-31 17:00:00Z", "2026-12-31t17:00:00z", "2026-12-31", "2026-13-31T17:00:00Z", "2026-12-31T24:00:00Z", "2026-12-31T17:00:60Z", "2026-12-31T17:00:00.5Z",
		"2023-12-31T23:59:59", "2023-12-31T23:59:59.5", "2023-12-31T23:59", "中文", "😀", "é",
		strings.Repeat("x", opportunity.MaxTextLength), strings.Repeat("x", opportunity.MaxTextLength+1), strings.Repeat("中", opportunity.MaxTextLength),
		strings.Repeat("y", opportunity.MaxRequestIDLength), strings.Repeat("y", opportunity.MaxRequestIDLength+1),
	}
	numbers := []any{0, -1, 1, 1.5, opportunity.MaxQuantity, opportunity.MaxQuantity + 1, true, false}
	composites := []any{jsonObject{}, []any{}, []any{"a"}, []any{jsonObject{}}, []any{1}, jsonObject{"name": "a", "region": "b"}}
	return rapid.SampledFrom(slices.Concat(texts, numbers, composites)).Draw(t, "value")
}

// objects returns all JSON objects in the payload in a fixed order, beginning with the payload
// itself.
func objects(value any) []jsonObject {
	switch value := value.(type) {
	case jsonObject:
		all := []jsonObject{value}
		for _, name := range memberNames(value) {
			all = append(all, objects(value[name])...)
		}
		return all
	case []any:
		var all []jsonObject
		for _, element := range value {
			all = append(all, objects(element)...)
		}
		return all
	}
	return nil
}

func memberNames(o jsonObject) []string {
	var all []string
	for name := range o {
		all = append(all, name)
	}
	slices.Sort(all)
	return all
}
