package sandbox

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strconv"

	"github.com/oppflow/oppflow/sandbox/fault"
	"github.com/oppflow/oppflow/sandbox/requestlog"
	"github.com/oppflow/oppflow/sandbox/store"
)

// adminPath is the URL path of the sandbox's own endpoints, which are not endpoints of the API.
const adminPath = "/_sandbox/"

const maxRequestLogPage = 10_000

// Requests to the endpoints of admin bypass the rate limit, the request log and the faults.
type admin struct{ sandbox *Sandbox }

// handler returns an HTTP handler that accepts only requests with the sandbox's own token, which
// never expires. If open is true, the HTTP handler accepts every request.
func (a admin) handler(open bool) http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET "+adminPath+"faults", a.listFaults)
	mux.HandleFunc("POST "+adminPath+"faults", a.setFault)
	mux.HandleFunc("DELETE "+adminPath+"faults", a.clearFaults)
	mux.HandleFunc("DELETE "+adminPath+"faults/{id}", a.removeFault)
	mux.HandleFunc("POST "+adminPath+"faults/{id}/release", a.releaseFault)
	mux.HandleFunc("POST "+adminPath+"faults/{id}/discard", a.discardFault)
	mux.HandleFunc("GET "+adminPath+"request-log", a.readRequestLog)
	mux.HandleFunc("GET "+adminPath+"outbox", a.readOutbox)
	mux.HandleFunc("DELETE "+adminPath+"consent", a.revokeConsent)
	mux.HandleFunc("PATCH "+adminPath+"interests/{id}", a.editInterest)
	mux.HandleFunc("DELETE "+adminPath+"interests/{id}", a.removeInterest)
	mux.HandleFunc("PATCH "+adminPath+"contacts/{id}", a.renameContact)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if !open && !equalConstantTime(bearerToken(r), a.sandbox.token) {
			w.Header().Set("WWW-Authenticate", authenticateHeader)
			writeError(w, http.StatusUnauthorized, "the request needs the header Authorization: Bearer with the sandbox's own token")
			return
		}
		mux.ServeHTTP(w, r)
	})
}

func (a admin) listFaults(w http.ResponseWriter, _ *http.Request) {
	writeJSON(w, http.StatusOK, map[string][]fault.Status{"faults": a.sandbox.faults.List()})
}

func (a admin) setFault(w http.ResponseWriter, r *http.Request) {
	rule, err := ReadFault(http.MaxBytesReader(w, r.Body, maxForm))
	if err != nil {
		writeError(w, http.StatusBadRequest, err.Error())
		return
	}
	id, err := a.sandbox.faults.Set(rule)
	if err != nil {
		writeError(w, http.StatusBadRequest, err.Error())
		return
	}
	writeJSON(w, http.StatusCreated, map[string]int{"id": id})
}

// ReadFault reads a fault rule as JSON and checks the rule. An unknown JSON member is an error,
// because the rule would otherwise ignore a condition with a misspelt name.
func ReadFault(from io.Reader) (fault.Rule, error) {
	decoder := json.NewDecoder(from)
	decoder.DisallowUnknownFields()
	var rule fault.Rule
	err := decoder.Decode(&rule)
	if err == nil {
		if _, more := decoder.Token(); !errors.Is(more, io.EOF) {
			err = errors.New("the request has text after the JSON object")
		}
	}
	if err != nil {
		return fault.Rule{}, fmt.Errorf("a fault is a JSON object such as {\"kind\":\"error-after\",\"operation\":\"opportunities.progress\",\"times\":1}: %w", err)
	}
	return rule, rule.Validate()
}

func (a admin) clearFaults(w http.ResponseWriter, _ *http.Request) {
	a.sandbox.faults.Clear()
	w.WriteHeader(http.StatusNoContent)
}

func (a admin) removeFault(w http.ResponseWriter, r *http.Request) {
	a.withFaultID(w, r, func(id int) (any, error) { return map[string]int{"id": id}, a.sandbox.faults.Remove(id) })
}

func (a admin) releaseFault(w http.ResponseWriter, r *http.Request) {
	a.withFaultID(w, r, func(id int) (any, error) {
		n, err := a.sandbox.faults.Release(id)
		return map[string]int{"released": n}, err
	})
}

func (a admin) discardFault(w http.ResponseWriter, r *http.Request) {
	a.withFaultID(w, r, func(id int) (any, error) {
		n, err := a.sandbox.faults.Discard(id)
		return map[string]int{"discarded": n}, err
	})
}

func (a admin) withFaultID(w http.ResponseWriter, r *http.Request, do func(id int) (any, error)) {
	id, err := strconv.Atoi(r.PathValue("id"))
	var reply any
	if err == nil {
		reply, err = do(id)
	}
	switch {
	case errors.Is(err, fault.ErrUnknown):
		writeError(w, http.StatusNotFound, err.Error())
	case err != nil:
		writeError(w, http.StatusBadRequest, "the id of a fault must be a number")
	default:
		writeJSON(w, http.StatusOK, reply)
	}
}

func (a admin) revokeConsent(w http.ResponseWriter, r *http.Request) {
	if err := a.sandbox.RevokeConsent(r.Context()); err != nil {
		writeError(w, http.StatusInternalServerError, errInternal.Error())
		return
	}
	w.WriteHeader(http.StatusNoContent)
}

func (a admin) readOutbox(w http.ResponseWriter, r *http.Request) {
	sent, err := a.sandbox.Outbox(r.Context())
	if err != nil {
		writeError(w, http.StatusInternalServerError, errInternal.Error())
		return
	}
	writeJSON(w, http.StatusOK, map[string][]store.Mail{"mails": sent})
}

func (a admin) readRequestLog(w http.ResponseWriter, r *http.Request) {
	after := int64(0)
	if text := r.URL.Query().Get("after"); text != "" {
		var err error
		if after, err = strconv.ParseInt(text, 10, 64); err != nil {
			writeError(w, http.StatusBadRequest, "the parameter after must be the number of an entry of the request log")
			return
		}
	}
	entries := a.sandbox.requestLog.After(after, maxRequestLogPage)
	if entries == nil {
		entries = []requestlog.Entry{}
	}
	writeJSON(w, http.StatusOK, map[string][]requestlog.Entry{"entries": entries})
}
