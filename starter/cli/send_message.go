package cli

import (
	"context"
	"errors"
	"io"

	"github.com/spf13/cobra"

	"github.com/oppflow/oppflow/lifecycle"
	"github.com/oppflow/oppflow/opportunity"
)

func messageHelp(name opportunity.MessageName) string {
	m, _ := opportunity.MessageTypeOf(name)
	return m.Help
}

type messageCommand struct {
	connection *connection
	output     *output
	request    *request
	signal     bool
	source     string
	// successText is the text for a message with the outcome done; if successText is "", the
	// command shows the outcome.
	successText string
	// If checkDone is set, checkDone checks what a message with the outcome done has caused. checkDone
	// may change successText.
	checkDone func(ctx context.Context, client *lifecycle.Client, reference opportunity.Reference) error
}

func (p *program) newMessageCommand(command *cobra.Command) *messageCommand {
	fs := command.Flags()
	s := &messageCommand{request: requestFlag(fs), output: outputFlag(command)}
	fs.StringVar(&s.source, "source", "", "source of the request, such as the name of a web shop; Oppflow serves all sources fairly in turn (default: the region)")
	fs.BoolVar(&s.signal, "signal", false, "send a signal: do not wait for the outcome")
	s.connection = p.connection(fs, updateTimeout)
	return s
}

// members maps the names of the message's members to the names of the flags.
func (s *messageCommand) send(ctx context.Context, reference opportunity.Reference, message opportunity.Message, members map[string]string) error {
	message = opportunity.WithSource(message, s.source)
	if err := message.Validate(); err != nil {
		members["source"] = "--source"
		return asUsageError(err, members)
	}
	w := s.connection.program.stdout
	return s.connection.opportunities(ctx, func(ctx context.Context, client *lifecycle.Client) error {
		if s.signal {
			if err := client.Signal(ctx, reference, message); err != nil {
				return err
			}
			sent := opportunity.Outcome{RequestID: message.GetRequestID(), State: opportunity.Pending}
			return s.output.show(w, sent, func(w io.Writer) { line(w, "sent: "+string(reference)+", request "+message.GetRequestID()) })
		}
		outcome, err := client.Update(ctx, reference, message)
		var own *opportunity.Error
		if err != nil && !errors.As(err, &own) {
			return explainedf("%v; it is unknown whether the opportunity %s accepted the request; send the request again with --request-id %s", s.connection.explainError(err), reference, message.GetRequestID())
		}
		if err == nil && outcome.State == opportunity.Done && s.checkDone != nil {
			err = s.checkDone(ctx, client, reference)
		}
		return s.showResult(w, reference, outcome, err)
	})
}

func (s *messageCommand) showResult(w io.Writer, reference opportunity.Reference, outcome opportunity.Outcome, err error) error {
	// If the request failed, the command shows only the error, unless the outcome has several
	// results or a program reads the output.
	if outcome.State == "" || (err != nil && len(outcome.Results) < 2 && *s.output != asJSON) {
		return err
	}
	shown := s.output.show(w, outcome, func(w io.Writer) {
		if s.successText != "" && outcome.State == opportunity.Done {
			line(w, s.successText)
			return
		}
		showOutcome(w, reference, outcome)
	})
	return errors.Join(err, shown)
}
