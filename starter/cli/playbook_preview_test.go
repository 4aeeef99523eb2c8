package cli_test

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/shopspring/decimal"

	"github.com/oppflow/oppflow/administrate"
	"github.com/oppflow/oppflow/administrate/oauth"
	"github.com/oppflow/oppflow/administrate/transport"
	"github.com/oppflow/oppflow/exchange"
	"github.com/oppflow/oppflow/opportunity"
	"github.com/oppflow/oppflow/sandbox"
)

type dueFollowUp struct {
	Adopted, Until      time.Time
	Opportunities       int
	WithoutTimeOfChange int
	FollowUps           []struct {
		Record, Step, FollowUp string
		Number, Of             int
		Due                    time.Time
	}
	Unknown, Problems []struct {
		FollowUp, Text string
		Opportunities  int
	}
}

func previewOf(t *testing.T, env []string, args ...string) dueFollowUp {
	t.Helper()
	got := oppflow(t, env, append([]string{"playbook", "preview"}, args...)...)
	got.wantDone(t)
	var read dueFollowUp
	if err := json.Unmarshal([]byte(got.stdout), &read); err != nil {
		t.Fatalf("%v: %s", err, got.stdout)
	}
	return read
}

var changeTime = regexp.MustCompile(`"changed":"[^"]*"`)

// changedAt returns a function that sets the time of the last change of every opportunity in a
// response; "null" means that the time is not known.
func changedAt(at string) func(string) string {
	if at != "null" {
		at = `"` + at + `"`
	}
	return func(answer string) string { return changeTime.ReplaceAllString(answer, `"changed":`+at) }
}

const quietPlaybook = `
steps:
  - at: { state: Open }
    followUps:
      - name: remind
        due: { inStep: 7 days }
        repeat: { times: 2, every: 2 days }
        do: { attention: { text: "{{.Name}}" } }
  - at: { state: Won }
    followUps: [{ name: thank, due: { inStep: 7 days }, do: { attention: { text: t } } }]
`

// The preview spreads overdue follow-ups over three days, as a worker does. The preview reads a
// hundred records with each request, and changes nothing.
func TestPlaybookPreviewSpreadsWhatWasDue(t *testing.T) {
	box := &recordingSandbox{options: sandbox.Options{Catalogue: manyOpportunities(t, 120)}, change: changedAt("2020-01-31T12:00:00+00:00")}
	env := box.serve(t)
	name := writePlaybook(t, quietPlaybook)
	read := previewOf(t, env, name, "--within", "72h", "--output", "json")
	if len(box.requests) != 3 {
		t.Errorf("%d requests, want one for the steps and two for the opportunities", len(box.requests))
	}
	for _, request := range box.requests {
		if strings.Contains(request, "mutation") {
			t.Errorf("a request changes data: %s", request)
		}
	}
	if read.Opportunities != 120 || read.WithoutTimeOfChange != 0 || len(read.Unknown)+len(read.Problems) > 0 || read.Until.Sub(read.Adopted) != 72*time.Hour || time.Since(read.Adopted) > time.Minute {
		t.Errorf("%+v", read)
	}
	records := map[string]bool{}
	for i, f := range read.FollowUps {
		own := exchange.CatchUpAt(opportunity.ID(f.Record), read.Adopted)
		if f.Number == 2 {
			own = own.Add(48 * time.Hour)
		} else {
			records[f.Record] = true
		}
		if !f.Due.Equal(own) || f.Step != "Proposed" || f.FollowUp != "remind" || f.Of != 2 || i > 0 && f.Due.Before(read.FollowUps[i-1].Due) {
			t.Fatalf("%+v, want it at %s", f, own)
		}
	}
	if len(records) != 120 || len(read.FollowUps) <= 120 {
		t.Errorf("%d opportunities have %d follow-ups", len(records), len(read.FollowUps))
	}

	got := oppflow(t, env, "playbook", "preview", name, "--within", "72h")
	got.wantDone(t, "120 open opportunities are in steps with follow-ups. An adoption at ", "--adopted-since record")
	told, days := 0, 0
	for _, line := range regexp.MustCompile(`(?m)^\d{4}-\d\d-\d\d +remind (\d+)$`).FindAllStringSubmatch(got.stdout, -1) {
		var n int
		_, _ = fmt.Sscan(line[1], &n)
		told, days = told+n, days+1
	}
	if told < 120 || days < 3 || strings.Contains(got.stdout, "Opportunity ") || strings.Contains(got.stdout, "thank") {
		t.Errorf("%d follow-ups on %d days:\n%s", told, days, got.stdout)
	}
}

