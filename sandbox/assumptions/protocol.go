package assumptions

// The rows about the limit of requests, the form of requests and responses, and OAuth.
const (
	// RateCountsRefused says whether a request that exceeds the rate limit counts against the
	// limit.
	RateCountsRefused Name = "rate.refused"
	// RateTokens says whether token requests count against the limit.
	RateTokens Name = "rate.tokens"
	// RequestSize says how large a request may be.
	RequestSize Name = "request.size"
	// NamespaceOrder says in which order the fields inside a namespace run.
	NamespaceOrder Name = "namespace.order"
	// FailedMutationResponse says what a response contains when a mutation had an internal failure.
	FailedMutationResponse Name = "mutation.failed"
	// RejectedDocument says how a document is rejected.
	RejectedDocument Name = "rejected.response"
	// EmptyErrors says what a response without errors contains.
	EmptyErrors Name = "errors.empty"
	// OAuthHeader says whether the client may also send its id and secret in the header
	// Authorization.
	OAuthHeader Name = "oauth.client"
	// OAuthQuery says whether the token endpoint takes parameters in the URL.
	OAuthQuery Name = "oauth.query"
	// OAuthAuthorize says whether the authorization endpoint accepts a request without
	// redirect_uri.
	OAuthAuthorize Name = "oauth.authorize"
	// OAuthScope says which scopes exist.
	OAuthScope Name = "oauth.scope"
	// OAuthRefresh says how often a refresh token can be used.
	OAuthRefresh Name = "oauth.refresh"
	// OAuthRedirect says whether the exchange of a code must repeat the redirect_uri.
	OAuthRedirect Name = "oauth.redirect"
	// OAuthRefusal says with which status the token endpoint refuses a wrong client id or secret.
	OAuthRefusal Name = "oauth.refusal"
)

func protocol() []Assumption {
	return []Assumption{
		{Name: RateCountsRefused, Options: []Option{
			{"free", "what is answered 429 does not count against the limit"},
			{"counted", "it counts: a client that does not stop asking is never let in again"},
		}},
		{Name: RateTokens, Options: []Option{
			{"counted", "requests of the token endpoint count against the limit of requests, and are refused over it"},
			{"free", "the limit is that of the API alone"},
		}},
		{Name: RequestSize, Options: []Option{
			{"1MiB", "a request over 1 MiB is answered with status 413"},
			{"128KiB", "one over 128 KiB is"},
		}},
		{Name: NamespaceOrder, Options: []Option{
			{"none", "fields inside a namespace run in no order; those at the root of a mutation always run in order"},
			{"document", "they run in the order of the document, too"},
		}},
		{Name: FailedMutationResponse, Options: []Option{
			{"data-null", "mutations and their namespaces are not null: when one fails inside, the whole answer is \"data\": null, although the others took effect"},
			{"field-null", "they may be null: the others are answered"},
			{"stops", "they are not null, and what stands at the root behind the one that failed does not run"},
		}},
		{Name: RejectedDocument, Options: []Option{
			{"no-data", "a document that is refused as a whole is answered with status 200, and without data"},
			{"null", "with status 200 and \"data\": null"},
			{"status-400", "with status 400, and without data"},
		}},
		{Name: EmptyErrors, Options: []Option{
			{"left-out", "an answer without errors has no errors at the top"},
			{"shown", "it has \"errors\": [] there beside its data, as in some examples of the documentation"},
		}},
		{Name: OAuthHeader, Options: []Option{
			{"form", "the client shows its id and secret in the form alone; a request with the header Authorization is refused"},
			{"basic", "HTTP Basic works, too"},
		}},
		{Name: OAuthQuery, Options: []Option{
			{"refused", "parameters in the URL are refused, as RFC 6749 has it"},
			{"taken", "they are taken like those in the form (one client was seen to send them so)"},
		}},
		{Name: OAuthAuthorize, Options: []Option{
			{"required", "the authorization endpoint needs the redirect_uri (its newer page)"},
			{"optional", "without one the user is sent to the first that is registered (its older page)"},
		}},
		{Name: OAuthScope, Options: []Option{
			{"instance", "no scope, or instance; any other is refused"},
			{"any", "any scope is taken"},
		}},
		{Name: OAuthRefresh, Options: []Option{
			{"stays", "a refresh token stays good when another is given in its place (documented: it can be used again)"},
			{"replaced", "it is good for one renewal"},
		}},
		{Name: OAuthRedirect, Options: []Option{
			{"optional", "the exchange of a code need not name the redirect_uri; if it does, it must be the same"},
			{"required", "it must name it, as RFC 6749 has it"},
		}},
		{Name: OAuthRefusal, Options: []Option{
			{"401", "the token endpoint refuses a wrong client with status 401 (RFC 6749, 5.2)"},
			{"400", "with status 400, like everything else"},
		}},
	}
}
