package sandbox_test

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/oppflow/oppflow/sandbox"
)

const clients = 16

// benchmark sends the documents that next returns over the network to a sandbox with a data file.
func benchmark(b *testing.B, next func(i int64) string) {
	box, err := sandbox.Open(b.Context(), sandbox.Options{
		Data: filepath.Join(b.TempDir(), "data.db"), NoAuth: true, Rate: sandbox.Rate{Off: true}, Logger: slog.New(slog.DiscardHandler),
	})
	if err != nil {
		b.Fatal(err)
	}
	defer func() { _ = box.Close() }()
	server := httptest.NewServer(box.Handler())
	defer server.Close()
	client := &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: clients}}
	send := func(document string) error {
		body, err := json.Marshal(map[string]string{"query": document})
		if err != nil {
			return err
		}
		r, err := http.NewRequestWithContext(context.Background(), http.MethodPost, server.URL+"/graphql", strings.NewReader(string(body)))
		if err != nil {
			return err
		}
		r.Header.Set("Content-Type", "application/json")
		answer, err := client.Do(r)
		if err != nil {
			return err
		}
		defer func() { _ = answer.Body.Close() }()
		text, err := io.ReadAll(answer.Body)
		if err != nil || answer.StatusCode != http.StatusOK || strings.Contains(string(text), `"message"`) {
			return fmt.Errorf("%d %s %w", answer.StatusCode, text, err)
		}
		return nil
	}
	for i := range int64(100) {
		if err := send(fmt.Sprintf(`mutation { opportunities { create(input: {name: "first %d", regionId: "UmVnaW9uOlVL"}) { errors { message } opportunity { id } } } }`, i)); err != nil {
			b.Fatal(err)
		}
	}
	var sent atomic.Int64
	var all sync.WaitGroup
	b.ResetTimer()
	for range clients {
		all.Go(func() {
			for i := sent.Add(1); i <= int64(b.N); i = sent.Add(1) {
				if err := send(next(i)); err != nil {
					b.Error(err)
					return
				}
			}
		})
	}
	all.Wait()
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "requests/s")
}

// The goal is at least 1,000 responses a second on a machine with two cores.
func BenchmarkMutations(b *testing.B) {
	benchmark(b, func(i int64) string {
		switch i % 3 {
		case 0:
			return fmt.Sprintf(`mutation { opportunities { create(input: {name: "x%d", regionId: "UmVnaW9uOlVL"}) { errors { message } opportunity { id } } } }`, i)
		case 1:
			return `mutation { opportunities { addInterest(input: {opportunityId: "T3Bwb3J0dW5pdHk6Mg==", interestDetails: {id: "Q291cnNlOjI=", reserve: true, quantity: 1, unitAmount: "1.00", eventDetails: {newLearners: [{firstName: "A", lastName: "B"}]}}}) { errors { message } interests { id } } } }`
		default:
			return fmt.Sprintf(`mutation { opportunities { update(input: {id: "T3Bwb3J0dW5pdHk6Mg==", name: "y%d"}) { errors { message } opportunity { id } } } }`, i)
		}
	})
}

// The goal is at least 2,000 responses a second.
func BenchmarkReads(b *testing.B) {
	benchmark(b, func(i int64) string {
		return fmt.Sprintf(`{ opportunities(filters: {field: name, operation: eq, value: "first %d"}) { edges { node { id name step { id name } account { id } isReservationValid reservationsValidUntil } } } }`, i%100)
	})
}
