package administrate

import "context"

// TokenIssue says that training tokens were issued for an opportunity.
type TokenIssue struct {
	TypeID   string // of the training token type
	Quantity int
}

// TokenIssues reads what was issued for an opportunity, in one request. Nobody has
// seen the API show it (see Assumptions.TokenIssues): switched off, none are read, and
// nil is answered, which is otherwise an empty list. It fails with NotFoundError when
// there is no opportunity with that id.
func (c *Client) TokenIssues(ctx context.Context, opportunityID string) ([]TokenIssue, error) {
	b := newBuilder(&c.assumed)
	b.where = "TokenIssues"
	selection := "id"
	if b.assumed.TokenIssues != Off {
		selection += " issues: " + string(b.assumed.TokenIssues) + " { quantity tokenType { id } }"
	}
	issues, err := findOne(ctx, c, b, "TokenIssues", "opportunities", "opportunity", opportunityID, selection, tokensAnswer.issues)
	if b.assumed.TokenIssues == Off {
		return nil, err
	}
	return issues, err
}

type tokensAnswer struct {
	ID     string `json:"id"`
	Issues []struct {
		Quantity  int        `json:"quantity"`
		TokenType *reference `json:"tokenType"`
	} `json:"issues"`
}

func (t tokensAnswer) issues() ([]TokenIssue, error) {
	issues := []TokenIssue{}
	for _, issue := range t.Issues {
		issues = append(issues, TokenIssue{TypeID: issue.TokenType.id(), Quantity: issue.Quantity})
	}
	return issues, identified(t.ID)
}
