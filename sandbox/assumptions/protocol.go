package assumptions

const (
	// RateCountsRefused says whether a request that was refused because of the rate limit counts
	// against the limit.
	RateCountsRefused Name = "rate.refused"
	// RateTokens says whether requests to the token endpoint count against the rate limit.
	RateTokens Name = "rate.tokens"
	// RequestSize says how large a request may be.
	RequestSize Name = "request.size"
	// NamespaceOrder says in which order the mutations inside a GraphQL namespace run.
	NamespaceOrder Name = "namespace.order"
	// FailedMutationResponse says what a response contains when a mutation had an internal failure.
	FailedMutationResponse Name = "mutation.failed"
	// RejectedDocument says which form the response to a rejected GraphQL document has.
	RejectedDocument Name = "rejected.response"
	// EmptyErrors says whether a response without errors contains the member "errors".
	EmptyErrors Name = "errors.empty"
	// OAuthHeader says whether the client may also send its id and secret in the header
	// Authorization.
	OAuthHeader Name = "oauth.client"
	// OAuthQuery says whether the token endpoint accepts parameters in the URL.
	OAuthQuery Name = "oauth.query"
	// OAuthAuthorize says whether the authorization endpoint accepts a request without
	// redirect_uri.
	OAuthAuthorize Name = "oauth.authorize"
	// OAuthScope says which scopes exist.
	OAuthScope Name = "oauth.scope"
	// OAuthRefresh says whether a refresh token can be used more than once.
	OAuthRefresh Name = "oauth.refresh"
	// OAuthRedirect says whether the token request for an authorization code must repeat the
	// redirect_uri.
	OAuthRedirect Name = "oauth.redirect"
	// OAuthRefusal says with which status the token endpoint refuses a wrong client id or secret.
	OAuthRefusal Name = "oauth.refusal"
)

func protocol() []Assumption {
	return []Assumption{
		{Name: RateCountsRefused, Options: []Option{
			{"free", "a request that gets status 429 does not count against the rate limit"},
			{"counted", "a request that gets status 429 counts against the rate limit, so a client that continues to send requests stays blocked"},
		}},
		{Name: RateTokens, Options: []Option{
			{"counted", "requests to the token endpoint count against the rate limit and are refused above the limit"},
			{"free", "requests to the token endpoint do not count against the rate limit"},
		}},
		{Name: RequestSize, Options: []Option{
			{"1MiB", "a request larger than 1 MiB gets status 413"},
			{"128KiB", "a request larger than 128 KiB gets status 413"},
		}},
		{Name: NamespaceOrder, Options: []Option{
			{"none", "mutations inside a GraphQL namespace run in no particular order; fields at the root always run in the order of the document"},
			{"document", "mutations inside a GraphQL namespace run in the order of the document, like the fields at the root"},
		}},
		{Name: FailedMutationResponse, Options: []Option{
			{"data-null", "mutations are not nullable: if one mutation fails, the whole response is \"data\": null, although the other mutations took effect"},
			{"field-null", "mutations are nullable: if one mutation fails, the response still contains the results of the other mutations"},
			{"stops", "mutations are not nullable: if one mutation fails, the root fields after the failed mutation do not run"},
		}},
		{Name: RejectedDocument, Options: []Option{
			{"no-data", "the response to a document that is refused as a whole has status 200 and no data member"},
			{"null", "the response to a document that is refused as a whole has status 200 and \"data\": null"},
			{"status-400", "the response to a document that is refused as a whole has status 400 and no data member"},
		}},
		{Name: EmptyErrors, Options: []Option{
			{"left-out", "a successful response has no top-level member with the name errors"},
			{"shown", "a successful response has the top-level member \"errors\": [], as in some examples of the documentation"},
		}},
		{Name: OAuthHeader, Options: []Option{
			{"form", "the client sends its id and secret only in the form; a token request with the header Authorization is refused"},
			{"basic", "the client may send its id and secret in the form or by HTTP Basic"},
		}},
		{Name: OAuthQuery, Options: []Option{
			{"refused", "token requests with parameters in the URL are refused, as RFC 6749 requires"},
			{"taken", "token requests may have parameters in the URL (one observed client sends parameters in the URL)"},
		}},
		{Name: OAuthAuthorize, Options: []Option{
			{"required", "the authorization endpoint requires redirect_uri (according to the newer page of the documentation)"},
			{"optional", "without redirect_uri the authorization endpoint uses the first registered URI (according to the older page of the documentation)"},
		}},
		{Name: OAuthScope, Options: []Option{
			{"instance", "a token request may omit the scope or contain the scope instance; a token request with any other scope is refused"},
			{"any", "a token request may contain any scope"},
		}},
		{Name: OAuthRefresh, Options: []Option{
			{"stays", "a refresh token stays valid after a renewal of the access token (the documentation says that a client can use a refresh token again)"},
			{"replaced", "a refresh token is valid for only one renewal of the access token"},
		}},
		{Name: OAuthRedirect, Options: []Option{
			{"optional", "the token request for an authorization code may omit redirect_uri; if present, redirect_uri must equal the redirect_uri of the authorization request"},
			{"required", "the token request for an authorization code must contain redirect_uri, as RFC 6749 requires"},
		}},
		{Name: OAuthRefusal, Options: []Option{
			{"401", "the token endpoint refuses a wrong client id or secret with status 401 (RFC 6749, section 5.2)"},
			{"400", "the token endpoint refuses a wrong client id or secret with status 400, which is the status of all other errors"},
		}},
	}
}
