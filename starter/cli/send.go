package cli

import (
	"context"
	"errors"
	"fmt"
	"io"

	"github.com/spf13/cobra"

	"github.com/oppflow/oppflow/lifecycle"
	"github.com/oppflow/oppflow/opportunity"
)

// sending holds what all commands that send a message share.
type sending struct {
	connection *connection
	output     *output
	request    *request
	signal     bool
	source     string
	// told is the text for a message that was carried out; "" shows its outcome.
	told string
}

func (p *program) sending(command *cobra.Command) *sending {
	fs := command.Flags()
	s := &sending{request: requestFlag(fs), output: outputFlag(command)}
	fs.StringVar(&s.source, "source", "", "who sends it: requests of many sources get their turns in fair parts (default: the region)")
	fs.BoolVar(&s.signal, "signal", false, "send and forget: do not wait for the outcome")
	s.connection = p.connection(fs, answerTimeout)
	return s
}

// send checks the message, sends it and shows its outcome. members maps the members of the message to the flags of
// the user.
func (s *sending) send(ctx context.Context, reference opportunity.Reference, message opportunity.Message, members map[string]string) error {
	message = opportunity.WithSource(message, s.source)
	if err := message.Validate(); err != nil {
		members["source"] = "--source"
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
		var outcome opportunity.Outcome
		var err error
		switch message := message.(type) {
		case opportunity.Command:
			outcome, err = client.Update(ctx, reference, message)
		case opportunity.Instruction:
			outcome, err = client.Instruct(ctx, reference, message)
		default:
			return fmt.Errorf("%s can only be sent with --signal", message.Verb())
		}
		var own *opportunity.Error
		if err != nil && !errors.As(err, &own) {
			return explainedf("%v; whether %s took the request is not known: ask again with --request-id %s", s.connection.explain(err), reference, message.ID())
		}
		return s.answer(w, reference, outcome, err)
	})
}

// answer shows the outcome of a request and returns its error.
func (s *sending) answer(w io.Writer, reference opportunity.Reference, outcome opportunity.Outcome, err error) error {
	// The error alone is enough, unless there are several results or a program reads the output.
	if outcome.State == "" || (err != nil && len(outcome.Results) < 2 && *s.output != asJSON) {
		return err
	}
	shown := s.output.show(w, outcome, func(w io.Writer) {
		if s.told != "" && outcome.State == opportunity.Done {
			line(w, s.told)
			return
		}
		showOutcome(w, reference, outcome)
	})
	return errors.Join(err, shown)
}
