package payload

import (
	"log/slog"
	"net/http"
	"slices"
	"strings"

	"go.temporal.io/sdk/converter"
)

// The largest message of Temporal has 4 MiB, and the JSON form of the message is a third larger.
const maxRequestBytes = 8 << 20

// namespaceHeader is the header in which Temporal's Web UI and command line send the name of the
// namespace.
const namespaceHeader = "X-Namespace"

// HandlerOptions are the settings of a codec server.
type HandlerOptions struct {
	Ring *KeyRing
	// Namespaces are the names of the namespaces whose payloads the codec server encrypts and
	// decrypts.
	Namespaces []string
	// Origins are the origins of the Web UIs whose pages may call the codec server.
	Origins []string
	// Authorize reports whether the server accepts a request with this Bearer token. If Authorize
	// is nil, the server accepts every request, and must listen only at a loopback address.
	Authorize func(r *http.Request, token string) bool
	// Logger logs a warning for each refused request; a nil Logger logs nothing.
	Logger *slog.Logger
}

// NewHandler returns the HTTP handler of a codec server, in the form that Temporal's Web UI,
// command line and SDKs use: POST /encode encrypts and POST /decode decrypts. GET /healthz returns
// the status 200.
func NewHandler(o HandlerOptions) http.Handler {
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	codec := converter.NewPayloadCodecHTTPHandler(NewCodec(o.Ring))
	mux := http.NewServeMux()
	for _, path := range []string{"/encode", "/decode"} {
		mux.Handle("OPTIONS "+path, o.preflight())
		mux.Handle("POST "+path, o.guarded(codec))
	}
	mux.HandleFunc("GET /healthz", func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusOK) })
	return mux
}

// allowOrigin sets the CORS headers of the response. allowOrigin returns false if the request comes
// from a page whose origin is not allowed. A request without an origin comes from a program that is
// not a browser, so allowOrigin returns true.
func (o HandlerOptions) allowOrigin(w http.ResponseWriter, r *http.Request) bool {
	h := w.Header()
	h.Add("Vary", "Origin")
	origin := r.Header.Get("Origin")
	if origin == "" {
		return true
	}
	if !slices.Contains(o.Origins, origin) {
		return false
	}
	h.Set("Access-Control-Allow-Origin", origin)
	h.Set("Access-Control-Allow-Credentials", "true")
	return true
}

// preflight handles the CORS request with which a browser finds out whether a page may call the
// codec server.
func (o HandlerOptions) preflight() http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		if !o.allowOrigin(w, r) {
			o.refuse(w, r, http.StatusForbidden, "the origin is not one of --origin")
			return
		}
		h := w.Header()
		h.Set("Access-Control-Allow-Methods", http.MethodPost)
		h.Set("Access-Control-Allow-Headers", "Authorization, Content-Type, "+namespaceHeader)
		h.Set("Access-Control-Max-Age", "600")
		w.WriteHeader(http.StatusNoContent)
	}
}

func (o HandlerOptions) guarded(next http.Handler) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Cache-Control", "no-store")
		token, isBearer := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer ")
		switch {
		case !o.allowOrigin(w, r):
			o.refuse(w, r, http.StatusForbidden, "the origin is not one of --origin")
		case o.Authorize != nil && (!isBearer || !o.Authorize(r, token)):
			w.Header().Set("WWW-Authenticate", "Bearer")
			o.refuse(w, r, http.StatusUnauthorized, "a valid Bearer token is missing")
		case !slices.Contains(o.Namespaces, r.Header.Get(namespaceHeader)):
			o.refuse(w, r, http.StatusForbidden, "the header "+namespaceHeader+" names no namespace of this server")
		case r.ContentLength > maxRequestBytes:
			o.refuse(w, r, http.StatusRequestEntityTooLarge, "the request is larger than 8 MiB")
		default:
			http.MaxBytesHandler(next, maxRequestBytes).ServeHTTP(w, r)
		}
	}
}

func (o HandlerOptions) refuse(w http.ResponseWriter, r *http.Request, code int, reason string) {
	o.Logger.WarnContext(r.Context(), "the codec server refused a request", "reason", reason, "origin", r.Header.Get("Origin"), "caller", r.RemoteAddr)
	http.Error(w, reason, code)
}
