package sandbox_test

import (
	"fmt"
	"sort"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/oppflow/oppflow/sandbox"
	"github.com/oppflow/oppflow/sandbox/fault"
	"github.com/oppflow/oppflow/sandbox/globalid"
	"github.com/oppflow/oppflow/settings/testrun"
)

type model struct {
	now           time.Time
	opportunities []*modelOpportunity
	events        map[int64]*modelEvent
	learners      []*modelLearner
}

type modelOpportunity struct {
	step      int64
	currency  string
	account   bool
	until     time.Time // the zero time means that no expiry was set
	interests []*modelInterest
	invoice   string // currency and state, "" for no invoice
	lines     int
}

type modelInterest struct {
	event      int64 // 0 for no event
	quantity   int
	reserve    bool
	registered bool
}

type modelEvent struct {
	places, booked int
	registrations  int
	cancelled      bool
}

type modelLearner struct {
	event     int64
	cancelled bool
}

// hasReservation reports whether an opportunity has reserved places now.
func (m *model) hasReservation(o *modelOpportunity) bool {
	for _, i := range o.interests {
		if i.reserve {
			return o.until.IsZero() || o.until.After(m.now)
		}
	}
	return false
}

func (m *model) describe() string {
	var b strings.Builder
	for n, o := range m.opportunities {
		until := "<nil>"
		if !o.until.IsZero() {
			until = o.until.UTC().Format("2006-01-02T15:04:05-07:00")
		}
		fmt.Fprintf(&b, "opportunity %d: step %d %s account %v valid %v until %s interests %d invoice %s lines %d\n",
			n+2, o.step, o.currency, o.account, m.hasReservation(o), until, len(o.interests), o.invoice, o.lines)
	}
	ids := make([]int64, 0, len(m.events))
	for id := range m.events {
		ids = append(ids, id)
	}
	sort.Slice(ids, func(i, j int) bool { return ids[i] < ids[j] })
	for _, id := range ids {
		e, reserved := m.events[id], 0
		for _, o := range m.opportunities {
			for _, i := range o.interests {
				if i.event == id && i.reserve && m.hasReservation(o) {
					reserved += i.quantity
				}
			}
		}
		learners, active := 0, 0
		for _, l := range m.learners {
			if l.event == id {
				learners++
				if !l.cancelled {
					active++
				}
			}
		}
		fmt.Fprintf(&b, "event %d: max %d booked %d reserved %d remaining %d registrations %d learners %d active %d\n",
			id, e.places, e.booked, reserved, e.places-e.booked-reserved, e.registrations, learners, active)
	}
	return b.String()
}

func (a *api) model(t testing.TB) string {
	t.Helper()
	data := a.query(t, `{
		opportunities(first: 100) { edges { node { legacyId step { id } financialUnit { ... on Currency { code } } account { name } isReservationValid reservationsValidUntil
			interests { pageInfo { totalRecords } } salesDocument { ... on Invoice { lifecycleState financialUnit { ... on Currency { code } } lines { quantity } } } } } }
		events(first: 2) { edges { node { legacyId maxPlaces bookedPlaces reserved remainingPlaces registrations { pageInfo { totalRecords } } learners { pageInfo { totalRecords } }
			active: learners(filters: {field: isCancelled, operation: eq, value: "false"}) { pageInfo { totalRecords } } } } }
	}`, nil)
	var b strings.Builder
	for _, edge := range valueAt(t, data, "opportunities", "edges").([]any)[1:] { // the first opportunity is from the catalogue
		o := valueAt(t, edge, "node")
		step, err := globalid.ParseInt(valueAt(t, o, "step", "id").(string), globalid.OpportunityStep)
		if err != nil {
			t.Fatal(err)
		}
		invoice, lines := "", 0
		if valueAt(t, o, "salesDocument") != nil {
			invoice = fmt.Sprint(valueAt(t, o, "salesDocument", "financialUnit", "code"), " ", valueAt(t, o, "salesDocument", "lifecycleState"))
			lines = len(valueAt(t, o, "salesDocument", "lines").([]any))
		}
		fmt.Fprintf(&b, "opportunity %v: step %d %v account %v valid %v until %v interests %v invoice %s lines %d\n", valueAt(t, o, "legacyId"), step,
			valueAt(t, o, "financialUnit", "code"), valueAt(t, o, "account") != nil, valueAt(t, o, "isReservationValid"), valueAt(t, o, "reservationsValidUntil"),
			valueAt(t, o, "interests", "pageInfo", "totalRecords"), invoice, lines)
	}
	for _, edge := range valueAt(t, data, "events", "edges").([]any) {
		e := valueAt(t, edge, "node")
		total := func(list string) any { return valueAt(t, e, list, "pageInfo", "totalRecords") }
		fmt.Fprintf(&b, "event %v: max %v booked %v reserved %v remaining %v registrations %v learners %v active %v\n", valueAt(t, e, "legacyId"), valueAt(t, e, "maxPlaces"),
			valueAt(t, e, "bookedPlaces"), valueAt(t, e, "reserved"), valueAt(t, e, "remainingPlaces"), total("registrations"), total("learners"), total("active"))
	}
	return b.String()
}

