// Package payload encrypts the payloads of Temporal with AES-256-GCM. Package payload also serves a
// codec server for Temporal's Web UI and command line. The page docs/encryption.md describes the
// format of an encrypted payload byte by byte.
//
// # Where payloads are encrypted
//
// An Encryption is a gRPC interceptor between the SDK and the Temporal service. The SDK, the
// workflows and the activities see only payloads in clear. Search attributes, memos and user
// metadata (summaries and details) are not encrypted. The description of a workflow for the Web UI,
// which includes the current details, is not encrypted either. Every other payload of a request is
// encrypted. The payloads that are not encrypted contain no personal data. The messages and stack
// traces of failures, and the headers, are encrypted.
//
// A codec in the SDK's data converter would not be enough, because a codec does not know whether a
// payload is a summary or a message. The SDK also handles the errors of a codec in different ways.
// The SDK drops a signal that the codec cannot decode. The SDK fails the workflow if the codec
// cannot decode the result of an activity.
//
// # What happens without the key
//
// An Encryption never passes an encrypted message or result to a worker. If a workflow task
// contains a payload that the Encryption cannot decrypt, the Encryption fails the workflow task,
// and the Temporal server repeats the task. The run continues when a worker has the key. If an
// activity task contains a payload that the Encryption cannot decrypt, no worker gets the task, and
// the task ends with its time-out. A worker without keys follows the same rules as a worker that
// lacks one key.
//
// # Keys
//
// The keys are stored as a key set of Tink (github.com/tink-crypto/tink-go). A key set of Tink has
// key ids, a primary key and rotation. Tink has libraries for many languages, which can read the
// same key set. A Source provides the key set, for example from a file or a key management service.
// A KeyRing reads its Source again while the program runs.
package payload
