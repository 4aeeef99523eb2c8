package store

import (
	"context"

	"github.com/oppflow/oppflow/sandbox/globalid"
)

// Node is an object with a global id.
type Node interface{ GlobalID() string }

// Node returns the object with a global id, or nil if no object has the id. For a malformed id,
// Node returns a *RequestError.
func (s *Store) Node(ctx context.Context, id string) (Node, error) {
	parsed, err := globalid.Parse(id)
	if err != nil {
		return nil, newRequestError("id: %v", err)
	}
	switch parsed.Type {
	case globalid.Region:
		return node(ctx, s, &regions, parsed.Key)
	case globalid.Currency:
		return node(ctx, s, &currencies, parsed.Key)
	case globalid.TrainingTokenType:
		return node(ctx, s, &trainingTokenTypes, parsed.Key)
	}
	n, err := globalid.ParseInt(id, parsed.Type)
	if err != nil {
		return nil, newRequestError("id: %v", err)
	}
	switch parsed.Type {
	case globalid.Opportunity:
		return node(ctx, s, &opportunities, n)
	case globalid.OpportunityInterest:
		return node(ctx, s, &interests, n)
	case globalid.OpportunityStep:
		return node(ctx, s, &steps, n)
	case globalid.OpportunityStage:
		return node(ctx, s, &stages, n)
	case globalid.Account:
		a, err := s.accountByKey(ctx, s.read, n)
		if err != nil || a == nil {
			return nil, err
		}
		return *a, nil
	case globalid.Contact:
		return node(ctx, s, &contacts, n)
	case globalid.CourseTemplate:
		return node(ctx, s, &courseTemplates, n)
	case globalid.Event:
		return node(ctx, s, &events, n)
	case globalid.Registration:
		return node(ctx, s, &registrations, n)
	case globalid.Learner:
		return node(ctx, s, &registeredLearners, n)
	case globalid.Invoice:
		return node(ctx, s, &invoices, n)
	case globalid.User:
		return node(ctx, s, &users, n)
	case globalid.ExternalLog:
		return node(ctx, s, &externalLogs, n)
	case globalid.SendingAddress:
		return node(ctx, s, &sendingAddresses, n)
	case globalid.CommunicationTemplate:
		return node(ctx, s, &communicationTemplates, n)
	case globalid.LearningPath:
		return node(ctx, s, &learningPaths, n)
	}
	return nil, newRequestError("id: %q is of type %s, but the API has no type with this name", id, parsed.Type)
}

func node[T Node](ctx context.Context, s *Store, l *listing[T], key any) (Node, error) {
	row, err := l.byKey(ctx, s.read, key)
	if err != nil || row == nil {
		return nil, err
	}
	return *row, nil
}
