package activities

import "strings"

// EpochRunID returns the name that activities use for a run in an epoch of the namespace. An epoch
// begins when Temporal's database is restored. A run that was restored from a backup does not know
// the requests that Oppflow sent after the backup.
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
