//go:build unix

package stack

import (
	"context"
	"errors"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"
)

type recordingToolchain struct {
	selfToolchain

	mu   sync.Mutex
	jobs []string
}

func (r *recordingToolchain) build(ctx context.Context, j buildJob) ([]string, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.jobs = append(r.jobs, j.target)
	return r.selfToolchain.build(ctx, j)
}

func TestBeside(t *testing.T) {
	var prepared []string
	setup := func(_ context.Context, address, namespace string) error {
		prepared = append(prepared, address+" "+namespace)
		return nil
	}
	first, err := fakeStack(t, t.Context(), Options{Setup: setup})
	if err != nil {
		t.Fatal(err)
	}
	tools := &recordingToolchain{}
	second, err := up(t.Context(), Options{Setup: setup, ServerFrom: first, Namespace: "second"}, tools)
	if err != nil {
		t.Fatal(err)
	}
	if want := []string{first.TemporalAddress() + " default", first.TemporalAddress() + " second"}; !slices.Equal(prepared, want) {
		t.Errorf("prepared were %q; want %q", prepared, want)
	}
	if len(tools.jobs) > 0 {
		t.Errorf("%q were built again", tools.jobs)
	}
	if second.Server() != first.Server() || second.Sandbox() == first.Sandbox() || second.APIURL() == first.APIURL() || second.Worker() == first.Worker() {
		t.Error("the stacks do not share the server alone")
	}
	if !slices.Contains(second.Environ(), "TEMPORAL_NAMESPACE=second") || !slices.Contains(second.Environ(), "TEMPORAL_ADDRESS="+first.TemporalAddress()) {
		t.Errorf("Environ is %q", second.Environ())
	}
	if err := second.Down(t.Context()); err != nil {
		t.Error(err)
	}
	for _, part := range first.Parts() {
		if !part.Running() {
			t.Errorf("the %s of the first stack was stopped", part.Name())
		}
	}
	for _, part := range []*Process{second.Sandbox(), second.Worker()} {
		if part.Running() {
			t.Errorf("the %s of the second stack runs", part.Name())
		}
	}
	if _, err := os.Stat(second.runDir); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("left over: %v", err)
	}

	// A stack with the race detector does not use the programs that ServerFrom built without the race
	// detector.
	third, err := up(t.Context(), Options{ServerFrom: first, Namespace: "third", Race: true}, tools)
	if err != nil {
		t.Fatal(err)
	}
	if want := []string{oppflowJob(true).target}; !slices.Equal(tools.jobs, want) {
		t.Errorf("built were %q; want %q", tools.jobs, want)
	}
	if err := third.Down(t.Context()); err != nil {
		t.Error(err)
	}
	third, err = up(t.Context(), Options{
		ServerFrom: first, Namespace: "fourth", Setup: func(context.Context, string, string) error { return errors.New("no namespace") },
	}, tools)
	if err == nil || !strings.Contains(err.Error(), "no namespace") {
		t.Errorf("got %v, %v; want the error of the setup", third, err)
	}
}