// driver makes each change in the sandbox and in the model.
type driver struct {
	*model
	t     *testing.T
	api   *api
	clock *clock
}

func (d *driver) opportunity(r *rapid.T) (*modelOpportunity, string) {
	if len(d.opportunities) == 0 {
		r.Skip("there is no opportunity yet")
	}
	n := rapid.IntRange(0, len(d.opportunities)-1).Draw(r, "opportunity")
	return d.opportunities[n], globalid.EncodeInt(globalid.Opportunity, int64(n+2))
}

// wantSame compares the refusal labels of the sandbox and of the model; "" means no refusal.
func wantSame(r *rapid.T, what, refused, want string) {
	label, _, _ := strings.Cut(refused, ":")
	if label != want {
		r.Fatalf("%s: refused with %q, want %q", what, refused, want)
	}
}

func (d *driver) create(r *rapid.T) {
	if len(d.opportunities) >= 3 {
		r.Skip("the model has enough opportunities")
	}
	currency := rapid.SampledFrom([]string{"GBP", "EUR"}).Draw(r, "currency")
	mustSucceed(d.t, d.api.mutate(d.t, "create", fmt.Sprintf(`name: "x", regionId: "UmVnaW9uOlVL", financialUnitId: %q`, currency), "opportunity { id }"))
	d.opportunities = append(d.opportunities, &modelOpportunity{step: 3, currency: currency})
}

func (d *driver) setCurrency(r *rapid.T) {
	o, id := d.opportunity(r)
	o.currency = rapid.SampledFrom([]string{"GBP", "EUR", "USD"}).Draw(r, "currency")
	mustSucceed(d.t, d.api.mutate(d.t, "update", fmt.Sprintf("id: %q, financialUnitId: %q", id, o.currency), "opportunity { id }"))
}

func (d *driver) addInterest(r *rapid.T) {
	o, id := d.opportunity(r)
	i := &modelInterest{event: rapid.Int64Range(0, 2).Draw(r, "event"), quantity: rapid.IntRange(1, 4).Draw(r, "quantity")}
	item := globalid.EncodeInt(globalid.CourseTemplate, 11)
	if i.event != 0 {
		item = globalid.EncodeInt(globalid.Event, i.event)
		i.reserve = rapid.Bool().Draw(r, "reserve")
	}
	refused := refusalOf(d.t, d.api.mutate(d.t, "addInterest", fmt.Sprintf(`opportunityId: %q, interestDetails: {id: %q, quantity: %d, unitAmount: "1.00", reserve: %v}`, id, item, i.quantity, i.reserve), "interests { id }"))
	if i.event != 0 && d.events[i.event].cancelled {
		wantSame(r, "addInterest", refused, "Not Published")
		return
	}
	wantSame(r, "addInterest", refused, "")
	o.interests = append(o.interests, i)
}

