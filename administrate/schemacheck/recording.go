package schemacheck

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"sync"

	"github.com/oppflow/oppflow/administrate"
	"github.com/oppflow/oppflow/administrate/transport"
)

type recording struct {
	operation administrate.SampleOperation
	document  transport.Document
	key       string // the text and the variables of the document
}

// recordings stores the documents that a list of sample operations sends, for each set of
// assumptions. All checks share the documents, because the documents do not depend on a tenant's
// schema. The documents must not be changed.
type recordings struct {
	operations []administrate.SampleOperation

	mutex         sync.Mutex
	byAssumptions map[administrate.Assumptions][]*recording
	byKey         map[string]*recording // one recording for each key and operation; most assumptions change only few documents
}

func newRecordings(uses []administrate.SampleOperation) *recordings {
	return &recordings{operations: uses, byAssumptions: map[administrate.Assumptions][]*recording{}, byKey: map[string]*recording{}}
}

var (
	coreRecordings       = newRecordings(administrate.CoreOperations())
	sideEffectRecordings = newRecordings(administrate.SideEffectOperations())
)

// forAssumptions returns the recordings for a set of assumptions, without the operations that need
// an assumption that is Off.
func (r *recordings) forAssumptions(ctx context.Context, assumed administrate.Assumptions) ([]*recording, error) {
	r.mutex.Lock()
	defer r.mutex.Unlock()
	if made, ok := r.byAssumptions[assumed]; ok {
		return made, nil
	}
	var made []*recording
	for _, u := range r.operations {
		recorder := &recorder{}
		err := recorder.run(ctx, u, assumed)
		var invalid *administrate.InvalidError
		switch {
		case errors.As(err, &invalid):
			continue
		case len(recorder.documents) != 1:
			return nil, fmt.Errorf("administrate: the operation %q cannot be checked: %w", u.Name, err)
		}
		doc := recorder.documents[0]
		key := doc.Text
		if given, err := json.Marshal(doc.Variables); err == nil {
			key += string(given) // the variables include the input objects of bindObject
		}
		once := u.Name + "\n" + key
		if r.byKey[once] == nil {
			r.byKey[once] = &recording{operation: u, document: doc, key: key}
		}
		made = append(made, r.byKey[once])
	}
	r.byAssumptions[assumed] = made
	return made, nil
}
