package activities

import "strings"

// EpochRunID returns the name that activities use for a run in an epoch of the namespace. An epoch
// begins when Temporal's database is restored. A run from the backup does not know the requests
// that were sent after the backup, like a run that a reset started.
func EpochRunID(epoch, run string) string {
	if epoch == "" {
		return run
	}
	return run + "@" + epoch
}

// SplitEpochRunID returns the id of a run and the epoch from a name that EpochRunID returned.
func SplitEpochRunID(called string) (run, epoch string) {
	run, epoch, _ = strings.Cut(called, "@")
	return run, epoch
}