func (d *driver) reservePlaces(r *rapid.T) {
	o, id := d.opportunity(r)
	if len(o.interests) == 0 {
		r.Skip("nothing to reserve")
	}
	n := rapid.IntRange(0, len(o.interests)-1).Draw(r, "interest")
	data := d.api.query(d.t, `query ($id: ID!) { node(id: $id) { ... on Opportunity { interests(first: 100) { edges { node { id } } } } } }`, vars{"id": id})
	interest := valueAt(d.t, data, "node", "interests", "edges", n, "node", "id")
	refused := refusalOf(d.t, d.api.mutate(d.t, "reservePlacesForInterests", fmt.Sprintf("interestIds: [%q]", interest), "interests { id }"))
	if o.interests[n].event == 0 {
		wantSame(r, "reserve", refused, "Details Do Not Fit")
		return
	}
	wantSame(r, "reserve", refused, "")
	if !o.interests[n].registered {
		o.interests[n].reserve = true
	}
}

func (d *driver) extend(r *rapid.T) {
	o, id := d.opportunity(r)
	until := d.now.Add(time.Duration(rapid.IntRange(-1, 3).Draw(r, "hours")) * time.Hour)
	d.api.extend(d.t, id, until)
	if d.hasReservation(o) {
		o.until = until
	}
}

func (d *driver) wait(r *rapid.T) {
	by := time.Duration(rapid.IntRange(1, 2).Draw(r, "hours")) * time.Hour
	d.clock.advance(by)
	d.now = d.now.Add(by)
}

// The transition to Won needs an interest and creates an account, registrations and an invoice.
// Sometimes the last trigger of the transition fails; a transition with a failed trigger must have
// no effect.
func (d *driver) progress(r *rapid.T) {
	o, id := d.opportunity(r)
	// The next step towards Won is the most frequent choice, because Won needs two transitions and
	// most behaviour depends on Won.
	next := map[int64][]int64{3: {4, 4, 4, 4, 4, 5, 6, 3}, 4: {5, 5, 5, 5, 5, 4, 6, 3}}[o.step]
	if next == nil {
		next = []int64{3, 4, 5, 6}
	}
	to := rapid.SampledFrom(next).Draw(r, "to")
	failing := to == 5 && rapid.IntRange(0, 2).Draw(r, "the invoice fails") == 0
	if failing {
		if _, err := d.api.Faults().Set(fault.Rule{Kind: fault.FailTrigger, Operation: "opportunities.progress", Trigger: "invoice", Times: 1}); err != nil {
			r.Fatal(err)
		}
	}
	refused := d.api.progress(d.t, id, globalid.EncodeInt(globalid.OpportunityStep, to))
	d.api.Faults().Clear()
	allowed := o.step == 3 && (to == 4 || to == 6) || o.step == 4 && (to == 5 || to == 6)
	switch {
	case !allowed:
		wantSame(r, "progress", refused, "Transition Not Found")
	case to != 5:
		wantSame(r, "progress", refused, "")
		o.step = to
	case len(o.interests) == 0:
		wantSame(r, "progress", refused, "Required Attributes")
	case failing || d.cancelledEvent(o):
		wantSame(r, "progress", refused, "Trigger Failed")
	default:
		wantSame(r, "progress", refused, "")
		o.step, o.account, o.invoice = 5, true, o.currency+" Draft"
		d.register(o)
	}
}

func (d *driver) cancelledEvent(o *modelOpportunity) bool {
	for _, i := range o.interests {
		if i.event != 0 && d.events[i.event].cancelled {
			return true
		}
	}
	return false
}

func (d *driver) register(o *modelOpportunity) {
	for _, i := range o.interests {
		if i.event == 0 {
			o.lines++
			continue
		}
		o.lines += i.quantity
		d.events[i.event].registrations++
		i.reserve, i.registered = false, true
		d.events[i.event].booked += i.quantity
		for range i.quantity {
			d.learners = append(d.learners, &modelLearner{event: i.event})
		}
	}
}

func (d *driver) registerContact(r *rapid.T) {
	event := rapid.Int64Range(1, 2).Draw(r, "event")
	_, refused := d.api.registerContacts(d.t, globalid.EncodeInt(globalid.Event, event), 1)
	if d.events[event].cancelled {
		wantSame(r, "registerContacts", refused, "Not Published")
		return
	}
	wantSame(r, "registerContacts", refused, "")
	d.events[event].booked++
	d.events[event].registrations++
	d.learners = append(d.learners, &modelLearner{event: event})
}

