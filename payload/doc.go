// Package payload encrypts the payloads of Temporal with AES-256-GCM, and serves a codec server for
// Temporal's Web UI and command line. docs/encryption.md describes the format of an encrypted
// payload byte by byte.
//
// # Where payloads are encrypted
//
// An Encryption is a gRPC interceptor between the SDK and the network. The SDK, the workflows and
// the activities see only clear payloads. One rule decides what is encrypted: every payload of a
// request is encrypted, except search attributes, memos, user metadata (summaries and details) and
// the description of a workflow for the Web UI, which includes the current details. None of these
// exceptions contains personal data. Messages and stack traces of failures, and headers, are
// encrypted.
//
// A codec in the SDK's data converter cannot follow this rule, because a codec does not know
// whether a payload is a summary or a message. The SDK also treats the errors of a codec in
// different ways: the SDK drops a signal that the codec cannot decode, and fails the workflow whose
// activity has a result that the codec cannot decode. A codec must therefore panic, or return
// [go.temporal.io/sdk/converter.WorkflowTaskFailureError], depending on the kind of the payload.
//
// # What happens without the key
//
// An Encryption never passes an encrypted message or result to a worker. If a workflow task
// contains a payload that the Encryption cannot decrypt, the Encryption fails the workflow task,
// and the Temporal server repeats the task. The run continues when a worker has the key. An
// activity task with such a payload ends with its time-out. A worker without any key treats
// encrypted payloads in the same way.
//
// # Keys
//
// The keys are a key set of Tink (github.com/tink-crypto/tink-go), because key ids, a primary key
// and rotation are what a key set of Tink is for, and because the key sets can be read and written
// in many languages. A Source provides the key set: a file, or a key management service. A KeyRing
// reads its Source again while the program runs.
package payload
