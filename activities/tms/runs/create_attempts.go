package runs

import (
	"sync"

	"github.com/oppflow/oppflow/opportunity"
)

const maxCreateAttempts = 20_000

// CreateAttempts are the latest references for which this worker has sent a create request. The
// worker needs CreateAttempts because the index of runs may not yet show the run that sent the
// request. The zero value is empty.
type CreateAttempts struct {
	mu      sync.Mutex
	digests map[opportunity.Reference]string
	order   []opportunity.Reference
}

// StartDigest returns the digest of the start message for which this worker sent a create request
// of the reference.
func (r *CreateAttempts) StartDigest(reference opportunity.Reference) (string, bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	digest, known := r.digests[reference]
	return digest, known
}

// Add stores the digest of the first start message for which the worker sends a create request of
// the reference.
func (r *CreateAttempts) Add(reference opportunity.Reference, digest string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if _, known := r.digests[reference]; known {
		return
	}
	if r.digests == nil {
		r.digests = make(map[opportunity.Reference]string)
	}
	if len(r.order) >= maxCreateAttempts {
		delete(r.digests, r.order[0])
		r.order = r.order[1:]
	}
	r.digests[reference] = digest
	r.order = append(r.order, reference)
}