func (d *driver) cancelLearner(r *rapid.T) {
	if len(d.learners) == 0 {
		r.Skip("there is no learner yet")
	}
	n := rapid.IntRange(0, len(d.learners)-1).Draw(r, "learner")
	wantSame(r, "cancel", d.api.changeLearner(d.t, "cancel", globalid.EncodeInt(globalid.Learner, int64(n+1))), "")
	if l := d.learners[n]; !l.cancelled {
		l.cancelled = true
		d.events[l.event].booked--
	}
}

func (d *driver) reactivateLearner(r *rapid.T) {
	if len(d.learners) == 0 {
		r.Skip("there is no learner yet")
	}
	n := rapid.IntRange(0, len(d.learners)-1).Draw(r, "learner")
	l := d.learners[n]
	refused := d.api.changeLearner(d.t, "reactivate", globalid.EncodeInt(globalid.Learner, int64(n+1)))
	if l.cancelled && d.events[l.event].cancelled {
		wantSame(r, "reactivate", refused, "Not Published")
		return
	}
	wantSame(r, "reactivate", refused, "")
	if l.cancelled {
		l.cancelled = false
		d.events[l.event].booked++
	}
}

func (d *driver) resizeEvent(r *rapid.T) {
	event := rapid.Int64Range(1, 2).Draw(r, "event")
	d.events[event].places = rapid.IntRange(0, 20).Draw(r, "places")
	d.api.updateEvent(d.t, globalid.EncodeInt(globalid.Event, event), fmt.Sprintf("maxPlaces: %d", d.events[event].places))
}

func (d *driver) cancelEvent(r *rapid.T) {
	event := rapid.Int64Range(1, 2).Draw(r, "event")
	e := d.events[event]
	e.cancelled = !e.cancelled
	d.api.updateEvent(d.t, globalid.EncodeInt(globalid.Event, event), fmt.Sprintf("lifecycleState: %q", map[bool]string{true: "cancelled", false: "published"}[e.cancelled]))
}

func (d *driver) finalise(r *rapid.T) {
	o, id := d.opportunity(r)
	if o.invoice == "" {
		r.Skip("there is no invoice")
	}
	invoice := valueAt(d.t, d.api.query(d.t, `query ($id: ID!) { node(id: $id) { ... on Opportunity { activeInvoiceId } } }`, vars{"id": id}), "node", "activeInvoiceId")
	refused := refusalOf(d.t, d.api.mutateIn(d.t, "invoices", "finalise", fmt.Sprintf("input: {invoiceId: %q}", invoice), problems+" invoice { id }"))
	if strings.HasSuffix(o.invoice, "Final") {
		wantSame(r, "finalise", refused, "Not A Draft")
		return
	}
	wantSame(r, "finalise", refused, "")
	o.invoice = strings.TrimSuffix(o.invoice, "Draft") + "Final"
}

func TestSandboxMatchesModel(t *testing.T) {
	t.Parallel()
	catalogue := catalogueWinningWith(t, "required: [interests], triggers: [account, registration, invoice]")
	property(t, testrun.Pick(t, 25, 100), func(r *rapid.T) {
		now := newClock()
		a, err := tryOpen(t, sandbox.Options{Token: token, Now: now.Now, Catalogue: catalogue})
		if err != nil {
			r.Fatal(err)
		}
		defer func() { _ = a.Close() }()
		d := &driver{api: a, t: t, clock: now, model: &model{
			now: now.Now(), events: map[int64]*modelEvent{1: {places: 12, booked: 4}, 2: {places: 16}},
		}}
		r.Repeat(map[string]func(*rapid.T){
			"create": d.create, "currency": d.setCurrency, "add": d.addInterest, "add more": d.addInterest, "reserve later": d.reservePlaces, "reserve more later": d.reservePlaces, "extend": d.extend,
			"wait": d.wait, "progress": d.progress, "progress more": d.progress, "register": d.registerContact, "cancel learner": d.cancelLearner,
			"reactivate learner": d.reactivateLearner, "resize event": d.resizeEvent, "cancel event": d.cancelEvent, "finalise": d.finalise,
			"": func(r *rapid.T) {
				if diff := cmp.Diff(d.describe(), a.model(t)); diff != "" {
					r.Fatalf("the sandbox differs from the model (-model +sandbox):\n%s", diff)
				}
			},
		})
	})
}
