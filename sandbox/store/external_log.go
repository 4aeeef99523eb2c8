package store

import (
	"context"
	"database/sql"
	"encoding/json"
	"slices"
	"time"

	"github.com/oppflow/oppflow/sandbox/assumptions"
	"github.com/oppflow/oppflow/sandbox/connection"
	"github.com/oppflow/oppflow/sandbox/globalid"
)

// ExternalLog is an entry of the integration log, in which integrations write about an object of
// the TMS. An ExternalLog is never deleted (observed).
type ExternalLog struct {
	ID               int64
	OriginIdentifier string
	NodeID           string
	Message          string
	Status           string
	Payload          *string
	Category         *string
	Subcategory      *string
	CreatedAt        time.Time
}

// GlobalID returns the API's id of the log entry.
func (l ExternalLog) GlobalID() string { return globalid.EncodeInt(globalid.ExternalLog, l.ID) }

// ExternalLogPage is a page of entries.
type ExternalLogPage = connection.Page[ExternalLog]

// ExternalLogEdge is a log entry with its cursor.
type ExternalLogEdge = connection.Edge[ExternalLog]

var externalLogs = listing[ExternalLog]{
	from:    "external_logs x",
	columns: "x.id, x.origin, x.node_id, x.message, x.status, x.payload, x.category, x.subcategory, x.created_at",
	key:     "x.id",
	fields: map[string]column{
		"id": intKeyColumn("x.id", globalid.ExternalLog), "nodeId": {sql: "x.node_id"}, "originIdentifier": {sql: "x.origin"}, "status": {sql: "x.status"},
	},
	scan: func(row scanner) (ExternalLog, error) {
		var l ExternalLog
		var at int64
		err := row.Scan(&l.ID, &l.OriginIdentifier, &l.NodeID, &l.Message, &l.Status, &l.Payload, &l.Category, &l.Subcategory, &at)
		l.CreatedAt = time.UnixMicro(at).UTC()
		return l, err
	},
}

// ExternalLogs searches the entries.
func (s *Store) ExternalLogs(ctx context.Context, q Search) (*ExternalLogPage, error) {
	return externalLogs.page(ctx, s, q)
}

// NewExternalLog is the input for a new entry of the integration log. Payload is JSON text.
type NewExternalLog struct {
	OriginIdentifier    string
	NodeID              string
	Message             string
	Status              string
	Payload             *string
	InternalLogMetadata *LogMetadata
}

// LogMetadata is the category and the subcategory of a log entry.
type LogMetadata struct {
	Category    *string
	Subcategory *string
}

// WriteExternalLog writes an entry. The object that the entry is about must exist. If the id has an
// empty key, the entry is about the type of the id and not about one object (observed).
func (s *Store) WriteExternalLog(ctx context.Context, in NewExternalLog) (*ExternalLog, error) {
	if !slices.Contains([]string{"success", "failed", "partial"}, in.Status) {
		return nil, newRefusal(LabelInvalidValue, in.Status, "status is %q, but must be success, failed or partial", in.Status)
	}
	if in.Payload != nil && !json.Valid([]byte(*in.Payload)) {
		return nil, newRefusal(LabelInvalidValue, "", "payload is not valid JSON")
	}
	if err := s.checkLoggable(ctx, in.NodeID); err != nil {
		return nil, err
	}
	metadata := in.InternalLogMetadata
	if metadata == nil {
		metadata = &LogMetadata{}
	}
	var written *ExternalLog
	err := s.inTransaction(ctx, func(ctx context.Context, tx *sql.Tx) error {
		made, err := tx.ExecContext(ctx, `INSERT INTO external_logs (origin, node_id, message, status, payload, category, subcategory, created_at) VALUES (?, ?, ?, ?, ?, ?, ?, ?)`,
			in.OriginIdentifier, in.NodeID, in.Message, in.Status, in.Payload, metadata.Category, metadata.Subcategory, s.now().UnixMicro())
		if err != nil {
			return err
		}
		id, err := made.LastInsertId()
		if err == nil {
			written, err = externalLogs.byKey(ctx, tx, id)
		}
		return err
	})
	if err != nil {
		return nil, err
	}
	return written, nil
}

func (s *Store) checkLoggable(ctx context.Context, id string) error {
	if typ, ok := globalid.TypeOnly(id); ok && typ != "" {
		return nil
	}
	parsed, err := globalid.Parse(id)
	if err != nil {
		return newRefusal(LabelInvalidID, id, "nodeId: %v", err)
	}
	if parsed.Type == globalid.Opportunity && s.choices.Is(assumptions.LogOpportunity, "refused") {
		return newRefusal(LabelInvalidID, id, "nodeId: the integration log accepts events, contacts and accounts, not opportunities")
	}
	found, err := s.Node(ctx, id)
	if err != nil {
		return newRefusal(LabelInvalidID, id, "nodeId: %v", err)
	}
	if found == nil {
		return notFound("Node", id)
	}
	return nil
}
