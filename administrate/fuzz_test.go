package administrate

import (
	"context"
	"encoding/json"
	"fmt"
	"math/big"
	"testing"
	"time"

	"github.com/oppflow/oppflow/administrate/transport"
)

// FuzzAmount: if the client decodes an amount, the result is exactly the number in the text.
func FuzzAmount(f *testing.F) {
	for _, seed := range []string{
		`"199.90"`, `199.90`, `0`, `-1`, `null`, `""`, `"1e3"`, `1E-7`, `1e400`, `"0x1"`, `"１"`, `"+5"`, `" 1"`, `".5"`, `{}`, `"NaN"`,
		`0.1000000000000000055511151231257827`,
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, raw []byte) {
		if !json.Valid(raw) {
			return
		}
		var a transport.Amount
		if json.Unmarshal(raw, &a) != nil || !a.Valid {
			return
		}
		var text string
		if json.Unmarshal(raw, &text) != nil {
			var number json.Number
			if err := json.Unmarshal(raw, &number); err != nil {
				t.Fatalf("%s was taken as %v", raw, a.Decimal)
			}
			text = number.String()
		}
		want, ok := new(big.Rat).SetString(text)
		if !ok || want.Cmp(a.Decimal.Rat()) != 0 {
			t.Errorf("%s was taken as %v", raw, a.Decimal)
		}
	})
}

// FuzzZonedTime: the client decodes only a time with an offset, and the result is exactly the time
// in the text.
func FuzzZonedTime(f *testing.F) {
	for _, seed := range []string{
		`"2026-11-30T16:00:00+00:00"`, `"2026-11-30T16:00:00.123456Z"`, `"2026-11-30T16:00:00"`, `null`, `0`, `"2026-02-30T00:00:00Z"`,
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, raw []byte) {
		var m transport.ZonedTime
		if !json.Valid(raw) || json.Unmarshal(raw, &m) != nil || m.Time == nil {
			return
		}
		var text string
		if err := json.Unmarshal(raw, &text); err != nil {
			t.Fatalf("%s was taken as a time", raw)
		}
		again, err := time.Parse(time.RFC3339Nano, m.Format(time.RFC3339Nano))
		if err != nil || !again.Equal(*m.Time) {
			t.Errorf("%s was taken as %v", raw, m.Time)
		}
	})
}

// FuzzAnswer: no response makes the client panic, and the client reports success only for a payload
// without errors.
func FuzzAnswer(f *testing.F) {
	for _, seed := range []string{
		`{"addInterest":{"errors":[],"interests":[{"id":"1"}]}}`, `{"addInterest":{"errors":[{}]}}`, `null`, `[]`, `{"addInterest":null}`,
		`{"addInterest":{"errors":[null],"interests":[null]}}`, `{"addInterest":{"interests":[{"id":1}]}}`, `{"progress":{}}`,
	} {
		f.Add([]byte(seed), "errors")
	}
	op := opportunityMutation{field: "addInterest", resultKey: memberInterests}
	f.Fuzz(func(t *testing.T, raw []byte, path string) {
		if !json.Valid(raw) {
			return
		}
		got := op.resultOf(transport.Document{}, "m0", raw, []transport.GraphQLError{{Path: []any{"m0", "addInterest", path}}})
		if got.Err != nil {
			if got.Interests != nil || got.Opportunity != nil {
				t.Errorf("%s: an answer with an error and a result: %+v", raw, got)
			}
			return
		}
		var form struct {
			AddInterest struct {
				Errors    []any
				Interests []struct{ ID string }
			}
		}
		if err := json.Unmarshal(raw, &form); err != nil || len(form.AddInterest.Errors) > 0 ||
			len(form.AddInterest.Interests) == 0 || path == "errors" {
			t.Errorf("%s counts as done", raw)
		}
		for _, i := range got.Interests {
			if i.ID == "" {
				t.Errorf("%s gives an interest without an id", raw)
			}
		}
	})
}

type fixedSender transport.Response

func (s fixedSender) Send(context.Context, transport.Document) (transport.Response, error) {
	return transport.Response(s), nil
}

