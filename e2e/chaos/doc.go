// Package chaos lets a storm loose on a whole stack and then holds to account what came of it: many opportunities, of
// which many are alike, are sent messages while workers are killed and frozen, the Temporal server is restarted, tokens
// expire and the API has bad days. Package audit judges by what three independent witnesses say.
//
// A storm is made from a seed: the same seed makes the same messages and the same disruptions in the same order. When
// exactly each of them meets the others is left to the machine.
package chaos