// The preview does not move a follow-up whose due time is in the future. If the API does not return
// the time of the last change, the preview counts the delays from the present time.
func TestPlaybookPreviewCountsFromTheLastChange(t *testing.T) {
	now := time.Now().UTC().Truncate(time.Second)
	name := writePlaybook(t, quietPlaybook)
	for _, c := range []struct {
		changed string
		due     []time.Duration // from now
		unknown int
	}{
		{now.Add(-24 * time.Hour).Format(time.RFC3339), []time.Duration{6 * 24 * time.Hour}, 0},
		{now.Add(-72 * time.Hour).Format(time.RFC3339), []time.Duration{4 * 24 * time.Hour, 6 * 24 * time.Hour}, 0},
		{now.Add(24 * time.Hour).Format(time.RFC3339), []time.Duration{7 * 24 * time.Hour}, 0}, // a time of the last change in the future counts as now
		{"null", []time.Duration{7 * 24 * time.Hour}, 1},
	} {
		t.Run(c.changed, func(t *testing.T) {
			box := &recordingSandbox{change: changedAt(c.changed)}
			read := previewOf(t, box.serve(t), name, "--output", "json")
			var due []time.Duration
			for _, f := range read.FollowUps {
				due = append(due, f.Due.Sub(now).Round(time.Hour))
			}
			if !slices.Equal(due, c.due) || read.WithoutTimeOfChange != c.unknown || read.Opportunities != 1 {
				t.Errorf("due %v, %+v", due, read)
			}
		})
	}
	box := &recordingSandbox{change: changedAt("null")}
	oppflow(t, box.serve(t), "playbook", "preview", name).wantDone(t, "1 open opportunity is in a step", "does not show the time of the last change of 1 opportunity")
}

// The preview lists follow-ups whose due time depends on times that the preview does not read, and
// conditions that the preview cannot decide.
func TestPlaybookPreviewListsUnknowns(t *testing.T) {
	box := &recordingSandbox{}
	env := box.serve(t)
	client, err := administrate.New(administrate.Options{Options: transport.Options{URL: strings.TrimPrefix(env[0], "ADMINISTRATE_URL="), Tokens: oauth.StaticToken("tk-31415")}})
	if err != nil {
		t.Fatal(err)
	}
	id := func(text string) string { return base64.StdEncoding.EncodeToString([]byte(text)) }
	record := id("Opportunity:1")
	answers, err := client.Apply(t.Context(), []administrate.Mutation{
		administrate.AddInterest{OpportunityID: record, ItemID: id("Course:1"), Kind: administrate.Event, Quantity: 2, UnitAmount: decimal.NewFromInt(100)},
		administrate.AddInterest{OpportunityID: record, ItemID: id(opportunity.TypeTokens + ":8848a3b38adf45db8ff60fafcbd3b3f6"), Kind: administrate.Tokens, Quantity: 1, UnitAmount: decimal.NewFromInt(100)},
	})
	if err != nil || answers[0].Err != nil || answers[1].Err != nil {
		t.Fatal(err, answers)
	}
	name := writePlaybook(t, `
steps:
  - at: { step: Proposed }
    followUps:
      - { name: soon, due: { beforeStart: 2 days }, do: { attention: { text: t } } }
      - { name: large-soon, due: { beforeStart: 2 days }, when: value > 5000, do: { attention: { text: t } } }
      - { name: tokens, due: { beforeTokensExpire: 2 days }, do: { attention: { text: t } } }
      - { name: seats, due: { inStep: 1 day }, when: 'int(attributes["seats"]) > 5', do: { attention: { text: t } } }
      - { name: worth, due: { inStep: 1 day }, when: value == 300, do: { attention: { text: t } } }
  - at: { step: Opportunity }
    followUps: [{ name: elsewhere, due: { beforeStart: 2 days }, do: { attention: { text: t } } }]
`)
	read := previewOf(t, env, name, "--output", "json")
	if len(read.FollowUps) != 1 || read.FollowUps[0].FollowUp != "worth" || read.FollowUps[0].Record != record {
		t.Errorf("due: %+v", read.FollowUps)
	}
	if len(read.Unknown) != 2 || read.Unknown[0].FollowUp != "soon" || read.Unknown[1].FollowUp != "tokens" || read.Unknown[0].Opportunities != 1 ||
		len(read.Problems) != 1 || read.Problems[0].Opportunities != 1 {
		t.Errorf("unknown: %+v, problems: %+v", read.Unknown, read.Problems)
	}
	got := oppflow(t, env, "playbook", "preview", name)
	got.wantDone(t, "worth 1", "The due time of follow-up soon of 1 opportunity is unknown, because preview does not read the start times of events.",
		"The due time of follow-up tokens of 1 opportunity is unknown", "Problem with 1 opportunity: seats: the condition of the rule cannot be evaluated")
	if strings.Contains(got.stdout, "refresher") {
		t.Errorf("the output contains a name:\n%s", got.stdout)
	}
}

func TestPlaybookPreviewOfOtherPlaybooks(t *testing.T) {
	box := &recordingSandbox{}
	env := box.serve(t)
	oppflow(t, env, "playbook", "preview", "default").wantDone(t, "1 open opportunity", "0 follow-ups that are due until")
	useAsStdin(t, writePlaybook(t, validPlaybook))
	box.requests = nil
	oppflow(t, env, "playbook", "preview", "-").wantDone(t, "0 open opportunities")
	if len(box.requests) > 0 {
		t.Errorf("a playbook without follow-ups makes %d requests", len(box.requests))
	}
	wrong := writePlaybook(t, invalidPlaybook)
	oppflow(t, env, "playbook", "preview", wrong).wantFailure(t, wrong+" has 2 mistakes")
	lacking := &recordingSandbox{options: sandbox.Options{Assumptions: map[string]string{"opportunity.updatedAt": "absent"}}}
	oppflow(t, lacking.serve(t), "playbook", "preview", "default").wantUsageError(t, 1, "the API refused the request", "updatedAt")
	oppflow(t, append(env, "ADMINISTRATE_TOKEN=wrong"), "playbook", "preview", "default").wantUsageError(t, 1, "rejects the token")
}
