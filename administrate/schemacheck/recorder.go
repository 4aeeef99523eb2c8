package schemacheck

import (
	"context"
	"encoding/json"

	"github.com/oppflow/oppflow/administrate"
	"github.com/oppflow/oppflow/administrate/transport"
)

// recorder is a Sender that stores the client's documents and sends nothing to the API. If respond
// is not nil, respond returns the data of the response to each document.
type recorder struct {
	documents []transport.Document
	respond   func(transport.Document) (json.RawMessage, error)
}

var errRecorded = &administrate.NotSentError{Operation: "sample", Reason: administrate.Cancelled}

func (r *recorder) Send(_ context.Context, doc transport.Document) (transport.Response, error) {
	r.documents = append(r.documents, doc)
	if r.respond == nil {
		return transport.Response{}, errRecorded
	}
	data, err := r.respond(doc)
	return transport.Response{Data: data}, err
}

func (r *recorder) run(ctx context.Context, o administrate.SampleOperation, assumed administrate.Assumptions) error {
	client, err := administrate.NewWithSender(r, assumed)
	if err != nil {
		return err
	}
	return o.Do(ctx, client)
}
