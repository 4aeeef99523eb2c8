package lifecycle_test

import (
	"errors"
	"fmt"
	"time"

	"go.temporal.io/sdk/client"

	"github.com/oppflow/oppflow/lifecycle"
	"github.com/oppflow/oppflow/opportunity"
)

// A service needs only a connection to Temporal; it does not need a connection to the TMS.
func ExampleNewClient() {
	connection, err := client.Dial(client.Options{HostPort: temporalAddress()}) // such as "localhost:7233"
	if err != nil {
		fmt.Println("Temporal cannot be reached:", err)
		return
	}
	defer connection.Close()
	oppflow := lifecycle.NewClient(connection)

	ctx, _ := connect()
	_, err = oppflow.View(ctx, "nobody's")
	fmt.Println(err)
	// Output:
	// NotFound: there is no opportunity nobody's; start the opportunity first
}

// With a longer MaxWait, Update waits longer for the outcome of a command before it returns a
// pending outcome.
func ExampleNewClientWithOptions() {
	ctx, _ := startOpportunity("order-100")
	connection, err := client.Dial(client.Options{HostPort: temporalAddress()})
	if err != nil {
		fmt.Println("Temporal cannot be reached:", err)
		return
	}
	defer connection.Close()
	oppflow := lifecycle.NewClientWithOptions(connection, lifecycle.Options{MaxWait: time.Minute})

	outcome, err := oppflow.Update(ctx, "order-100", opportunity.Progress{To: "Opportunity"})
	switch {
	case err != nil:
		fmt.Println(err)
	case outcome.State == opportunity.Pending:
		fmt.Println("not within a minute; Outcome tells later about", outcome.RequestID)
	default:
		fmt.Println(outcome.State)
	}
	// Output:
	// done
}

// The reference is the key that the caller itself uses for the opportunity. A second Start with an
// equal start returns the same opportunity; a different start causes the error Conflict.
func ExampleClient_Start() {
	ctx, oppflow := connect()
	start := opportunity.Start{Name: "First Aid course", Region: "UK", Account: "Administrate", Currency: "USD"}

	first, err := oppflow.Start(ctx, "order-101", start)
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(first.Details.Name, "is in step", first.Step.Name)

	again, err := oppflow.Start(ctx, "order-101", start)
	fmt.Println(again.Opportunity == first.Opportunity, err)

	start.Name = "Fire Safety"
	_, err = oppflow.Start(ctx, "order-101", start)
	var refused *opportunity.Error
	if errors.As(err, &refused) {
		fmt.Println(refused.Type)
	}
	// Output:
	// First Aid course is in step Proposed
	// true <nil>
	// Conflict
}

// To adopt a record that exists in the TMS, the start contains the id of the record.
func ExampleClient_Start_adopt() {
	ctx, oppflow := connect()
	opened, err := oppflow.Start(ctx, "lead-7", opportunity.Start{Adopt: "T3Bwb3J0dW5pdHk6MQ=="})
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(opened.Details.Name)
	// Output:
	// Annual first aid refresher
}

// When the TMS rejects a start, the reference is free again, and a corrected start may use the
// reference.
func ExampleClient_Start_refused() {
	ctx, oppflow := connect()
	_, err := oppflow.Start(ctx, "order-102", opportunity.Start{Name: "First Aid course", Region: "Atlantis"})
	var refused *opportunity.Error
	if errors.As(err, &refused) {
		fmt.Println(refused.Type)
	}
	_, err = oppflow.Start(ctx, "order-102", opportunity.Start{Name: "First Aid course", Region: "UK"})
	fmt.Println(err)
	// Output:
	// NotFound
	// <nil>
}

