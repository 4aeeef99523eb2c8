package entity_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/uuid"
	"pgregory.net/rapid"

	"github.com/oppflow/oppflow/entity"
	"github.com/oppflow/oppflow/entity/queue"
	"github.com/oppflow/oppflow/opportunity"
)

func drawRequest(t *rapid.T) string {
	return rapid.OneOf(
		rapid.SampledFrom([]string{
			"~", "~~", "~~x", "~AAAAAAAAAAAAAAAAAAAAAA", "~~AAAAAAAAAAAAAAAAAAAAAA", "#1", opportunity.StartRequestID,
			"00000000-0000-0000-0000-000000000000", "0000000000000000000000000000000000", "00000000000000000000000000000000",
			"0000000000000000-0000-0000-0000-0000", "-00000000-0000-0000-0000-000000000000", "f81d4fae-7dec-11d0-a765-00a0c91e6bf6",
			"F81D4FAE-7DEC-11D0-A765-00A0C91E6BF6", "f81d4fae-7dec-11d0-a765-00a0c91e6bF6", "urn:uuid:f81d4fae-7dec-11d0-a765-00a0c91e6bf6",
			`"`, `\`, `\"~`, "<>&", strings.Repeat("<", opportunity.MaxRequestIDLength), strings.Repeat(`\`, opportunity.MaxRequestIDLength), strings.Repeat(`"`, opportunity.MaxRequestIDLength),
			strings.Repeat("é", opportunity.MaxRequestIDLength/2), "😀",
		}),
		rapid.StringMatching(`[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}`),
		rapid.StringMatching(`[0-9A-F]{8}-[0-9A-F]{4}-[0-9A-F]{4}-[0-9A-F]{4}-[0-9A-F]{12}`),
		rapid.StringMatching(`~{0,3}[A-Za-z0-9_<>&"\\é -]{1,60}x`),
	).Draw(t, "request")
}

func drawQueue(t *rapid.T) queue.Commands {
	var commands queue.Commands
	at := noon
	for range rapid.IntRange(0, 12).Draw(t, "entries") {
		at = at.Add(time.Duration(rapid.Int64Range(-5_000, 1e8).Draw(t, "elapsed")) * time.Millisecond)
		command := drawCommand(t)
		payload, err := json.Marshal(command)
		if err != nil {
			t.Fatal(err)
		}
		e := queue.Command{
			Request: drawRequest(t), MessageName: command.MessageName(), Payload: payload, Accepted: at, ChangeCount: 1,
			InDoubt: rapid.Bool().Draw(t, "doubt"), SendAlone: rapid.Bool().Draw(t, "alone"), NoWaiter: rapid.Bool().Draw(t, "silent"),
			FromUpdate: rapid.Bool().Draw(t, "called"), MaybeApplied: rapid.Bool().Draw(t, "tried"), LaterExpirySet: rapid.Bool().Draw(t, "lapses"),
		}
		if interests, ok := command.(opportunity.AddInterests); ok {
			e.ChangeCount = len(interests.Interests)
			if rapid.Bool().Draw(t, "in part") {
				e.Results = make([]opportunity.InterestResult, e.ChangeCount)
				e.Results[0] = opportunity.InterestResult{Item: interests.Interests[0].Item, Interest: "i"}
				e.Results[e.ChangeCount-1] = opportunity.InterestResult{Item: drawText(t, "item"), Error: drawError(t)}
			}
		}
		if rapid.Bool().Draw(t, "fails") {
			e.Errors = rapid.IntRange(1, 1000).Draw(t, "errors")
			e.FailingSince = at.Add(time.Duration(rapid.Int64Range(0, 1e10).Draw(t, "failing since")) * time.Millisecond)
		}
		commands = append(commands, e)
		if len(commands) > 1 && rapid.Bool().Draw(t, "the same again") {
			commands[len(commands)-1].Payload, commands[len(commands)-1].MessageName = commands[len(commands)-2].Payload, commands[len(commands)-2].MessageName
		}
	}
	return commands
}

func encodedSize(t reporter, commands queue.Commands) int {
	t.Helper()
	if len(commands) == 0 { // an empty queue is omitted from the JSON
		return 0
	}
	data, err := json.Marshal(commands)
	if err != nil {
		t.Fatal(err)
	}
	return len(data)
}

func TestQueueRoundTrip(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		commands := drawQueue(t)
		data, err := json.Marshal(commands)
		if err != nil {
			t.Fatal(err)
		}
		var next queue.Commands
		if err := json.Unmarshal(data, &next); err != nil {
			t.Fatalf("%s: %v", data, err)
		}
		if len(commands) == 0 {
			commands = queue.Commands{}
		}
		if diff := cmp.Diff(commands, next); diff != "" {
			t.Fatalf("%s: %s", data, diff)
		}
	})
}

// TestDecodeQueueOfVersion1: a state of version 1 contains the queue as a plain list, and a run
// with such a state may have waited for months.
func TestDecodeQueueOfVersion1(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		commands := drawQueue(t)
		plain, err := json.Marshal([]queue.Command(commands))
		if err != nil {
			t.Fatal(err)
		}
		var read queue.Commands
		if err := json.Unmarshal(plain, &read); err != nil {
			t.Fatalf("%s: %v", plain, err)
		}
		if diff := cmp.Diff(commands, read); diff != "" {
			t.Fatalf("%s: %s", plain, diff)
		}
	})
	// A state of version 1.
	var s entity.State
	if err := json.Unmarshal([]byte(`{"version":1,"reference":"A-1","startDigest":"d","id":"T3Bwb3J0dW5pdHk6Mg==","details":{"name":"x"},"handled":"","runs":3,"queue":[
		{"request":"~order 7","verb":"addInterests","payload":{"interests":[{"item":"ABC","kind":"course","quantity":1,"unitAmount":"1.00"},{"item":"DEF","kind":"course","quantity":2,"unitAmount":"1.00"}]},
		 "accepted":"2026-11-23T12:00:00.123456789Z","changes":2,"results":[{"interest":"i","item":"ABC"},{"item":""}],"silent":true},
		{"request":"#1","verb":"progress","payload":{"to":"Won"},"accepted":"2026-11-23T12:00:01Z","changes":1,"doubt":true}]}`), &s); err != nil {
		t.Fatal(err)
	}
	next := continued(t, &s)
	if len(next.Queue) != 2 || next.Queue[0].Request != "~order 7" || !next.Queue[0].NoWaiter || next.Queue[0].Results[0].Interest != "i" ||
		!next.Queue[0].Accepted.Equal(noon.Add(123*time.Millisecond)) || !next.Queue[1].InDoubt || next.Queue[1].ChangeCount != 1 {
		t.Errorf("got %+v", next.Queue)
	}
	if got := strings.Join(batchText(next.NextBatch()), " "); got != "~order 7/1 #1>Won" {
		t.Errorf("the next batch is %s", got)
	}
}