// answeringClient returns a client whose server always returns the given payload and one top-level
// error with the given path.
func answeringClient(t *testing.T, namespace, field string, payload []byte, path ...any) *Client {
	t.Helper()
	c, err := NewWithSender(fixedSender{
		Data:   fmt.Appendf(nil, `{%q:{%q:%s}}`, namespace, field, payload),
		Errors: []transport.GraphQLError{{Path: append([]any{namespace, field}, path...)}},
	}, Assumptions{})
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// FuzzStandaloneMutation: no response to a mutation outside the namespace opportunities makes the
// client panic. The client reports success only for a payload with an object and without errors.
func FuzzStandaloneMutation(f *testing.F) {
	for _, seed := range []string{
		`{"errors":[],"learners":[{"id":"1"}]}`, `{"errors":[{}]}`, `{"errors":[],"learners":[]}`, `null`, `{}`, `[]`, `1`, `{"errors":{}}`,
		`{"learners":[{"id":"1"},{"id":""}]}`, `{"learners":[{"id":"1","contact":{"id":"c"}}]}`, `{"learners":[null]}`, `{"learners":{"id":"1"}}`,
	} {
		f.Add([]byte(seed), "errors")
		f.Add([]byte(seed), "other")
	}
	f.Fuzz(func(t *testing.T, raw []byte, path string) {
		if !json.Valid(raw) {
			return
		}
		c := answeringClient(t, "event", "registerContacts", raw, path)
		got, err := c.RegisterContacts(t.Context(), RegisterContacts{EventID: "e", ContactIDs: []string{"c"}})
		if (err == nil) != (len(got.Learners) > 0) {
			t.Errorf("%s: %+v, %v", raw, got, err)
		}
		var form struct {
			Errors   []any
			Learners []struct{ ID string }
		}
		clean := json.Unmarshal(raw, &form) == nil
		if err == nil && (clean && (len(form.Errors) > 0 || len(form.Learners) == 0) || path == "errors") {
			t.Errorf("%s counts as done", raw)
		}
		for _, l := range got.Learners {
			if l.ID == "" {
				t.Errorf("%s gives a learner without an id", raw)
			}
		}
	})
}

// FuzzBatch makes the same check as FuzzStandaloneMutation for a mutation with a list of entries.
func FuzzBatch(f *testing.F) {
	for _, seed := range []string{
		`[{"errors":[],"contact":{"id":"1"}},{"errors":[{}]}]`, `[{"errors":[],"contact":null},null]`, `null`, `{}`, `[]`, `[1,{"errors":{}}]`,
		`[{"contact":{"id":"1"}},{"contact":{"id":""}}]`, `[{"contact":{"id":"1","account":{"id":"a"}}},{"contact":{}}]`, `[{"contact":[]},{"contact":{"id":1}}]`,
	} {
		f.Add([]byte(seed), "errors", 1.0)
		f.Add([]byte(seed), "other", 0.0)
	}
	f.Fuzz(func(t *testing.T, raw []byte, path string, at float64) {
		if !json.Valid(raw) {
			return
		}
		c := answeringClient(t, "contact", "createBatch", raw, at, path)
		answers, err := c.CreateContacts(t.Context(), []NewContact{{FirstName: "f", LastName: "l"}, {FirstName: "f", LastName: "l"}})
		if err != nil {
			if answers != nil {
				t.Errorf("%s: an error and answers", raw)
			}
			return
		}
		if len(answers) != 2 {
			t.Fatalf("%s: %d answers", raw, len(answers))
		}
		var form []struct {
			Errors  []any
			Contact *struct{ ID string }
		}
		clean := json.Unmarshal(raw, &form) == nil
		for i, a := range answers {
			if (a.Err == nil) != (a.Contact != nil) {
				t.Errorf("%s: entry %d has %+v, %v", raw, i, a.Contact, a.Err)
			}
			if a.Err == nil && (clean && (len(form[i].Errors) > 0 || form[i].Contact == nil) || path == "errors" && at == float64(i)) {
				t.Errorf("%s: entry %d counts as done", raw, i)
			}
			if a.Contact != nil && a.Contact.ID == "" {
				t.Errorf("%s gives a contact without an id", raw)
			}
		}
	})
}

// FuzzTimes: the client keeps the wall-clock value of a time without an offset.
func FuzzTimes(f *testing.F) {
	for _, seed := range []string{
		`"2031-03-03T09:00:00"`, `"2031-03-03T09:00:00.999"`, `"2031-03-03T09:00:00Z"`, `"2031-03-03T09:00:00+05:30"`, `null`, `7`, `""`, `"2031-02-30T00:00:00"`,
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, raw []byte) {
		if !json.Valid(raw) {
			return
		}
		var local localTime
		isLocal := json.Unmarshal(raw, &local) == nil && local != ""
		if isLocal && !LocalTime(local).valid() {
			t.Errorf("%s was taken as %q", raw, local)
		}
		var m transport.ZonedTime
		isMoment := json.Unmarshal(raw, &m) == nil && m.Time != nil
		if isLocal && isMoment {
			t.Errorf("%s is with and without an offset", raw)
		}
		var s anyTime
		if err := json.Unmarshal(raw, &s); err != nil {
			if isLocal || isMoment {
				t.Errorf("%s: %v", raw, err)
			}
			return
		}
		if s.given != (isLocal || isMoment) || (s.at != nil) != isMoment || isMoment && !s.at.Equal(*m.Time) {
			t.Errorf("%s was taken as %+v", raw, s)
		}
	})
}
