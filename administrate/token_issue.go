package administrate

import (
	"context"
	"encoding/json"
)

// TokenIssue is training tokens that were given to the account of an opportunity.
type TokenIssue struct {
	TokenTypeID string
	Quantity    int
}

// TokenIssues is what is known of the training tokens of an opportunity.
type TokenIssues struct {
	// Shown says that the API tells what was issued. It is false where the assumption
	// TokenIssues is switched off.
	Shown  bool
	Issues []TokenIssue
}

// ShowsTokenIssues reports whether TokenIssues can tell anything: not where the
// assumption is switched off.
func (c *Client) ShowsTokenIssues() bool { return c.assumed.TokenIssues != Off }

// TokenIssues reads what was issued for an opportunity. Nobody has seen how the API
// shows it: see Assumptions.TokenIssues. It fails with NotFoundError when there is no
// opportunity with that id, and with RefusedError where the API does not have what
// is assumed.
func (c *Client) TokenIssues(ctx context.Context, opportunityID string) (TokenIssues, error) {
	field, selection := string(c.assumed.TokenIssues), "id"
	if c.assumed.TokenIssues != Off {
		selection += " " + field + " { tokenType { id } quantity }"
	}
	return findOne(ctx, c, newBuilder(&c.assumed), "TokenIssues", "opportunities", "opportunity", opportunityID, selection,
		func(answer map[string]json.RawMessage) (TokenIssues, error) {
			if c.assumed.TokenIssues == Off {
				return TokenIssues{}, nil
			}
			var answers []struct {
				TokenType *reference `json:"tokenType"`
				Quantity  int        `json:"quantity"`
			}
			out := TokenIssues{Shown: true}
			if json.Unmarshal(answer[field], &answers) != nil {
				return out, errAnswer
			}
			for _, a := range answers {
				out.Issues = append(out.Issues, TokenIssue{TokenTypeID: a.TokenType.id(), Quantity: a.Quantity})
			}
			return out, nil
		})
}