// TestDecodeInvalidQueue: a queue that cannot be decoded must not count as an empty queue.
func TestDecodeInvalidQueue(t *testing.T) {
	for _, data := range []string{
		`"x"`, `5`, `true`, `{"payloads":[],"entries":5}`, `{"payloads":[],"entries":[null]}`, `{"payloads":[],"entries":[{}]}`,
		`{"payloads":[],"entries":[["r","progress",0,0,0]]}`,
		`{"payloads":[{}],"entries":[["r","progress",1,0,0]]}`,
		`{"payloads":[{}],"entries":[["r","progress",-1,0,0]]}`,
		`{"payloads":[{}],"entries":[["r","progress",0,0]]}`,
		`{"payloads":[{}],"entries":[["r","progress",0,0,0,1,[],1,2,3]]}`,
		`{"payloads":[{}],"entries":[["r","progress",0.5,0,0]]}`,
		`{"payloads":[{}],"entries":[[7,"progress",0,0,0]]}`,
		`{"payloads":[{}],"entries":[["~AAAA","progress",0,0,0]]}`,
		`{"payloads":[{}],"entries":[["~?","progress",0,0,0]]}`,
		`[5]`, `[{"request":5}]`,
	} {
		var commands queue.Commands
		if err := json.Unmarshal([]byte(data), &commands); err == nil {
			t.Errorf("%s is read as %+v", data, commands)
		}
	}
	for _, data := range []string{`null`, `[]`, `{"payloads":[],"entries":[]}`} {
		var commands queue.Commands
		if err := json.Unmarshal([]byte(data), &commands); err != nil || len(commands) != 0 {
			t.Errorf("%s is read as %+v, %v", data, commands, err)
		}
	}
}

