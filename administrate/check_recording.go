package administrate

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"sync"
)

// recording is an operation and the document that the operation sends.
type recording struct {
	operation sampleOperation
	document  document
	key       string // the text and the variables of the document
}

// recordings keeps the documents of a list of operations, by the assumptions. The documents do
// not depend on a schema, so all checks share them. The documents must not be changed.
type recordings struct {
	operations []sampleOperation

	mutex         sync.Mutex
	byAssumptions map[Assumptions][]*recording
	byKey         map[string]*recording // one for each key and operation: most assumptions change few documents
}

func newRecordings(uses []sampleOperation) *recordings {
	return &recordings{operations: uses, byAssumptions: map[Assumptions][]*recording{}, byKey: map[string]*recording{}}
}

// The recordings of all documents that the client may send.
var (
	coreRecordings       = newRecordings(coreOperations())
	sideEffectRecordings = newRecordings(sideEffectOperations())
)

// forAssumptions returns the recordings of the operations that are possible with the
// assumptions.
func (r *recordings) forAssumptions(ctx context.Context, assumed Assumptions) ([]*recording, error) {
	r.mutex.Lock()
	defer r.mutex.Unlock()
	if made, ok := r.byAssumptions[assumed]; ok {
		return made, nil
	}
	var made []*recording
	for _, u := range r.operations {
		recorder := &recorder{}
		err := u.do(ctx, recorder.client(assumed))
		var invalid *InvalidError
		switch {
		case errors.As(err, &invalid):
			continue // the operation needs an assumption that is switched off
		case len(recorder.documents) != 1:
			return nil, fmt.Errorf("administrate: the use %q cannot be checked: %w", u.name, err)
		}
		doc := recorder.documents[0]
		key := doc.text
		if given, err := json.Marshal(doc.variables); err == nil {
			key += string(given) // includes the input objects of bindObject
		}
		once := u.name + "\n" + key
		if r.byKey[once] == nil {
			r.byKey[once] = &recording{operation: u, document: doc, key: key}
		}
		made = append(made, r.byKey[once])
	}
	r.byAssumptions[assumed] = made
	return made, nil
}
