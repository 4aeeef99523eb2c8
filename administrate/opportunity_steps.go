package administrate

import (
	"context"

	"github.com/oppflow/oppflow/administrate/transport"
)

// OpportunitySteps reads 1 to 100 opportunities by their ids in one request, and sets only ID, Step and
// Account. The filter and its operation are observed (API notes 3.3). The API decides the order of the
// opportunities. If no opportunity has one of the ids, OpportunitySteps returns no error for this id.
func (c *Client) OpportunitySteps(ctx context.Context, ids []string) ([]Opportunity, error) {
	const name = "OpportunitySteps"
	b := newBuilder(&c.assumed)
	b.location = name
	arguments := "filters: [" + b.inFilter("id", "ids", ids) + "], first: 100"
	selection := "id step { " + selectStep + " } account { " + selectRef + " }"
	page, err := findRows(ctx, c, b, name, "opportunities", arguments, selection, opportunityDTO.opportunity)
	if err == nil && page.nextCursor != "" { // the API returned more rows than there are ids
		return nil, transport.MalformedResponse(name)
	}
	return page.rows, err
}
