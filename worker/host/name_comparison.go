package host

import (
	"context"
	"fmt"
	"slices"
	"time"
)

const (
	// nameInterval is the time between two comparisons of the names in the playbook with the names
	// in the tenant. The first comparison takes place nameInterval after the start of the worker,
	// because a deployment also compares the names.
	nameInterval = time.Hour
	// nameTimeout is the longest time that one comparison of names waits for the API.
	nameTimeout = 10 * time.Second
)

// nameProblems lists the names in a version of the playbook that no longer fit the tenant, because
// somebody renamed an object in the TMS.
type nameProblems struct {
	version int
	texts   []string
}

func (b *playbookCache) keepComparingNames(ctx context.Context, api TenantReader, every time.Duration) error {
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-time.After(every):
			b.compareNames(ctx, api)
		}
	}
}

// If the API does not respond, the result of the previous comparison stays.
func (b *playbookCache) compareNames(ctx context.Context, api TenantReader) {
	book, err := b.versionAt(time.Now())
	if err != nil || book.Playbook == nil || len(book.Playbook.NameKinds()) == 0 {
		return
	}
	ctx, cancel := context.WithTimeout(ctx, nameTimeout)
	defer cancel()
	tenant, _, err := ReadTenantObjects(ctx, api, book.Playbook.NameKinds())
	if err != nil {
		return
	}
	found := nameProblems{version: book.Version}
	for _, wrong := range book.Playbook.CompareNames(tenant) {
		found.texts = append(found.texts, fmt.Sprintf("version %d of the playbook, line %d, column %d: %s", book.Version, wrong.Line, wrong.Column, wrong.Text))
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	if known := b.names; known.version == found.version && slices.Equal(known.texts, found.texts) {
		return
	}
	b.names = found
	if len(found.texts) > 0 {
		b.logger.WarnContext(ctx, "names in the playbook do not fit the tenant any more; correct the playbook and deploy it", "version", book.Version, "problems", found.texts)
		return
	}
	b.logger.InfoContext(ctx, "all names in the playbook fit the tenant", "version", book.Version)
}
