package cli

import (
	"context"
	"errors"
	"io"

	"github.com/spf13/cobra"

	"github.com/oppflow/oppflow/lifecycle"
	"github.com/oppflow/oppflow/opportunity"
)

// sending is what the commands that send a message have in common.
type sending struct {
	connection *connection
	output     *output
	request    *request
	signal     bool
}

func (p *program) sending(command *cobra.Command) *sending {
	fs := command.Flags()
	s := &sending{request: requestFlag(fs), output: outputFlag(command)}
	fs.BoolVar(&s.signal, "signal", false, "send and forget: do not wait for the outcome")
	s.connection = p.connection(fs, answerTimeout)
	return s
}

// send checks the message, sends it and shows what became of it. members says what the members of the message were
// typed as.
func (s *sending) send(ctx context.Context, reference opportunity.Reference, message opportunity.Command, members map[string]string) error {
	if err := message.Validate(); err != nil {
		return mistyped(err, members)
	}
	w := s.connection.program.stdout
	return s.connection.opportunities(ctx, func(ctx context.Context, client *lifecycle.Client) error {
		if s.signal {
			if err := client.Signal(ctx, reference, message); err != nil {
				return err
			}
			sent := opportunity.Outcome{RequestID: message.ID(), State: opportunity.Pending}
			return s.output.show(w, sent, func(w io.Writer) { line(w, "sent: "+string(reference)+", request "+message.ID()) })
		}
		outcome, err := client.Update(ctx, reference, message)
		var own *opportunity.Error
		if err != nil && !errors.As(err, &own) {
			return explainedf("%v; whether %s took the request is not known: ask again with --request-id %s", s.connection.explain(err), reference, message.ID())
		}
		// The error says it all, unless there are several results or a program reads them.
		if outcome.State != "" && (err == nil || len(outcome.Results) > 1 || *s.output == asJSON) {
			if err := s.output.show(w, outcome, func(w io.Writer) { showOutcome(w, reference, outcome) }); err != nil {
				return err
			}
		}
		return err
	})
}
