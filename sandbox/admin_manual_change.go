package sandbox

import (
	"encoding/json"
	"errors"
	"net/http"

	"github.com/oppflow/oppflow/sandbox/store"
)

// ContactName is a new name of a contact.
type ContactName struct {
	FirstName string `json:"firstName"`
	LastName  string `json:"lastName"`
}

func (a admin) editInterest(w http.ResponseWriter, r *http.Request) {
	var edit store.InterestEdit
	if readChange(w, r, &edit) {
		respondToChange(w, a.sandbox.store.EditInterestManually(r.Context(), r.PathValue("id"), edit))
	}
}

func (a admin) removeInterest(w http.ResponseWriter, r *http.Request) {
	respondToChange(w, a.sandbox.store.RemoveInterestManually(r.Context(), r.PathValue("id")))
}

func (a admin) renameContact(w http.ResponseWriter, r *http.Request) {
	var name ContactName
	if readChange(w, r, &name) {
		respondToChange(w, a.sandbox.store.RenameContactManually(r.Context(), r.PathValue("id"), name.FirstName, name.LastName))
	}
}

// readChange reads the body of the request into change. If the body is not valid JSON, readChange
// sends an error response and returns false.
func readChange(w http.ResponseWriter, r *http.Request, change any) bool {
	decoder := json.NewDecoder(http.MaxBytesReader(w, r.Body, maxForm))
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(change); err != nil {
		writeError(w, http.StatusBadRequest, "the body must be a JSON object with the new values: "+err.Error())
		return false
	}
	return true
}

func respondToChange(w http.ResponseWriter, err error) {
	var refused *store.RefusalError
	switch {
	case errors.As(err, &refused):
		writeError(w, http.StatusConflict, refused.Error())
	case err != nil:
		writeError(w, http.StatusInternalServerError, errInternal.Error())
	default:
		w.WriteHeader(http.StatusNoContent)
	}
}
