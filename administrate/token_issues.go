package administrate

import (
	"context"
	"encoding/json"

	"github.com/oppflow/oppflow/administrate/transport"
)

// TokenIssue is a quantity of training tokens of one type that the TMS issued to the account of an
// opportunity.
type TokenIssue struct {
	TokenTypeID string
	Quantity    int
}

// TokenIssues contains the training tokens that were issued for an opportunity.
type TokenIssues struct {
	// Shown says whether the client read the issued training tokens; Shown is false if
	// Assumptions.TokenIssues is Off.
	Shown  bool
	Issues []TokenIssue
}

// ShowsTokenIssues reports whether TokenIssues can read the issued training tokens.
func (c *Client) ShowsTokenIssues() bool { return c.assumed.TokenIssues != Off }

// TokenIssues reads the training tokens that were issued for an opportunity. The name of the API's
// field for issued training tokens is assumed: see Assumptions.TokenIssues. TokenIssues fails with
// NotFoundError when no opportunity has the id opportunityID. TokenIssues fails with RefusedError
// when the tenant's schema does not have the assumed field.
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
				return out, transport.ErrMalformedValue
			}
			for _, a := range answers {
				out.Issues = append(out.Issues, TokenIssue{TokenTypeID: a.TokenType.id(), Quantity: a.Quantity})
			}
			return out, nil
		})
}
