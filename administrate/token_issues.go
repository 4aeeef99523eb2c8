package administrate

import (
	"context"
	"encoding/json"
)

// TokenIssue is a number of training tokens that the account of an opportunity got.
type TokenIssue struct {
	TokenTypeID string
	Quantity    int
}

// TokenIssues contains the training tokens that were issued for an opportunity.
type TokenIssues struct {
	// Shown says that the tokens were read. Shown is false when the assumption TokenIssues is
	// switched off.
	Shown  bool
	Issues []TokenIssue
}

// ShowsTokenIssues returns false when the assumption TokenIssues is switched off, because
// TokenIssues then returns no tokens.
func (c *Client) ShowsTokenIssues() bool { return c.assumed.TokenIssues != Off }

// TokenIssues reads the tokens that were issued for an opportunity. The field of the API for issued
// tokens is assumed: see Assumptions.TokenIssues. TokenIssues fails with NotFoundError when no
// opportunity has that id, and with RefusedError when the API does not have the assumed field.
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
				TokenType *idRef `json:"tokenType"`
				Quantity  int    `json:"quantity"`
			}
			out := TokenIssues{Shown: true}
			if json.Unmarshal(answer[field], &answers) != nil {
				return out, errMalformedValue
			}
			for _, a := range answers {
				out.Issues = append(out.Issues, TokenIssue{TokenTypeID: a.TokenType.id(), Quantity: a.Quantity})
			}
			return out, nil
		})
}
