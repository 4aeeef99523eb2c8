package chaos

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"encoding/pem"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"sync"
	"time"

	"github.com/oppflow/oppflow/e2e/chaos/audit"
	"github.com/oppflow/oppflow/opportunity"
)

type serviceBehaviour string

const (
	serviceAnswers serviceBehaviour = "answers"
	serviceFails   serviceBehaviour = "answers 500"
	serviceHangs   serviceBehaviour = "hangs"
	serviceRejects serviceBehaviour = "refuses"
)

// The playbook calls the service before a transition, after a transition, and as a follow-up.
type service struct {
	server *httptest.Server

	mu        sync.Mutex
	behaviour serviceBehaviour
	changed   chan struct{} // closed when the behaviour changes
	// callTimes are the times of the first call for each opportunity since the behaviour changed.
	// With the behaviour serviceAnswers the service records no calls.
	callTimes map[opportunity.Reference]time.Time
}

func newService() *service {
	v := &service{behaviour: serviceAnswers, changed: make(chan struct{}), callTimes: map[opportunity.Reference]time.Time{}}
	v.server = httptest.NewTLSServer(v)
	return v
}

// ServeHTTP implements http.Handler.
func (v *service) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	var call struct {
		Reference opportunity.Reference `json:"reference"`
	}
	if json.NewDecoder(http.MaxBytesReader(w, r.Body, 1<<20)).Decode(&call) != nil {
		w.WriteHeader(http.StatusBadRequest)
		return
	}
	v.mu.Lock()
	manner, changed := v.behaviour, v.changed
	if _, known := v.callTimes[call.Reference]; manner != serviceAnswers && !known {
		v.callTimes[call.Reference] = time.Now()
	}
	v.mu.Unlock()
	switch manner {
	case serviceFails:
		w.WriteHeader(http.StatusInternalServerError)
	case serviceRejects:
		w.WriteHeader(http.StatusForbidden)
	case serviceHangs:
		select {
		case <-changed:
		case <-r.Context().Done():
		}
		w.WriteHeader(http.StatusServiceUnavailable)
	default:
		w.WriteHeader(http.StatusNoContent)
	}
}

// setBehaviour returns the callTimes of the previous behaviour.
func (v *service) setBehaviour(m serviceBehaviour) map[opportunity.Reference]time.Time {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.behaviour = m
	close(v.changed)
	v.changed = make(chan struct{})
	met := v.callTimes
	v.callTimes = map[opportunity.Reference]time.Time{}
	return met
}

func (v *service) close() {
	v.setBehaviour(serviceAnswers)
	v.server.Close()
}

func (s *Experiment) openService() (args, env []string, err error) {
	s.service = newService()
	write := func(name, content string) string {
		path := filepath.Join(s.data, name)
		err = errors.Join(err, os.WriteFile(path, []byte(content), 0o600))
		return path
	}
	text, err := s.options.Playbook.Text(s.service.server.URL, 0)
	args = []string{
		"--playbook", write("playbook.yaml", text),
		"--service-key", "chaos-key=" + write("service-key", rand.Text()+rand.Text()),
		"--quiet-time", "1s",
	}
	certificate := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: s.service.server.Certificate().Raw})
	return args, []string{"SSL_CERT_FILE=" + write("service.pem", string(certificate))}, err
}

// transitionManually sends a transition to at most twice maxOwnMessages existing opportunities.
const maxOwnMessages = 40

// failService makes the tenant's service first return errors, then not respond, and then reject
// calls. During each behaviour of the service, opportunities make a transition that needs the
// service.
func (s *Experiment) failService(ctx context.Context) error {
	met := 0
	for _, m := range []serviceBehaviour{serviceFails, serviceHangs, serviceRejects} {
		s.service.setBehaviour(m)
		s.transitionNew(ctx, s.rounds(2)*newOpportunities, nil)
		err := sleep(ctx, s.options.HoldTime)
		for reference, from := range s.service.setBehaviour(serviceAnswers) {
			met++
			s.recordPeriod(FailService, from, time.Now(), reference)
		}
		if err != nil {
			return err
		}
	}
	if met == 0 {
		return errors.New("no worker called the service of the tenant")
	}
	return nil
}

// In the long form of the experiment, rounds returns long, so that the disruption affects enough
// messages. In any other form of the experiment, rounds returns 1.
func (s *Experiment) rounds(long int) int {
	if s.options.Long {
		return long
	}
	return 1
}

// newOpportunities is how many opportunities are started for a disruption that needs opportunities
// in a certain state.
const newOpportunities = 8

// transitionNew starts opportunities, and sends each opportunity a transition and then other
// messages. If meanwhile is not nil, transitionNew calls meanwhile for each opportunity at the time
// of the transition. An opportunity whose start fails gets no messages.
func (s *Experiment) transitionNew(ctx context.Context, count int, meanwhile func(context.Context, opportunity.View)) {
	ctx, cancel := context.WithTimeout(ctx, time.Duration(s.rounds(3))*s.options.HoldTime)
	defer cancel()
	var moving sync.WaitGroup
	for range count {
		from, reference := s.newReference()
		moving.Go(func() {
			if from.start(ctx, Script{Reference: reference, Start: newStart()}) != nil || ctx.Err() != nil {
				return
			}
			var beside sync.WaitGroup
			if view, err := s.client.View(ctx, reference); err == nil && meanwhile != nil {
				beside.Go(func() { meanwhile(ctx, view) })
			}
			for n, command := range []opportunity.Command{
				opportunity.Progress{To: "Opportunity"}, opportunity.AddInterests{Interests: opportunity.Interests{commonInterest()}}, opportunity.UpdateDetails{Name: "Moved"},
			} {
				from.send(ctx, reference, Step{Action: Send, Transport: audit.BySignal, Command: command.WithRequestID(fmt.Sprintf("%s/%d", reference, n))})
			}
			beside.Wait()
		})
	}
	moving.Wait()
}

func (s *Experiment) newReference() (sender, opportunity.Reference) {
	s.probes++
	return sender{experiment: s, number: firstProbe + s.probes}, opportunity.Reference(fmt.Sprintf("fresh-%d-%d", s.options.Seed, s.probes))
}

func newStart() opportunity.Start {
	return opportunity.Start{Name: "Fresh", Region: "UK", EntryStep: "Proposed"}
}

// transitionExisting sends the transition from Proposed to Opportunity to at most the given number
// of opportunities. If meanwhile is not nil, transitionExisting calls meanwhile for each
// opportunity while the transition is sent.
func (s *Experiment) transitionExisting(ctx context.Context, most int, meanwhile func(context.Context, opportunity.View)) int {
	references := s.references()
	s.random.Shuffle(len(references), func(i, j int) { references[i], references[j] = references[j], references[i] })
	moved, began := 0, time.Now()
	for _, reference := range references {
		if moved == most || ctx.Err() != nil || time.Since(began) > 2*s.options.HoldTime {
			break
		}
		asking, cancel := context.WithTimeout(ctx, callTimeout)
		view, err := s.client.View(asking, reference)
		cancel()
		if err != nil || view.Step == nil || view.Step.Name != "Proposed" || view.Question != nil || view.Closing != nil {
			continue
		}
		moved++
		var beside sync.WaitGroup
		if meanwhile != nil {
			beside.Go(func() { meanwhile(ctx, view) })
		}
		s.signal(ctx, s.disruptionSender(), reference, opportunity.Progress{To: "Opportunity"})
		beside.Wait()
	}
	return moved
}

func (s *Experiment) disruptionSender() sender { return sender{experiment: s, number: firstProbe} }
