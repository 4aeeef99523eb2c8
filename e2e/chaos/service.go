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

// manner is how the tenant's service answers.
type manner string

// The manners of a service.
const (
	answers manner = "answers"
	fails   manner = "answers 500"
	hangs   manner = "hangs"
	refuses manner = "refuses"
)

// service is a service of the tenant that the playbook calls: before and after a move, and to follow up.
type service struct {
	server *httptest.Server

	mu      sync.Mutex
	manner  manner
	changed chan struct{} // closed when the manner changes
	// met are the opportunities whose calls came since the service stopped answering, and when the first did.
	met map[opportunity.Reference]time.Time
}

func newService() *service {
	v := &service{manner: answers, changed: make(chan struct{}), met: map[opportunity.Reference]time.Time{}}
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
	manner, changed := v.manner, v.changed
	if _, known := v.met[call.Reference]; manner != answers && !known {
		v.met[call.Reference] = time.Now()
	}
	v.mu.Unlock()
	switch manner {
	case fails:
		w.WriteHeader(http.StatusInternalServerError)
	case refuses:
		w.WriteHeader(http.StatusForbidden)
	case hangs:
		select {
		case <-changed:
		case <-r.Context().Done():
		}
		w.WriteHeader(http.StatusServiceUnavailable)
	default:
		w.WriteHeader(http.StatusNoContent)
	}
}

// become changes the manner. It returns the opportunities whose calls came in the manner before.
func (v *service) become(m manner) map[opportunity.Reference]time.Time {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.manner = m
	close(v.changed)
	v.changed = make(chan struct{})
	met := v.met
	v.met = map[opportunity.Reference]time.Time{}
	return met
}

func (v *service) close() {
	v.become(answers)
	v.server.Close()
}

// book is the playbook of the storm. A move between the open steps calls the service before and after the move. A
// follow-up comes after some seconds without a message.
const book = `services:
  erp: { url: %s, secret: storm-key }
transitions:
  - name: propose
    to: { step: Opportunity }
    before:
      - call: { service: erp, path: /hold, undo: /drop }
    after:
      - call: { service: erp, path: /moved }
steps:
  - at: { state: Open }
    followUps:
      - name: nudge
        due: { idle: %d seconds }
        repeat: { times: 3, every: 3 seconds }
        do:
          call: { service: erp, path: /nudge }
      - name: long
        due: { inStep: 20 seconds }
        do:
          attention: { text: "it has stood there for long" }
`

// openService starts the service, and returns what makes workers follow the playbook that calls it.
func (s *Storm) openService() (args, env []string, err error) {
	s.service = newService()
	write := func(name, content string) string {
		path := filepath.Join(s.data, name)
		err = errors.Join(err, os.WriteFile(path, []byte(content), 0o600))
		return path
	}
	args = []string{
		"--playbook", write("playbook.yaml", fmt.Sprintf(book, s.service.server.URL, 3)),
		"--service-key", "storm-key=" + write("service-key", rand.Text()+rand.Text()),
		"--quiet-time", "1s",
	}
	certificate := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: s.service.server.Certificate().Raw})
	return args, []string{"SSL_CERT_FILE=" + write("service.pem", string(certificate))}, err
}

// mostSent is how many opportunities a disruption sends a message of its own at the most.
const mostSent = 40

// failService has the tenant's service fail, hang and refuse, one after the other, and has opportunities make a move that
// needs it.
func (s *Storm) failService(ctx context.Context) error {
	met := 0
	for _, m := range []manner{fails, hangs, refuses} {
		s.service.become(m)
		s.moveFresh(ctx, beginning, nil)
		err := pause(ctx, s.options.Hold)
		for reference, from := range s.service.become(answers) {
			met++
			s.on(FailService, from, time.Now(), reference)
		}
		if err != nil {
			return err
		}
	}
	if met == 0 {
		return errors.New("no call of the service came")
	}
	return nil
}

// rounds is how often something small is done in a disruption: in the long form so often that enough messages meet it, in the
// others once.
func (s *Storm) rounds(long int) int {
	if s.options.Long {
		return long
	}
	return 1
}

// beginning is how many opportunities begin for a disruption that needs some in a certain state.
const beginning = 8

// moveFresh has opportunities begin, move, and be sent something behind the move, and does something for each at the time of
// the move, which may be nothing. One that the API keeps from beginning is left out.
func (s *Storm) moveFresh(ctx context.Context, count int, meanwhile func(context.Context, opportunity.View)) {
	ctx, cancel := context.WithTimeout(ctx, time.Duration(s.rounds(3))*s.options.Hold)
	defer cancel()
	var moving sync.WaitGroup
	for range count {
		from, reference := s.fresh()
		moving.Go(func() {
			if from.start(ctx, Script{Reference: reference, Start: freshStart()}) != nil || ctx.Err() != nil {
				return
			}
			var beside sync.WaitGroup
			if view, err := s.client.View(ctx, reference); err == nil && meanwhile != nil {
				beside.Go(func() { meanwhile(ctx, view) })
			}
			for n, command := range []opportunity.Command{
				opportunity.Progress{To: "Opportunity"}, opportunity.AddInterests{Interests: opportunity.Interests{alikeInterest()}}, opportunity.UpdateDetails{Name: "Moved"},
			} {
				from.send(ctx, reference, Step{Deed: Send, Way: audit.BySignal, Command: command.WithID(fmt.Sprintf("%s/%d", reference, n))})
			}
			beside.Wait()
		})
	}
	moving.Wait()
}

// fresh is a reference that begins for a disruption, and who serves it.
func (s *Storm) fresh() (sender, opportunity.Reference) {
	s.probes++
	return sender{storm: s, number: firstProbe + s.probes}, opportunity.Reference(fmt.Sprintf("fresh-%d-%d", s.options.Seed, s.probes))
}

func freshStart() opportunity.Start {
	return opportunity.Start{Name: "Fresh", Region: "UK", EntryStep: "Proposed"}
}

// moveSome sends the move between the open steps to at most so many opportunities that stand before it, and does
// something at the same time for each, which may be nothing. It returns how many there were.
func (s *Storm) moveSome(ctx context.Context, most int, meanwhile func(context.Context, opportunity.View)) int {
	references := s.references()
	s.chance.Shuffle(len(references), func(i, j int) { references[i], references[j] = references[j], references[i] })
	moved, began := 0, time.Now()
	for _, reference := range references {
		if moved == most || ctx.Err() != nil || time.Since(began) > 2*s.options.Hold {
			break
		}
		asking, cancel := context.WithTimeout(ctx, callWithin)
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
		s.signal(ctx, s.disturber(), reference, opportunity.Progress{To: "Opportunity"})
		beside.Wait()
	}
	return moved
}

// disturber sends what disruptions send to opportunities of others.
func (s *Storm) disturber() sender { return sender{storm: s, number: firstProbe} }
