//go:build race

package workflows_test

// raceDetector says that the tests run under the race detector.
const raceDetector = true
