package globalid_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/oppflow/oppflow/sandbox/globalid"
)

// Documented (API notes 3.4): documentedIDs contains the ids of the API documentation, and one
// observed id.
var documentedIDs = map[string]globalid.ID{
	"T3Bwb3J0dW5pdHk6MQ==":         {Type: globalid.Opportunity, Key: "1"},
	"T3Bwb3J0dW5pdHk6Mg==":         {Type: globalid.Opportunity, Key: "2"},
	"T3Bwb3J0dW5pdHlTdGVwOjM=":     {Type: globalid.OpportunityStep, Key: "3"},
	"T3Bwb3J0dW5pdHlTdGVwOjQ=":     {Type: globalid.OpportunityStep, Key: "4"},
	"T3Bwb3J0dW5pdHlTdGFnZToz":     {Type: globalid.OpportunityStage, Key: "3"},
	"T3Bwb3J0dW5pdHlJbnRlcmVzdDox": {Type: globalid.OpportunityInterest, Key: "1"},
	"T3JnYW5pc2F0aW9uOjI=":         {Type: globalid.Account, Key: "2"},
	"UmVnaW9uOkRS":                 {Type: globalid.Region, Key: "DR"},
	"Q291cnNlVGVtcGxhdGU6MTE=":     {Type: globalid.CourseTemplate, Key: "11"},
	"Q291cnNlOjE=":                 {Type: globalid.Event, Key: "1"},
	"TGVhcm5pbmdQYXRoOjE=":         {Type: globalid.LearningPath, Key: "1"},
	"UGVyc29uOjI=":                 {Type: globalid.Contact, Key: "2"},
	"VG9rZW5UeXBlOjg4NDhhM2IzOGFkZjQ1ZGI4ZmY2MGZhZmNiZDNiM2Y2": {Type: globalid.TrainingTokenType, Key: "8848a3b38adf45db8ff60fafcbd3b3f6"},
}

func TestParseReadsTheIDsTheAPIShows(t *testing.T) {
	for text, want := range documentedIDs {
		got, err := globalid.Parse(text)
		if err != nil || got != want {
			t.Errorf("Parse(%q) = %v, %v, want %v", text, got, err, want)
		}
		if got := globalid.Encode(want.Type, want.Key); got != text {
			t.Errorf("%#v is written %q, want %q", want, got, text)
		}
	}
}

func TestParseRejectsMalformedIDs(t *testing.T) {
	for name, text := range map[string]string{
		"empty":             "",
		"not base64":        "Opportunity:1",
		"no padding":        "T3Bwb3J0dW5pdHk6MQ",
		"line break":        "T3Bwb3J0\ndW5pdHk6MQ==",
		"loose last bits":   "T3Bwb3J0dW5pdHk6MR==",
		"url alphabet":      "Pz8_Pz8_OjE=",
		"no colon":          "T3Bwb3J0dW5pdHk=",
		"no type":           globalid.Encode("", "1"),
		"no key":            globalid.Encode("Opportunity", ""),
		"type with space":   globalid.Encode("Oppor tunity", "1"),
		"key not UTF-8":     globalid.Encode("Region", "\xff"),
		"longer than any":   globalid.Encode("Region", strings.Repeat("A", 1000)),
		"surrounding space": " UmVnaW9uOkRS ",
	} {
		if id, err := globalid.Parse(text); !errors.Is(err, globalid.ErrMalformed) {
			t.Errorf("%s: Parse(%q) = %v, %v, want ErrMalformed", name, text, id, err)
		}
	}
}

func TestParseIntTakesOneSpellingPerNumber(t *testing.T) {
	if n, err := globalid.ParseInt(globalid.EncodeInt(globalid.Opportunity, 42), globalid.Opportunity); n != 42 || err != nil {
		t.Fatalf("ParseInt = %d, %v", n, err)
	}
	for _, key := range []string{"0", "-1", "+1", "01", "1.0", "1e3", " 1", "9223372036854775808", "DR", "١"} {
		if n, err := globalid.ParseInt(globalid.Encode(globalid.Opportunity, key), globalid.Opportunity); !errors.Is(err, globalid.ErrMalformed) {
			t.Errorf("key %q: %d, %v, want ErrMalformed", key, n, err)
		}
	}
	_, err := globalid.ParseInt(globalid.EncodeInt(globalid.Event, 1), globalid.Opportunity)
	if !errors.Is(err, globalid.ErrMalformed) || !strings.Contains(err.Error(), "Course") || !strings.Contains(err.Error(), "Opportunity") {
		t.Errorf("an id of another type: %v, want both types named", err)
	}
}

func FuzzParse(f *testing.F) {
	for text := range documentedIDs {
		f.Add(text)
	}
	f.Add("T3Bwb3J0dW5pdHk6MR==")
	f.Add("Ojox")
	f.Fuzz(func(t *testing.T, text string) {
		id, err := globalid.Parse(text)
		if err != nil {
			if !errors.Is(err, globalid.ErrMalformed) || id != (globalid.ID{}) {
				t.Fatalf("Parse(%q) = %v, %v", text, id, err)
			}
			return
		}
		if written := globalid.Encode(id.Type, id.Key); written != text {
			t.Fatalf("%q is read as %v, which is written %q: one record has two ids", text, id, written)
		}
	})
}
