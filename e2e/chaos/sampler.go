package chaos

import (
	"context"
	"sync"
	"time"

	enums "go.temporal.io/api/enums/v1"
	"go.temporal.io/api/workflowservice/v1"
	"go.temporal.io/sdk/converter"
	"golang.org/x/sync/errgroup"

	"github.com/oppflow/oppflow/e2e/chaos/audit"
	"github.com/oppflow/oppflow/lifecycle"
	"github.com/oppflow/oppflow/opportunity"
)

const (
	sampleEvery = 10 * time.Second
	// maxSampling is the highest number of opportunities that are sampled at the same time. While
	// no worker polls, each sample lasts until sampleTimeout.
	maxSampling   = 64
	sampleTimeout = 5 * time.Second
)

// sampler is safe for concurrent use.
type sampler struct {
	mu      sync.Mutex
	samples []audit.Sample
	looked  map[opportunity.Reference]time.Time // when each opportunity was sampled last
}

// add stores a sample that has a waiting message or no view.
func (p *sampler) add(s audit.Sample) {
	p.mu.Lock()
	defer p.mu.Unlock()
	s.Before = p.looked[s.Reference]
	if p.looked == nil {
		p.looked = map[opportunity.Reference]time.Time{}
	}
	p.looked[s.Reference] = s.At
	if !s.HasView || len(s.Waiting) > 0 {
		p.samples = append(p.samples, s)
	}
}

func (p *sampler) all() []audit.Sample {
	p.mu.Lock()
	defer p.mu.Unlock()
	return append([]audit.Sample(nil), p.samples...)
}

func (s *Experiment) sampleLoop(ctx context.Context) {
	for sleep(ctx, sampleEvery) == nil {
		var looking errgroup.Group
		looking.SetLimit(maxSampling)
		for _, reference := range s.references() {
			looking.Go(func() error {
				s.sample(ctx, reference)
				return nil
			})
		}
		_ = looking.Wait()
	}
}

// sample samples one opportunity. An opportunity without a waiting message adds no sample. While
// the server does not respond, no opportunity adds a sample.
func (s *Experiment) sample(ctx context.Context, reference opportunity.Reference) {
	ctx, cancel := context.WithTimeout(ctx, 2*sampleTimeout)
	defer cancel()
	about, err := s.temporal.DescribeWorkflowExecution(ctx, lifecycle.WorkflowID(reference), "") //nolint:staticcheck // the other one panics over search attributes that it cannot read
	if err != nil || about.GetWorkflowExecutionInfo().GetStatus() != enums.WORKFLOW_EXECUTION_STATUS_RUNNING {
		return
	}
	at := time.Now().UTC()
	asking, over := context.WithTimeout(ctx, sampleTimeout)
	defer over()
	if view, err := s.client.View(asking, reference); err == nil {
		s.sampler.add(audit.NewSample(time.Now().UTC(), view))
		s.skipAfterRestore(ctx, view)
		return
	}
	seen := audit.Sample{At: at, Reference: reference, Reason: s.listedReason(ctx, reference, about)}
	if ctx.Err() == nil {
		s.sampler.add(seen)
	}
}

// listedReason is the reason that the commands list and show print for an opportunity whose
// workflow does not respond, or "" if there is no reason.
func (s *Experiment) listedReason(ctx context.Context, reference opportunity.Reference, about *workflowservice.DescribeWorkflowExecutionResponse) string {
	var words []string
	if payload := about.GetWorkflowExecutionInfo().GetSearchAttributes().GetIndexedFields()[lifecycle.OpportunityAttention.GetName()]; payload != nil {
		_ = converter.GetDefaultDataConverter().FromPayload(payload, &words) // an attribute that cannot be read gives no reason
	}
	for _, word := range words {
		switch opportunity.AttentionKind(word) {
		case opportunity.AttentionFollowUp, opportunity.AttentionPlaybook, opportunity.AttentionFailed, opportunity.AttentionReservation, opportunity.AttentionMessage, opportunity.AttentionRecord:
		default:
			return word
		}
	}
	return s.client.UnresponsiveReason(ctx, reference)
}