// TestWaitingBytesIsAnUpperBound: if WaitingBytes were less than the real size, the server could
// end the run. If WaitingBytes were more than twice the real size for usual messages, the run would
// continue as new at the wrong time.
func TestWaitingBytesIsAnUpperBound(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s := entity.State{Inbox: entity.Inbox{Queue: drawQueue(t)}}
		if told, takes := s.WaitingBytes(), encodedSize(t, s.Queue); told < takes {
			data, _ := json.Marshal(s.Queue)
			t.Fatalf("%d bytes are told of %d: %s", told, takes, data)
		}
	})
	// A queue with one command has the whole overhead, and the time of its command is written in
	// full.
	for _, command := range []opportunity.Command{opportunity.Progress{To: "Won"}, addInterests(repeat(plainInterest(1), 100)...)} {
		s := openedState(t)
		accept(t, s, command, "r")
		if told, takes := s.WaitingBytes(), encodedSize(t, s.Queue); told < takes {
			t.Errorf("%d bytes are told of %d", told, takes)
		}
	}
	if told := new(entity.State).WaitingBytes(); told != 0 {
		t.Errorf("%d bytes are told of nothing", told)
	}
	rapid.Check(t, func(t *rapid.T) {
		s := openedState(t)
		now := noon
		for range rapid.IntRange(1, 60).Draw(t, "commands") {
			now = now.Add(time.Duration(rapid.IntRange(0, 3_600_000).Draw(t, "elapsed")) * time.Millisecond)
			var command opportunity.Command
			switch rapid.IntRange(0, 3).Draw(t, "sort") {
			case 0:
				command = opportunity.Progress{To: rapid.SampledFrom([]string{"Proposed", "Opportunity", "Won", string(stepTwo)}).Draw(t, "to")}
			case 1:
				command = opportunity.UpdateDetails{Name: "First Aid for 12 people", Currency: "USD"}
			case 2:
				command = opportunity.ExtendReservations{Until: now.Add(240 * time.Hour)}
			default:
				one := plainInterest(rapid.IntRange(1, 9).Draw(t, "quantity"))
				one.UnitAmount = amount(t, "199.90")
				one.Learners = []opportunity.Learner{{FirstName: "Melissa", LastName: "Green", Email: "melissa.green@example.com"}}
				command = addInterests(one)
			}
			id := rapid.OneOf(
				rapid.Just(""), rapid.Custom(func(t *rapid.T) string {
					return uuid.UUID(rapid.SliceOfN(rapid.Byte(), 16, 16).Draw(t, "uuid")).String()
				}),
			).Draw(t, "id")
			if _, err := s.Accept(command, id, true, now); err != nil {
				continue // an id drawn twice
			}
		}
		if told, takes := s.WaitingBytes(), encodedSize(t, s.Queue); told < takes || told > 2*takes {
			t.Fatalf("%d bytes are told of %d", told, takes)
		}
	})
}

func TestEqualPayloadIsCountedOnce(t *testing.T) {
	s := openedState(t)
	long := opportunity.UpdateDetails{Name: strings.Repeat("y", 200)}
	before := 0
	for n, most := range []int{500, 100, 100} {
		accept(t, s, long, fmt.Sprint(n))
		told := s.WaitingBytes()
		if more := told - before; more > most || n == 0 && more < 200 {
			t.Errorf("command %d adds %d bytes, at most %d", n, more, most)
		}
		before = told
	}
}

// TestQueueIsCompact: ten thousand messages that arrive during an outage need few bytes, whether
// they arrive in a burst or over a whole day.
func TestQueueIsCompact(t *testing.T) {
	t.Parallel()
	const commands = 10_000
	for _, c := range []struct {
		name string
		gap  time.Duration // the longest time between two commands
		most int           // bytes per command
	}{{"in a burst", 2 * time.Millisecond, 45}, {"over a day", 17 * time.Second, 50}} {
		t.Run(c.name, func(t *testing.T) {
			s := openedState(t)
			random := rand.New(rand.NewPCG(1, 2))
			now := noon
			for n := range commands {
				now = now.Add(time.Duration(random.Int64N(int64(c.gap))))
				var raw uuid.UUID
				for i := range raw {
					raw[i] = byte(random.Uint32())
				}
				if _, err := s.Accept(opportunity.Progress{To: fmt.Sprint("Step ", n%9)}, raw.String(), n%2 == 0, now); err != nil {
					t.Fatal(err)
				}
			}
			if got := encodedSize(t, s.Queue); got > c.most*commands+300 { // the overhead and the payloads
				t.Errorf("%d bytes for %d commands; at most %d for each", got, commands, c.most)
			}
		})
	}
}

