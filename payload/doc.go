// Package payload encrypts the payloads of Temporal with AES-256-GCM. Package payload also serves a
// codec server for Temporal's Web UI and command line. docs/encryption.md describes the format of
// an encrypted payload byte by byte.
//
// # Where payloads are encrypted
//
// An Encryption is a gRPC interceptor between the SDK and the network. The SDK, the workflows and
// the activities see only clear payloads. Search attributes, memos and user metadata (summaries and
// details) stay clear. The description of a workflow for the Web UI, which includes the current
// details, also stays clear. Every other payload of a request is encrypted. What stays clear
// contains no personal data. Messages and stack traces of failures, and headers, are encrypted.
//
// A codec in the SDK's data converter cannot follow this rule, because a codec does not know
// whether a payload is a summary or a message. The SDK also handles the errors of a codec in
// different ways. The SDK drops a signal that the codec cannot decode. The SDK fails the workflow
// if the codec cannot decode the result of an activity.
//
// # What happens without the key
//
// An Encryption never passes an encrypted message or result to a worker. If a workflow task
// contains a payload that the Encryption cannot decrypt, the Encryption fails the workflow task,
// and the Temporal server repeats the task. The run continues when a worker has the key. An
// activity task with such a payload ends with its time-out. The rules are the same for a worker
// without keys.
//
// # Keys
//
// The keys are a key set of Tink (github.com/tink-crypto/tink-go). A key set of Tink has key ids, a
// primary key and rotation. Libraries in many languages read key sets of Tink. A Source provides
// the key set: a file, or a key management service. A KeyRing reads its Source again while the
// program runs.
package payload
