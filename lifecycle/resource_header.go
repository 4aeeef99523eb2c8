package lifecycle

import (
	"context"
	"net/url"
	"strings"

	"google.golang.org/grpc/metadata"

	"github.com/oppflow/oppflow/opportunity"
)

// resourceHeader is the gRPC header in which Temporal's SDK names the workflow of a request. The
// server uses the header only for routing, and the value must be ASCII.
const resourceHeader = "temporal-resource-id"

// withResourceHeader sets resourceHeader in ASCII, so that a reference may contain the characters
// of any script. If the client does not set this header, the SDK sets the header to the workflow
// id, and gRPC rejects an id that is not ASCII.
func withResourceHeader(ctx context.Context, reference opportunity.Reference) context.Context {
	value := "workflow:" + WorkflowID(reference)
	if plain := ASCIIHeader(value); plain != value {
		return metadata.AppendToOutgoingContext(ctx, resourceHeader, plain)
	}
	return ctx
}

// ASCIIHeader returns the text as a value for a gRPC header. Every character that is not printable
// ASCII is escaped as in a URL.
func ASCIIHeader(value string) string {
	if !strings.ContainsFunc(value, func(c rune) bool { return c < ' ' || c > '~' }) {
		return value
	}
	return url.PathEscape(value)
}
