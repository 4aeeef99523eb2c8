package lifecycle

import (
	"context"
	"net/url"
	"strings"

	"google.golang.org/grpc/metadata"

	"github.com/oppflow/oppflow/opportunity"
)

// resourceHeader is the gRPC header in which Temporal's SDK names the workflow of a request.
// resourceHeader is a hint for routing, and its values are ASCII.
const resourceHeader = "temporal-resource-id"

// withResourceHeader sets the header, so that a reference may be in any script. Without this header
// the SDK sends the raw id as the header, and gRPC rejects a raw id that is not ASCII.
func withResourceHeader(ctx context.Context, reference opportunity.Reference) context.Context {
	value := "workflow:" + WorkflowID(reference)
	if plain := ASCIIHeader(value); plain != value {
		return metadata.AppendToOutgoingContext(ctx, resourceHeader, plain)
	}
	return ctx
}

// ASCIIHeader returns the value of a gRPC header, with everything that is not printable
// ASCII escaped as in a URL.
func ASCIIHeader(value string) string {
	if !strings.ContainsFunc(value, func(c rune) bool { return c < ' ' || c > '~' }) {
		return value
	}
	return url.PathEscape(value)
}
