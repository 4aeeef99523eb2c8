package e2e_test

import (
	"strings"
	"testing"
	"time"

	"github.com/oppflow/oppflow/e2e/harness"
	"github.com/oppflow/oppflow/opportunity"
)

// A playbook reserves a place for at least one minute, so this test takes longer than all others.
// Tests start in the order of their file names, and the name of this file makes the test start
// early.
func TestPlaybookOfAWaitlist(t *testing.T) {
	t.Parallel()
	h := startTenant(t, "waitlist-offer", year, "for: 48 hours", "for: 60 seconds", "beforeReservationExpires: 12 hours", "beforeReservationExpires: 50 seconds",
		`  quiet: { from: "21:00", to: "07:00" }
`, "")
	h.startLead("one", "Waitlist", false)
	h.progress("one", "Offered")
	harness.Eventually(t, time.Minute, "the place is offered", func() bool { return len(h.mails()) == 1 })
	h.wantPlaces(2, 0)
	h.awaitEnd("one", opportunity.Lost)
	h.wantPlaces(0, 0)
	if got := h.mails(); len(got) != 2 || !strings.Contains(got[1], "Your place") {
		t.Errorf("unexpected mails: %q", got)
	}
}
