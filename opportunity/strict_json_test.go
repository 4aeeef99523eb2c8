package opportunity_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/oppflow/oppflow/opportunity"
	"github.com/oppflow/oppflow/settings/testrun"
)

var validMessages = map[string]string{
	"(start)":            `{"name":"x","region":"UK","interests":[{"item":"x","kind":"event","quantity":1,"unitAmount":"1","learners":[{"firstName":"Ada","lastName":"L","email":"a@b"}]}]}`,
	"addInterests":       `{"interests":[{"item":"x","kind":"event","quantity":1,"unitAmount":"1","learners":[{"firstName":"Ada","lastName":"L","email":"a@b"}]}]}`,
	"progress":           `{"to":"Won"}`,
	"updateDetails":      `{"name":"x"}`,
	"extendReservations": `{"until":"2031-01-31T17:00:00Z"}`,
	"pause":              `{"reason":"x"}`,
	"resume":             `{}`,
	"refresh":            `{}`,
	"retry":              `{"request":"x"}`,
	"skip":               `{"request":"x","reason":"x"}`,
	"snooze":             `{"followUp":"x","until":"2031-01-31T17:00:00Z"}`,
	"cancelFollowUp":     `{"followUp":"x","reason":"x"}`,
	"confirm":            `{"request":"x"}`,
	"acknowledge":        `{"request":"x"}`,
	"close":              `{"reason":"x"}`,
}

func decodeAny(name string, payload []byte) error {
	var err error
	switch verb := opportunity.MessageName(name); {
	case name == "(start)":
		_, err = opportunity.DecodeStart(payload)
	case opportunity.IsOperatorCommand(verb):
		_, err = opportunity.DecodeOperatorCommand(verb, payload)
	default:
		_, err = opportunity.Decode(verb, payload)
	}
	return err
}

// TestMessagesThatDecodingWouldAlterAreInvalid checks in every message that a text is Invalid when
// the JSON decoder would change the text without an error.
func TestMessagesThatDecodingWouldAlterAreInvalid(t *testing.T) {
	if want := len(opportunity.MessageNames()) + 1; len(validMessages) != want {
		t.Fatalf("%d messages; want %d", len(validMessages), want)
	}
	with := func(payload, member string) string {
		if payload == "{}" {
			return "{" + member + "}"
		}
		return "{" + member + "," + payload[1:]
	}
	for name, payload := range validMessages {
		for _, c := range []struct{ payload, says string }{
			{payload, ""},
			{with(payload, `"requestId":"r"`), ""},
			{with(payload, `"requestId":"\ud83d\ude00é\\ud800"`), ""},
			{with(payload, `"requestId":""`), "requestId: the value is empty"},
			{with(payload, `"requestid":"r"`), `unknown member "requestid"; give member "requestId"`},
			{with(payload, `"requestId":"a\ud800b"`), "half of a surrogate pair at byte 15"},
			{with(payload, `"requestId":"a\udc00"`), "half of a surrogate pair"},
			{with(payload, `"requestId":"\ud83d\ud83d\ude00"`), "half of a surrogate pair at byte 14"},
			{with(payload, `"requestId":"\\\uD800"`), "half of a surrogate pair at byte 16"},
			{with(payload, "\"requestId\":\"a\xff\""), "the JSON is not valid UTF-8 at byte 15"},
			{with(payload, "\"requestId\":\"a\xed\xa0\x80\""), "not valid UTF-8"},
			{with(payload, "\"request\xffId\":\"a\""), "not valid UTF-8"},
			{with(payload, `"requestId":"r","requestId":"s"`), `member "requestId" appears twice`},
		} {
			err := decodeAny(name, []byte(c.payload))
			if c.says == "" {
				if err != nil {
					t.Errorf("%s %s: %v", name, c.payload, err)
				}
				continue
			}
			if err == nil || !strings.HasPrefix(err.Error(), "Invalid: ") || !strings.Contains(err.Error(), c.says) {
				t.Errorf("%s %s: got %v; want %s", name, c.payload, err, c.says)
			}
		}
		for _, member := range []string{"name", "region", "interests", "item", "kind", "quantity", "unitAmount", "learners", "firstName", "lastName", "email", "to", "until", "reason", "request", "followUp"} {
			quoted := fmt.Sprintf("%q:", member)
			other := strings.ToUpper(member)
			if !strings.Contains(payload, quoted) {
				continue
			}
			err := decodeAny(name, []byte(strings.Replace(payload, quoted, fmt.Sprintf("%q:", other), 1)))
			if err == nil || !strings.Contains(err.Error(), fmt.Sprintf("%q", other)) && !strings.Contains(err.Error(), member) {
				t.Errorf("%s with %s: got %v", name, other, err)
			}
			for _, broken := range []string{`a\ud800b`, "a\xffb"} {
				text := strings.Replace(payload, quoted+`"`, quoted+`"`+broken, 1)
				if err := decodeAny(name, []byte(text)); text != payload && err == nil {
					t.Errorf("%s with %s of %q is taken", name, member, broken)
				}
			}
		}
	}
	err := decodeAny("addInterests", []byte(`{"interests":[{"item":"x","kind":"event","quantity":1,"unitAmount":"1"},{"item":"x","kind":"event","quantity":1,"unitAmount":"1","learners":[{"firstName":"Ada","LastName":"L","email":"a@b"}]}]}`))
	wantError(t, err, opportunity.Invalid, `interests[1].learners[0]: unknown member "LastName"; give member "lastName"`)
}

