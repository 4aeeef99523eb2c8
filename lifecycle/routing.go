package lifecycle

import (
	"context"
	"net/url"
	"strings"

	"google.golang.org/grpc/metadata"

	"github.com/oppflow/oppflow/opportunity"
)

// resourceHeader is the gRPC header in which Temporal's SDK names the workflow of a
// request. It is a hint for routing; values of headers are ASCII.
const resourceHeader = "temporal-resource-id"

// addressed lets requests about the reference go out whatever script it is in: the
// SDK sets a header with it as it is, which gRPC refuses, unless one is set already.
func addressed(ctx context.Context, reference opportunity.Reference) context.Context {
	value := "workflow:" + WorkflowID(reference)
	if plain := ASCIIHeader(value); plain != value {
		return metadata.AppendToOutgoingContext(ctx, resourceHeader, plain)
	}
	return ctx
}

// ASCIIHeader is the value of a gRPC header, with all that is not printable ASCII
// escaped as in a URL.
func ASCIIHeader(value string) string {
	if !strings.ContainsFunc(value, func(c rune) bool { return c < ' ' || c > '~' }) {
		return value
	}
	return url.PathEscape(value)
}
