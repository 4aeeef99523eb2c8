package activities

import "strings"

// RunIn returns how activities call a run in an epoch of the namespace. An epoch begins
// when Temporal's database is restored: a run of the backup does not know what became
// of it since, just like one that was reset. Before the first restore there is no
// epoch, and a run is called by its id.
func RunIn(epoch, run string) string {
	if epoch == "" {
		return run
	}
	return run + "@" + epoch
}

// SplitRun returns the id of a run and the epoch in which it is called so.
func SplitRun(called string) (run, epoch string) {
	run, epoch, _ = strings.Cut(called, "@")
	return run, epoch
}
