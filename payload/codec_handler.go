package payload

import (
	"log/slog"
	"net/http"
	"slices"
	"strings"

	"go.temporal.io/sdk/converter"
)

// The largest message of Temporal has 4 MiB, and its JSON is a third larger.
const maxRequestBytes = 8 << 20

// namespaceHeader is the header in which the Web UI and the command line name the namespace.
const namespaceHeader = "X-Namespace"

// HandlerOptions are the settings of a codec server.
type HandlerOptions struct {
	Ring *KeyRing
	// Namespaces are the namespaces for which the server works.
	Namespaces []string
	// Origins are the origins of the Web UIs that may call the server.
	Origins []string
	// Authorize says whether the Bearer token of a request is accepted. If Authorize is nil, every
	// request is accepted, and the server must listen only at a loopback address.
	Authorize func(r *http.Request, token string) bool
	// Logger receives a line for each refused request; nil logs nothing.
	Logger *slog.Logger
}

// NewHandler returns the HTTP handler of a codec server, which encrypts with POST /encode and
// decrypts with POST /decode, in the form that Temporal's Web UI, command line and SDKs use.
// GET /healthz returns the status 200.
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

// allowOrigin sets the CORS headers. allowOrigin returns false if a page of another origin sends the
// request. A program that is not a browser sends no origin.
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

// preflight handles the request with which a browser asks whether a page may call the server.
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