func TestShed(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		s := openedState(t)
		large := plainInterest(1)
		large.Item, large.Kind = strings.Repeat("x", rapid.IntRange(1, 200).Draw(t, "long")), opportunity.Course
		if rapid.Bool().Draw(t, "large first") {
			accept(t, s, addInterests(repeat(large, 100)...), "large")
		}
		long := strings.Repeat("y", rapid.IntRange(1, opportunity.MaxTextLength).Draw(t, "name"))
		differ := rapid.Bool().Draw(t, "different payloads")
		before := len(s.Queue)
		var ids []string
		for range rapid.IntRange(100, 2000).Draw(t, "commands") {
			id := fmt.Sprint(strings.Repeat("r", 150), len(ids))
			command := opportunity.UpdateDetails{Name: long}
			if differ {
				command.Account = fmt.Sprint(len(ids))
			}
			accept(t, s, command, id)
			ids = append(ids, id)
		}
		if rapid.Bool().Draw(t, "in doubt") && s.WaitingBytes() > opportunity.MaxWaitingBytes {
			s.Queue[len(s.Queue)-1].InDoubt = true
			s.ApplyResults(nil, nil, always, noon)
		}
		first := before
		before = len(s.Queue)
		much := s.WaitingBytes() > opportunity.MaxWaitingBytes
		s.Shed(noon)
		if much != (len(s.Queue) < before) {
			t.Fatalf("too much waited: %v; of %d there are %d left", much, before, len(s.Queue))
		}
		if s.WaitingBytes() > opportunity.MaxWaitingBytes || encodedSize(t, s.Queue) > opportunity.MaxWaitingBytes {
			t.Fatalf("%d bytes still wait, of %d entries %d", s.WaitingBytes(), before, len(s.Queue))
		}
		if s.Question != nil && len(s.Queue) < before {
			t.Fatalf("a question about what was dropped: %+v", s.Question)
		}
		kept := len(s.Queue) - first
		for n, id := range ids {
			got := outcome(t, s, id)
			if n < kept {
				if got.State != opportunity.Pending || s.Queue[first+n].Request != id {
					t.Fatalf("%d of %d is %+v; the older ones wait", n, len(ids), got)
				}
				continue
			}
			old := n < len(ids)-opportunity.MaxOutcomes // the failure is known, but not the error
			if got.State != opportunity.Failed || got.Error == nil && !old || got.Error != nil && got.Error.Type != opportunity.Busy {
				t.Fatalf("%d of %d is %+v; want it failed as Busy", n, len(ids), got)
			}
		}
		if s.Failures != before-len(s.Queue) {
			t.Fatalf("%d failures of %d dropped", s.Failures, before-len(s.Queue))
		}
		if len(s.Queue) < before {
			if grown := s.WaitingBytes() + 1000; kept < len(ids) && grown < opportunity.MaxWaitingBytes {
				t.Fatalf("%d bytes wait; there was room for more", s.WaitingBytes())
			}
		}
	})
}

func FuzzQueue(f *testing.F) {
	for _, data := range []string{
		`null`, `[]`, `{}`, `{"payloads":[{"to":"Won"}],"entries":[["r","progress",0,1795435200000,5],["~AAAAAAAAAAAAAAAAAAAAAA","progress",0,-3,0,2,[{"item":"x","interest":"i"}]]]}`,
		`[{"request":"r","verb":"progress","payload":{"to":"Won"},"accepted":"2026-11-23T12:00:00Z","changes":1,"results":[]}]`, `[{}]`,
		`{"payloads":[null],"entries":[["~~x","<",0,9223372036854775807,0],["~","",0,9223372036854775807,-1,0,null]]}`,
	} {
		f.Add([]byte(data))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		var commands queue.Commands
		if json.Unmarshal(data, &commands) != nil {
			return
		}
		var list []json.RawMessage
		var packed struct{ Entries []json.RawMessage }
		if text := bytes.TrimSpace(data); text[0] == '{' {
			if err := json.Unmarshal(data, &packed); err != nil {
				t.Fatal(err)
			}
			list = packed.Entries
		} else if err := json.Unmarshal(data, &list); err != nil {
			t.Fatal(err)
		}
		if len(commands) != len(list) {
			t.Fatalf("of %d entries %d were read", len(list), len(commands))
		}
		// After the first round trip through JSON, a second round trip changes nothing.
		var lives []string
		for range 3 {
			written, err := json.Marshal(commands)
			if err != nil {
				t.Fatal(err)
			}
			lives = append(lives, string(written))
			commands = nil
			if err := json.Unmarshal(written, &commands); err != nil {
				t.Fatalf("%s was written, and cannot be read: %v", written, err)
			}
			if len(commands) != len(list) {
				t.Fatalf("of %d entries %d were read back from %s", len(list), len(commands), written)
			}
		}
		if lives[1] != lives[2] {
			t.Fatalf("%s became %s", lives[1], lives[2])
		}
	})
}
