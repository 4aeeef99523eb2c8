//go:build unix

package stack

import (
	"context"
	"errors"
	"slices"
	"testing"
)

// controlledToolchain is a toolchain whose builds end when the test ends them.
type controlledToolchain struct {
	selfToolchain

	before bool // all programs were built before
	begun  chan string
	end    map[string]chan error
}

func newControlledToolchain(before bool) *controlledToolchain {
	return &controlledToolchain{before: before, begun: make(chan string), end: map[string]chan error{
		serverJob().target: make(chan error), oppflowJob(false).target: make(chan error),
	}}
}

func (o *controlledToolchain) built(...buildJob) bool { return o.before }

func (o *controlledToolchain) build(ctx context.Context, j buildJob) ([]string, error) {
	o.begun <- j.target
	if err := <-o.end[j.target]; err != nil {
		return nil, err
	}
	return o.selfToolchain.build(ctx, j)
}

func (o *controlledToolchain) bringUp(t *testing.T) <-chan error {
	t.Helper()
	t.Setenv(fakeVariable, "")
	ended := make(chan error, 1)
	go func() {
		s, err := up(t.Context(), Options{}, o)
		if err == nil {
			err = s.Down(t.Context())
		}
		ended <- err
	}()
	return ended
}

// The first builds run one after the other, because concurrent first builds would compile shared
// packages twice. Later builds do not wait.
func TestFirstBuildsFollowEachOther(t *testing.T) {
	ours, server := oppflowJob(false).target, serverJob().target
	tools := newControlledToolchain(false)
	ended := tools.bringUp(t)
	if got := <-tools.begun; got != ours {
		t.Errorf("the first to be built is %s", got)
	}
	tools.end[ours] <- nil
	if got := <-tools.begun; got != server {
		t.Errorf("the second to be built is %s", got)
	}
	tools.end[server] <- nil
	if err := <-ended; err != nil {
		t.Error(err)
	}

	tools = newControlledToolchain(true)
	ended = tools.bringUp(t)
	if both := []string{<-tools.begun, <-tools.begun}; !slices.Contains(both, ours) || !slices.Contains(both, server) {
		t.Errorf("%q are built", both)
	}
	for _, end := range tools.end {
		end <- nil
	}
	if err := <-ended; err != nil {
		t.Error(err)
	}

	// Up returns the first failure.
	tools = newControlledToolchain(false)
	ended = tools.bringUp(t)
	<-tools.begun
	tools.end[ours] <- errors.New("a mistake in it")
	if err := <-ended; err == nil || err.Error() != "a mistake in it" {
		t.Errorf("got %v", err)
	}
}
