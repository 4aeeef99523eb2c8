package lifecycle_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/oppflow/oppflow/lifecycle"
	"github.com/oppflow/oppflow/opportunity"
)

var storedAt = time.Date(2026, 11, 2, 9, 30, 0, 0, time.UTC)

// deploy deploys the text at the given number of seconds after the first version was stored.
func deploy(t *testing.T, s *lifecycle.NamespaceState, text string, seconds int) lifecycle.DeployResult {
	t.Helper()
	deployed, err := s.Deploy(lifecycle.Deployment{Text: text, DeployedBy: "ada"}, storedAt.Add(time.Duration(seconds)*time.Second), lifecycle.PlaybookInForceAfter)
	if err != nil {
		t.Fatal(err)
	}
	return deployed
}

// If no worker has worked in the namespace, a new version is in force at once. If a worker has
// worked in the namespace, a new version is in force 45 seconds after it was stored.
func TestVersionsOfThePlaybookComeInForceInOrder(t *testing.T) {
	for name, test := range map[string]struct {
		working bool
		at      map[int]int // the number of the version in force, by seconds; 0 is none
	}{
		"nobody worked before": {false, map[int]int{-100: 1, 0: 1, 144: 1, 145: 2, 150: 2, 155: 3, 9999: 3}},
		"a worker worked":      {true, map[int]int{-100: 0, 0: 0, 44: 0, 45: 1, 144: 1, 145: 2, 155: 3}},
	} {
		t.Run(name, func(t *testing.T) {
			s := &lifecycle.NamespaceState{}
			if test.working {
				if err := s.Join(lifecycle.NamespaceJoin{}, storedAt, time.Second); err != nil || !s.WorkerJoined {
					t.Fatal(s, err)
				}
			}
			for n, seconds := range []int{0, 100, 110} {
				got := deploy(t, s, fmt.Sprint("text ", n), seconds)
				if got.Version.Number != n+1 || got.Unchanged || got.Version.Text != "" || got.Version.Bytes != 6 || got.Version.DeployedBy != "ada" {
					t.Errorf("deployed: %+v", got)
				}
			}
			for seconds, want := range test.at {
				if got, _ := s.Playbooks.InForce(storedAt.Add(time.Duration(seconds) * time.Second)); got.Number != want {
					t.Errorf("after %d s version %d is in force; want %d", seconds, got.Number, want)
				}
			}
			if needed := s.Playbooks.CurrentAndLater(storedAt.Add(110 * time.Second)); len(needed) != 3 {
				t.Errorf("needed: %+v", needed)
			}
			if needed := s.Playbooks.CurrentAndLater(storedAt.Add(150 * time.Second)); len(needed) != 2 || needed[0].Number != 2 {
				t.Errorf("needed: %+v", needed)
			}
		})
	}
}

func TestAnEqualPlaybookIsNotStoredAgain(t *testing.T) {
	s := &lifecycle.NamespaceState{}
	deploy(t, s, "a", 0)
	if again := deploy(t, s, "a", 100); !again.Unchanged || again.Version.Number != 1 {
		t.Errorf("again: %+v", again)
	}
	deploy(t, s, "b", 200)
	if back := deploy(t, s, "a", 201); back.Unchanged || back.Version.Number != 3 {
		t.Errorf("back: %+v", back)
	}
	above, err := s.Deploy(lifecycle.Deployment{Text: "a", NumberAbove: 7}, storedAt.Add(time.Hour), time.Second)
	if err != nil || above.Version.Number != 8 {
		t.Errorf("above 7: %+v, %v", above, err)
	}
}

// The playbook in a worker's settings is used only when the namespace has no playbook.
func TestAWorkersPlaybookIsTheFirst(t *testing.T) {
	s := &lifecycle.NamespaceState{}
	for n, own := range []*lifecycle.Deployment{{Text: "a"}, {Text: "b"}, nil} {
		if err := s.Join(lifecycle.NamespaceJoin{Playbook: own}, storedAt, lifecycle.PlaybookInForceAfter); err != nil {
			t.Fatal(err)
		}
		if got, _ := s.Playbooks.InForce(storedAt); len(s.Playbooks) != 1 || got.Text != "a" || s.WorkerJoined {
			t.Errorf("%d: %+v", n, s)
		}
	}
}

// The namespace keeps only the last 20 versions. If the texts of all versions are too large, the
// oldest texts are dropped first. Versions with which workers still plan keep their texts.
func TestVersionsOfThePlaybookStaySmall(t *testing.T) {
	s := &lifecycle.NamespaceState{}
	large := strings.Repeat("a: \"<b>\"\n", 20_000)[:120_000]
	for n := range 30 {
		deploy(t, s, fmt.Sprint(large, n), 100*n)
	}
	data, err := json.Marshal(s)
	if err != nil || len(data) > 800<<10 {
		t.Errorf("%d bytes, %v", len(data), err)
	}
	if len(s.Playbooks) != lifecycle.MaxPlaybookVersions || s.Playbooks[0].Number != 11 {
		t.Errorf("%d versions from %d", len(s.Playbooks), s.Playbooks[0].Number)
	}
	if first, last := s.Playbooks[0], s.Playbooks[19]; !first.TextDropped || first.Text != "" || first.Bytes == 0 || last.TextDropped || last.Text == "" {
		t.Error("the texts of the latest versions are to be kept")
	}
	shown := s.WithTexts(30)
	if shown.Playbooks[18].Text != "" || shown.Playbooks[19].Text == "" || s.Playbooks[18].Text == "" {
		t.Error("the text of version 30 alone is asked for")
	}
	// None of the versions that the loop deploys can be dropped before the versions are in force.
	var busy *opportunity.Error
	for n := range 10 {
		if _, err := s.Deploy(lifecycle.Deployment{Text: fmt.Sprint(large, "more", n)}, storedAt.Add(9000*time.Second), time.Minute); err != nil {
			busy, _ = lifecycle.FromTemporalError(err)
			break
		}
	}
	if busy == nil || busy.Type != opportunity.Busy || !strings.Contains(busy.Message, "deploy the playbook again after 2026-11-02T12:01:00Z") {
		t.Errorf("busy: %v", busy)
	}
}

func TestDeploymentsThatAreRefused(t *testing.T) {
	for want, d := range map[string]lifecycle.Deployment{
		"text: the playbook has 262145 bytes; the limit is 262144 bytes": {Text: strings.Repeat("x", lifecycle.MaxPlaybookBytes+1)},
		"bytes as JSON; the limit is ":                                   {Text: strings.Repeat("<", lifecycle.MaxPlaybookBytes/2)},
		"text: the playbook is not valid UTF-8":                          {Text: "\xff"},
		"by: the text must have at most 255 characters":                  {DeployedBy: strings.Repeat("é", 256)},
		"restores, above: each value must be a version number or 0":      {Restores: -1},
	} {
		s := &lifecycle.NamespaceState{}
		_, err := s.Deploy(d, storedAt, time.Second)
		if own, is := lifecycle.FromTemporalError(err); !is || own.Type != opportunity.Invalid || !strings.Contains(own.Message, want) || len(s.Playbooks) != 0 {
			t.Errorf("%v; want %q", err, want)
		}
	}
}
