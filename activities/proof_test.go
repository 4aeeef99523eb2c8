package activities_test

import (
	"testing"

	"github.com/oppflow/oppflow/activities"
	"github.com/oppflow/oppflow/exchange"
	"github.com/oppflow/oppflow/opportunity"
)

func result(key string, status exchange.ChangeStatus, ahead ...activities.ExecuteResult) activities.ExecuteResult {
	one := activities.ExecuteResult{CallResult: activities.CallResult{Subject: key, Status: status}, Ahead: ahead}
	switch status {
	case exchange.StatusRejected:
		one.Error = opportunity.Invalidf("no")
	case exchange.StatusNotSent:
		one.Reason = activities.ReasonUnreachable
	}
	return one
}

// A person may complete the activity by hand with any result. The workflow must not believe that a
// request was done about which the result says nothing.
func TestExecuteResultProvesEveryRequest(t *testing.T) {
	t.Parallel()
	const done, rejected, unsent, unknown = exchange.StatusDone, exchange.StatusRejected, exchange.StatusNotSent, exchange.StatusUnknown
	alone := activities.EffectInput{Effect: exchange.Effect{Key: "a"}}
	joined := alone
	joined.Ahead = []activities.EffectAhead{{Effect: exchange.Effect{Key: "b"}}, {Effect: exchange.Effect{Key: "c"}}}
	for name, row := range map[string]struct {
		result activities.ExecuteResult
		in     activities.EffectInput
		want   bool
	}{
		"alone: zero":                      {activities.ExecuteResult{}, alone, false},
		"alone: done":                      {result("a", done), alone, true},
		"alone: done, no subject":          {result("", done), alone, true},
		"alone: done, of another effect":   {result("b", done), alone, false},
		"alone: done, with another result": {result("a", done, result("b", done)), alone, false},

		"zero":                 {activities.ExecuteResult{}, joined, false},
		"not sent, for all":    {result("a", unsent), joined, true},
		"unknown, for all":     {result("a", unknown), joined, true},
		"done, for one only":   {result("a", done), joined, false},
		"rejected, one only":   {result("a", rejected), joined, false},
		"not sent, no reason":  {activities.ExecuteResult{CallResult: activities.CallResult{Status: unsent}}, joined, false},
		"unknown, another key": {result("b", unknown), joined, false},

		"all done":                    {result("a", done, result("b", done), result("c", done)), joined, true},
		"all different":               {result("a", unknown, result("b", rejected), result("c", unsent)), joined, true},
		"too short":                   {result("a", done, result("b", done)), joined, false},
		"too long":                    {result("a", done, result("b", done), result("c", done), result("d", done)), joined, false},
		"not sent, but too short":     {result("a", unsent, result("b", done)), joined, false},
		"another order":               {result("a", done, result("c", done), result("b", done)), joined, false},
		"a zero result":               {result("a", done, result("b", done), activities.ExecuteResult{}), joined, false},
		"a result without subject":    {result("a", done, result("", done), result("c", done)), joined, false},
		"a rejection without error":   {result("a", done, result("b", done), activities.ExecuteResult{CallResult: activities.CallResult{Subject: "c", Status: rejected}}), joined, false},
		"an unknown status":           {result("a", done, result("b", done), result("c", "later")), joined, false},
		"the first result is missing": {activities.ExecuteResult{Ahead: []activities.ExecuteResult{result("b", done), result("c", done)}}, joined, false},
	} {
		if got := row.result.Proves(row.in); got != row.want {
			t.Errorf("%s: %v, want %v", name, got, row.want)
		}
	}
}