// Each interest has its own result. Update returns an error only when no interest was added.
func ExampleClient_Update_addInterests() {
	ctx, oppflow := startOpportunity("order-103")
	price, err := opportunity.ParseAmount("199.90")
	if err != nil {
		fmt.Println(err)
		return
	}
	outcome, err := oppflow.Update(ctx, "order-103", opportunity.AddInterests{
		RequestID: "order-103/lines", // sent twice, the interests are added once
		Interests: opportunity.Interests{
			{Item: "ABC-123-01", Kind: opportunity.Event, Quantity: 1, UnitAmount: price, Reserve: true, Learners: []opportunity.Learner{
				{FirstName: "Melissa", LastName: "Green", Email: "melissa@example.com"},
			}},
			{Item: "FA-1", Kind: opportunity.Course, Quantity: 2, UnitAmount: price},
			{Item: "FA-9", Kind: opportunity.Course, Quantity: 1, UnitAmount: price},
		},
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	for _, result := range outcome.Results {
		switch {
		case result.Error != nil:
			fmt.Println(result.Item, "was not added:", result.Error.Type)
		case result.ReservedUntil != nil:
			fmt.Println(result.Item, "was added, its place is held")
		default:
			fmt.Println(result.Item, "was added")
		}
	}
	// Output:
	// ABC-123-01 was added, its place is held
	// FA-1 was added
	// FA-9 was not added: NotFound
}

// When the TMS rejects a command, the error contains the TMS's own message.
func ExampleClient_Update_progress() {
	ctx, oppflow := startOpportunity("order-104")
	for _, step := range []string{"Won", "Opportunity", "Won"} {
		_, err := oppflow.Update(ctx, "order-104", opportunity.Progress{To: step})
		var refused *opportunity.Error
		switch {
		case err == nil:
			fmt.Println("moved to", step)
		case errors.As(err, &refused) && refused.Type == opportunity.TransitionNotFound:
			fmt.Println(refused.Message)
		default:
			fmt.Println("not known:", err) // Temporal cannot be reached: try again under the same request id
			return
		}
	}
	// Output:
	// Transition from step T3Bwb3J0dW5pdHlTdGVwOjM= to step T3Bwb3J0dW5pdHlTdGVwOjU= not found
	// moved to Opportunity
	// moved to Won
}

// Details that the message does not contain stay unchanged.
func ExampleClient_Update_updateDetails() {
	ctx, oppflow := startOpportunity("order-105")
	if _, err := oppflow.Update(ctx, "order-105", opportunity.UpdateDetails{Account: "Administrate", Currency: "USD"}); err != nil {
		fmt.Println(err)
		return
	}
	view, err := oppflow.View(ctx, "order-105")
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(view.Details.Name, "for", view.Details.Account.Name, "in", view.Details.Currency)
	// Output:
	// First Aid course for Administrate in USD
}

// The expiry time applies to all places of the opportunity. The command is done when a read from
// the TMS shows the new expiry time.
func ExampleClient_Update_extendReservations() {
	ctx, oppflow := startOpportunity("order-106")
	until := time.Now().AddDate(0, 1, 0)
	_, err := oppflow.Update(ctx, "order-106", opportunity.ExtendReservations{Until: until})
	var refused *opportunity.Error
	if errors.As(err, &refused) {
		fmt.Println(refused.Type) // nothing is reserved yet
	}
	outcome, err := oppflow.Update(ctx, "order-106", opportunity.AddInterests{Interests: opportunity.Interests{
		{Item: "FA-1-01", Kind: opportunity.Event, Quantity: 2, Reserve: true},
	}})
	if err != nil || outcome.Results[0].Error != nil {
		fmt.Println(outcome, err)
		return
	}
	outcome, err = oppflow.Update(ctx, "order-106", opportunity.ExtendReservations{Until: until})
	fmt.Println(outcome.State, err)
	// Output:
	// Rejected
	// done <nil>
}

// While an opportunity is paused, Oppflow sends nothing to the TMS for this opportunity. Updates
// are rejected, and signals wait.
func ExampleClient_Update_pause() {
	ctx, oppflow := startOpportunity("order-107")
	if _, err := oppflow.Update(ctx, "order-107", opportunity.Pause{Reason: "the customer is being called"}); err != nil {
		fmt.Println(err)
		return
	}
	_, err := oppflow.Update(ctx, "order-107", opportunity.Progress{To: "Opportunity"})
	fmt.Println(err)
	// Output:
	// Paused: an operator paused the opportunity (the customer is being called); signals wait until an operator sends resume; send the command as a signal, or send the update again later
}

// Resume ends the pause. After resume, Oppflow executes the signals that arrived during the pause,
// in order.
func ExampleClient_Update_resume() {
	ctx, oppflow := startOpportunity("order-108")
	if _, err := oppflow.Update(ctx, "order-108", opportunity.Pause{}); err != nil {
		fmt.Println(err)
		return
	}
	move := opportunity.Progress{RequestID: "order-108/accepted", To: "Opportunity"}
	if err := oppflow.Signal(ctx, "order-108", move); err != nil {
		fmt.Println(err)
		return
	}
	if _, err := oppflow.Update(ctx, "order-108", opportunity.Resume{}); err != nil {
		fmt.Println(err)
		return
	}
	outcome, err := oppflow.Update(ctx, "order-108", move) // requests the outcome again: it is one request
	fmt.Println(outcome.State, err)
	// Output:
	// done <nil>
}

// A response of the TMS was lost, and the record does not show whether the change was made. An
// operator has checked that the API did not make the change, so the change is sent again.
func ExampleClient_Update_retry() {
	command := opportunity.AddInterests{
		RequestID: "order-109/lines",
		Interests: opportunity.Interests{{Item: "FA-1", Kind: opportunity.Course, Quantity: 1}},
	}
	ctx, oppflow := startWithQuestion("order-109", command)
	view, err := oppflow.View(ctx, "order-109")
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println("in doubt:", view.Question.Request)

	if _, err := oppflow.Update(ctx, "order-109", opportunity.Retry{Request: view.Question.Request}); err != nil {
		fmt.Println(err)
		return
	}
	outcome, err := oppflow.Update(ctx, "order-109", command) // requests the outcome again: it is one request
	fmt.Println(outcome.State, err)
	// Output:
	// in doubt: order-109/lines
	// done <nil>
}

// A response of the TMS was lost, and the record does not show whether the change was made. An
// operator has checked that the API made the change, or that nobody wants the change any more.
func ExampleClient_Update_skip() {
	command := opportunity.AddInterests{
		RequestID: "order-110/lines",
		Interests: opportunity.Interests{{Item: "FA-1", Kind: opportunity.Course, Quantity: 1}},
	}
	ctx, oppflow := startWithQuestion("order-110", command)
	skip := opportunity.Skip{Request: "order-110/lines", Reason: "added by hand"}
	if _, err := oppflow.Update(ctx, "order-110", skip); err != nil {
		fmt.Println(err)
		return
	}
	_, err := oppflow.Update(ctx, "order-110", command)
	fmt.Println(err)

	// If a request is not in doubt, it needs no decision of an operator.
	_, err = oppflow.Update(ctx, "order-110", opportunity.Skip{Request: "order-110/other", Reason: "mistaken"})
	fmt.Println(err)
	// Output:
	// Skipped: added by hand
	// NotFound: there is no open question about request "order-110/other"
}

// Oppflow reads the record again before it sends the next command.
func ExampleClient_Update_refresh() {
	ctx, oppflow := startOpportunity("order-111")
	if err := renameInTMS(ctx, oppflow, "order-111", "First Aid, evening course"); err != nil {
		fmt.Println(err)
		return
	}
	if _, err := oppflow.Update(ctx, "order-111", opportunity.Refresh{}); err != nil {
		fmt.Println(err)
		return
	}
	if _, err := oppflow.Update(ctx, "order-111", opportunity.Progress{To: "Opportunity"}); err != nil {
		fmt.Println(err)
		return
	}
	view, err := oppflow.View(ctx, "order-111")
	fmt.Println(view.Details.Name, err)
	// Output:
	// First Aid, evening course <nil>
}

// Each planned follow-up has a key, which View shows. Without a playbook, an opportunity has no
// follow-ups.
func ExampleClient_Update_snooze() {
	ctx, oppflow := startOpportunity("order-117")
	_, err := oppflow.Update(ctx, "order-117", opportunity.Snooze{
		FollowUp: "remind/20261201T093000Z/2", Until: time.Now().AddDate(0, 0, 7), Reason: "the customer is on holiday",
	})
	fmt.Println(err)
	// Output:
	// NotFound: no follow-up "remind/20261201T093000Z/2" is planned; the opportunity has no planned follow-up
}

// Acknowledged attention disappears from the view. An opportunity without attention has nothing to
// acknowledge.
func ExampleClient_Update_acknowledge() {
	ctx, oppflow := startOpportunity("order-119")
	_, err := oppflow.Update(ctx, "order-119", opportunity.Acknowledge{Request: "web-1234"})
	fmt.Println(err)
	// Output:
	// NotFound: there is no attention about "web-1234"; the view lists the attention entries with their requests
}

// A cancelled follow-up is never done. Without a playbook, an opportunity has no follow-ups.
func ExampleClient_Update_cancelFollowUp() {
	ctx, oppflow := startOpportunity("order-118")
	_, err := oppflow.Update(ctx, "order-118", opportunity.CancelFollowUp{
		FollowUp: "remind/20261201T093000Z/2", Reason: "we talked on the phone",
	})
	fmt.Println(err)
	// Output:
	// NotFound: no follow-up "remind/20261201T093000Z/2" is planned; the opportunity has no planned follow-up
}

// The message Close releases the reservation, and does not change the step in the TMS.
func ExampleClient_Update_close() {
	ctx, oppflow := startOpportunity("order-112")
	if _, err := oppflow.Update(ctx, "order-112", opportunity.Close{Reason: "entered twice"}); err != nil {
		fmt.Println(err)
		return
	}
	ended, err := oppflow.Wait(ctx, "order-112")
	fmt.Println(ended.State, ended.CloseReason, err)

	_, err = oppflow.Update(ctx, "order-112", opportunity.Progress{To: "Opportunity"})
	fmt.Println(err)
	// Output:
	// Open entered twice <nil>
	// Closed: opportunity order-112 has ended; it accepts no more messages
}

// A signal is sent without waiting. The command of the signal takes effect once, after all earlier
// commands, or an operator sees its failure.
func ExampleClient_Signal() {
	ctx, oppflow := startOpportunity("order-113")
	for _, command := range []opportunity.Command{
		opportunity.UpdateDetails{Account: "Administrate"},
		opportunity.Progress{To: "Opportunity"},
		opportunity.Progress{To: "Won"},
	} {
		err := oppflow.Signal(ctx, "order-113", command)
		var refused *opportunity.Error
		if errors.As(err, &refused) && refused.Type == opportunity.Busy {
			fmt.Println("too much waits; send it again later")
			return
		}
		if err != nil {
			fmt.Println(err)
			return
		}
	}
	ended, err := oppflow.Wait(ctx, "order-113")
	fmt.Println(ended.State, "after", ended.FailedRequests, "failures", err)
	// Output:
	// Won after 0 failures <nil>
}

// A caller can read the outcome of a request by its id, while the run still remembers the outcome.
func ExampleClient_Outcome() {
	ctx, oppflow := startOpportunity("order-114")
	if err := oppflow.Signal(ctx, "order-114", opportunity.Progress{RequestID: "order-114/won", To: "Won"}); err != nil {
		fmt.Println(err)
		return
	}
	for {
		outcome, err := oppflow.Outcome(ctx, "order-114", "order-114/won")
		var unknown *opportunity.Error
		switch {
		case errors.As(err, &unknown) && unknown.Type == opportunity.NotFound, err == nil && outcome.State == opportunity.Pending:
			time.Sleep(100 * time.Millisecond)
			continue
		case err != nil:
			fmt.Println(err)
		case outcome.Error != nil:
			fmt.Println(outcome.State, outcome.Error.Type)
		default:
			fmt.Println(outcome.State)
		}
		return
	}
	// Output:
	// failed TransitionNotFound
}

// The view shows everything that Oppflow knows of the opportunity. View sends no request to the
// TMS.
func ExampleClient_View() {
	ctx, oppflow := startOpportunity("order-115")
	price, err := opportunity.ParseAmount("19.90")
	if err != nil {
		fmt.Println(err)
		return
	}
	if _, err := oppflow.Update(ctx, "order-115", opportunity.AddInterests{Interests: opportunity.Interests{
		{Item: "Training Token", Kind: opportunity.Tokens, Quantity: 10, UnitAmount: price},
	}}); err != nil {
		fmt.Println(err)
		return
	}
	view, err := oppflow.View(ctx, "order-115")
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Printf("step %s, %d interest, total %s %s\n", view.Step.Name, len(view.Interests), view.Total, view.Details.Currency)
	fmt.Printf("%d requests wait, %d failed, %d things need attention\n", len(view.Queue), view.Failures, len(view.Attention))
	for _, moment := range view.Timeline {
		fmt.Println("-", moment.Text)
	}
	// Output:
	// step Proposed, 1 interest, total 199.00 GBP
	// 0 requests wait, 0 failed, 0 things need attention
	// - start accepted
	// - the record was created in step Proposed
	// - added 1 interest
}

// An opportunity ends in a step whose stage is Won, Lost or Archived, or when an operator closes
// it.
func ExampleClient_Wait() {
	ctx, oppflow := startOpportunity("order-116")
	if err := oppflow.Signal(ctx, "order-116", opportunity.Progress{To: "Lost"}); err != nil {
		fmt.Println(err)
		return
	}
	ended, err := oppflow.Wait(ctx, "order-116")
	fmt.Println(ended.State, err)

	_, err = oppflow.Start(ctx, "order-116", opportunity.Start{Name: "First Aid course", Region: "UK"})
	fmt.Println(err)
	// Output:
	// Lost <nil>
	// Closed: opportunity order-116 has ended; only a start that adopts its record can use its reference again
}
