package administrate

import (
	"context"
	"encoding/json"
)

// LogStatus says how the operation of a log entry ended.
type LogStatus string

// The values of LogStatus are observed (API notes 5.7).
const (
	LogSuccess LogStatus = "success"
	LogFailed  LogStatus = "failed"
	LogPartial LogStatus = "partial"
)

// LogEntry is an entry of the integration log; the TMS shows the entry with the object that the
// entry is about. The members of LogEntry are observed (API notes 5.7).
type LogEntry struct {
	// Origin is the sender's name, which must be the same in all log entries of the sender. Never
	// change Origin, because log entries with the old Origin cannot be deleted (observed, API notes
	// 5.7).
	Origin string
	// NodeID is the id of the object in the TMS that the log entry is about. It is observed that
	// the API accepts the id of an event or a contact. It is assumed that the API also accepts the
	// id of an opportunity (API notes 5.7).
	NodeID  string
	Message string
	Status  LogStatus
	Payload string // JSON text; optional
	// Category and Subcategory are optional texts that Administrate uses for its own purposes.
	Category, Subcategory string
}

// WriteLog adds an entry to the integration log. No query that reads the integration log was
// observed, so Oppflow cannot find out later whether an entry was written.
func (c *Client) WriteLog(ctx context.Context, l LogEntry) error {
	r, err := c.sendStandalone(ctx, "WriteLog", l.build)
	if err != nil {
		return err
	}
	var payload struct{}
	return r.decodePayload(&payload)
}

func (l LogEntry) build(b *builder) standaloneMutation {
	if !isGraphQLName(string(l.Status)) {
		b.invalid("Status", "the status is not valid; use success, failed or partial")
	}
	in := map[string]any{
		"originIdentifier": b.requiredText("Origin", l.Origin),
		"nodeId":           b.requiredText("NodeID", l.NodeID),
		"message":          b.requiredText("Message", l.Message),
		"status":           string(l.Status),
	}
	if l.Payload != "" {
		if !json.Valid([]byte(l.Payload)) {
			b.invalid("Payload", "the payload is not valid JSON")
		}
		in["payload"] = b.utf8Text("Payload", l.Payload)
	}
	metadata := map[string]any{}
	if l.Category != "" {
		metadata["category"] = b.utf8Text("Category", l.Category)
	}
	if l.Subcategory != "" {
		metadata["subcategory"] = b.utf8Text("Subcategory", l.Subcategory)
	}
	if len(metadata) > 0 {
		in["internalLogMetadata"] = metadata
	}
	return standaloneMutation{
		namespace: "externalLog", field: "createExternalIntegrationLog",
		arguments: "input: " + b.bindObject("ExternalIntegrationLogCreateInput", in), // the type ExternalIntegrationLogCreateInput is observed
	}
}