// TestDecodeLoose checks that DecodeLoose decodes the messages that earlier releases accepted, in
// the same way as the earlier releases.
func TestDecodeLoose(t *testing.T) {
	for _, c := range []struct{ name, payload string }{
		{"progress", `{"TO":"Won"}`},
		{"progress", `{"to":"Won","requestId":""}`},
		{"updateDetails", `{"name":"a\ud800b"}`},
		{"pause", `{"Reason":"x"}`},
		{"resume", `{"requestId":""}`},
	} {
		if err := decodeAny(c.name, []byte(c.payload)); err == nil {
			t.Errorf("%s %s: not Invalid", c.name, c.payload)
		}
		message, err := opportunity.DecodeLoose(opportunity.MessageName(c.name), []byte(c.payload))
		if err != nil || string(message.MessageName()) != c.name || message.GetRequestID() != "" {
			t.Errorf("%s %s: got %+v, %v", c.name, c.payload, message, err)
		}
	}
	if start, err := opportunity.DecodeStartLoose([]byte(`{"NAME":"a\ud800b","region":"UK"}`)); err != nil || start.Name != "a\ufffdb" {
		t.Errorf("a start: got %+v, %v", start, err)
	}
	for _, payload := range []string{`{"to":"Won","to":"Lost"}`, `{}`, `{"by":"me"}`, `{"to":"` + strings.Repeat("x", opportunity.MaxCommandBytes) + `"}`} {
		if _, err := opportunity.DecodeLoose(opportunity.MessageProgress, []byte(payload)); err == nil {
			t.Errorf("%.40s is taken", payload)
		}
	}
}

// TestErrorsOfMessagesAreShort checks that every error about a wrong message is short, because the
// response to a workflow task contains ten such errors.
func TestErrorsOfMessagesAreShort(t *testing.T) {
	size := testrun.Pick(t, 16<<10, opportunity.MaxCommandBytes-200)
	long := strings.Repeat("7", size)
	for _, payload := range []string{
		`{"to":` + long + `}`, `{"` + long + `":1}`, `{"to":"` + long + `"}`, `{"requestId":"` + long + `"}`, `{"reason":"` + long + `"}`,
		`{"interests":[{"item":"x","kind":"` + long + `"}]}`, `{"interests":[{"quantity":` + long + `}]}`, `{"interests":[{"unitAmount":"` + long + `"}]}`,
		`{"interests":[{"unitAmount":` + long + `}]}`, `{"interests":[{"item":"x","kind":"course","quantity":1,"unitAmount":"1","tax":"` + long + `"}]}`,
		`{"interests":[{"item":"x","kind":"tokens","quantity":1,"unitAmount":"1","expiresAt":"` + long + `"}]}`, `{"adopt":"` + long + `"}`,
		`{"until":"` + long + `"}`, `{"until":` + long + `}`, `{"followUp":"` + long + `"}`, `{"request":"` + long + `"}`,
		strings.Repeat("[", size), strings.Repeat(`{"interests":[`, size/14), `{"interests":` + strings.Repeat("[", size) + `}`, long, `{"to":"` + strings.Repeat(`\"`, size/2) + `"}`,
	} {
		for name := range validMessages {
			if err := decodeAny(name, []byte(payload)); err == nil || len(err.Error()) > 500 {
				t.Errorf("%s %.40s: %.600v", name, payload, err)
			}
		}
	}
	if err := decodeAny(strings.Repeat("x", size), []byte(`{}`)); err == nil || len(err.Error()) > 500 {
		t.Errorf("a long name: %.600v", err)
	}
}

func TestRequestIDIn(t *testing.T) {
	for payload, want := range map[string]string{
		`{"requestId":"r","by":"me"}`:       "r",
		`{"by":{"requestId":"s"}}`:          "",
		`{"to":["x"],"requestId":"r","by":`: "r",
		`{"requestId":"r","requestId":"s"}`: "",
		`{"requestId":5}`:                   "",
		`{"requestId":"#1"}`:                "",
		`{"RequestId":"r"}`:                 "",
		`{"requestId":"a\ud800"}`:           "",
		"{\"requestId\":\"a\xff\"}":         "",
		`{"requestId":"r","to":"a\ud800"}`:  "r",
		`"r"`:                               "",
		`{"a":{"requestId":"s"},"requestId":"r","b":[{"requestId":"t"}]}`: "r",
		`{"requestId":null,"a":"r"}`:                                      "",
		`{"requestId":{"requestId":"r"}}`:                                 "",
		strings.Repeat("[", 1<<18):                                        "",
		`{"a":` + strings.Repeat("[", 1<<18):                              "",
		`[{"requestId":"r"}]`:                                             "",
		``:                                                                "",
		`{"requestId":"` + strings.Repeat("x", 201) + `"}`:                "",
	} {
		if got := opportunity.RequestIDIn([]byte(payload)); got != want {
			t.Errorf("%.60s: got %q, want %q", payload, got, want)
		}
	}
}
