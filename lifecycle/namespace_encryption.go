package lifecycle

import (
	"slices"

	commonpb "go.temporal.io/api/common/v1"
	"go.temporal.io/sdk/converter"
)

// MemoEncryption is the key of the memo in which the workflow of a namespace stores the
// NamespaceEncryption. A memo is never encrypted, and can be read without a worker.
const MemoEncryption = "encryption"

const maxEncryptionKeys = 20

// NamespaceEncryption says with which keys the payloads of a namespace are encrypted. A key id is not
// secret.
type NamespaceEncryption struct {
	// Primary is the id of the primary key, which encrypts new payloads.
	Primary string `json:"primary"`
	// Keys are the ids of the keys that have encrypted payloads, oldest first and Primary last. A
	// worker that reports its primary key leaves Keys empty.
	Keys []string `json:"keys,omitempty"`
}

// Encrypt stores that a worker encrypts with the primary key of e. Encrypt reports whether the
// state has changed.
func (s *NamespaceState) Encrypt(e NamespaceEncryption) bool {
	if e.Primary == "" || s.Encryption != nil && s.Encryption.Primary == e.Primary {
		return false
	}
	stored := NamespaceEncryption{Primary: e.Primary}
	if s.Encryption != nil {
		stored.Keys = slices.DeleteFunc(slices.Clone(s.Encryption.Keys), func(id string) bool { return id == e.Primary })
	}
	stored.Keys = append(stored.Keys, e.Primary)
	if more := len(stored.Keys) - maxEncryptionKeys; more > 0 {
		stored.Keys = slices.Delete(stored.Keys, 0, more)
	}
	s.Encryption = &stored
	return true
}

// EncryptionInMemo returns the NamespaceEncryption in the memo of the workflow of a namespace, or nil
// when the namespace is not encrypted.
func EncryptionInMemo(memo *commonpb.Memo) *NamespaceEncryption {
	p := memo.GetFields()[MemoEncryption]
	var e NamespaceEncryption
	if p == nil || converter.GetDefaultDataConverter().FromPayload(p, &e) != nil || e.Primary == "" {
		return nil
	}
	return &e
}
