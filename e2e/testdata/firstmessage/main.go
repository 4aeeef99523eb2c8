package main

import (
	"context"
	"errors"
	"fmt"
	"log"
	"os"

	"go.temporal.io/sdk/client"

	"github.com/oppflow/oppflow/lifecycle"
	"github.com/oppflow/oppflow/opportunity"
)

func main() {
	connection, err := client.Dial(client.Options{HostPort: os.Getenv("TEMPORAL_ADDRESS")})
	if err != nil {
		log.Fatal(err)
	}
	defer connection.Close()
	ctx, oppflow := context.Background(), lifecycle.NewClient(connection)

	opened, err := oppflow.Start(ctx, "order-1002", opportunity.Start{Name: "First Aid course", Region: "UK"})
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(opened.Opportunity, "is in step", opened.Step.Name)

	// An update returns the outcome or an error.
	_, err = oppflow.Update(ctx, "order-1002", opportunity.Progress{To: "Won"})
	var refused *opportunity.Error
	if errors.As(err, &refused) {
		fmt.Println(refused.Type) // TransitionNotFound: nothing leads from Proposed to Won
	}

	// A signal returns no outcome. The signal takes effect once, or an operator sees why the signal
	// had no effect.
	if err := oppflow.Signal(ctx, "order-1002", opportunity.Progress{To: "Opportunity"}); err != nil {
		log.Fatal(err)
	}
}
