package payload

import (
	"bytes"
	"errors"
	"fmt"
	"slices"
	"strconv"

	"github.com/tink-crypto/tink-go/v2/aead"
	"github.com/tink-crypto/tink-go/v2/aead/aesgcm"
	"github.com/tink-crypto/tink-go/v2/insecurecleartextkeyset"
	"github.com/tink-crypto/tink-go/v2/keyset"
	"github.com/tink-crypto/tink-go/v2/tink"
)

// KeyID identifies a key of a key set. A KeyID is not secret.
type KeyID uint32

// String returns the id as a decimal number.
func (id KeyID) String() string { return strconv.FormatUint(uint64(id), 10) }

// ParseKeyID reads a key id in the form that String returns.
func ParseKeyID(text string) (KeyID, error) {
	n, err := strconv.ParseUint(text, 10, 32)
	if err != nil {
		return 0, fmt.Errorf("key id %q: must be a number from 0 to 4294967295", text)
	}
	return KeyID(n), nil
}

const keyBytes = 32

// KeySet is a set of AES-256-GCM keys. The primary key encrypts, and every key of the set decrypts.
// A KeySet never changes, and is safe for concurrent use.
type KeySet struct {
	handle    *keyset.Handle
	primitive tink.AEAD
	primary   KeyID
	ids       []KeyID
}

// NewKeySet returns a KeySet with the keys of a Tink key set. NewKeySet returns an error if an
// enabled key is not an AES-256-GCM key, or if the key's ciphertexts do not begin with the key id.
func NewKeySet(handle *keyset.Handle) (*KeySet, error) {
	s := &KeySet{handle: handle}
	for n := range handle.Len() {
		entry, err := handle.Entry(n)
		if err != nil {
			return nil, err
		}
		id := KeyID(entry.KeyID())
		if entry.KeyStatus() != keyset.Enabled {
			continue
		}
		key, ok := entry.Key().(*aesgcm.Key)
		if !ok {
			return nil, fmt.Errorf("key %v is not an AES-GCM key; create keys with oppflow keys", id)
		}
		if p, ok := key.Parameters().(*aesgcm.Parameters); !ok || p.KeySizeInBytes() != keyBytes || p.Variant() != aesgcm.VariantTink {
			return nil, fmt.Errorf("key %v must be an AES-256-GCM key with the output prefix TINK; create keys with oppflow keys", id)
		}
		s.ids = append(s.ids, id)
		if entry.IsPrimary() {
			s.primary = id
		}
	}
	var err error
	if s.primitive, err = aead.New(handle); err != nil {
		return nil, fmt.Errorf("the key set cannot be used: %w", err)
	}
	return s, nil
}

// ParseKeySet reads a Tink key set that is not encrypted from the JSON text of a key file.
func ParseKeySet(content []byte) (*KeySet, error) {
	handle, err := insecurecleartextkeyset.Read(keyset.NewJSONReader(bytes.NewReader(content)))
	if err != nil {
		return nil, errors.New("the content is not a Tink key set in JSON; create the file with oppflow keys create")
	}
	return NewKeySet(handle)
}

// GenerateKeySet returns a key set with one new key.
func GenerateKeySet() (*KeySet, error) {
	handle, err := keyset.NewHandle(aead.AES256GCMKeyTemplate())
	if err != nil {
		return nil, err
	}
	return NewKeySet(handle)
}

// Primary returns the id of the key that encrypts.
func (s *KeySet) Primary() KeyID { return s.primary }

// IDs returns the ids of all keys that decrypt, in the order of the key set.
func (s *KeySet) IDs() []KeyID { return slices.Clone(s.ids) }

// JSON returns the key set, which is not encrypted, in the form of a key file. The returned text is
// secret.
func (s *KeySet) JSON() ([]byte, error) {
	var content bytes.Buffer
	if err := insecurecleartextkeyset.Write(s.handle, keyset.NewJSONWriter(&content)); err != nil {
		return nil, err
	}
	return content.Bytes(), nil
}

// WithNewKey returns the key set with one more key, which only decrypts as long as WithPrimary has
// not made it the primary key.
func (s *KeySet) WithNewKey() (*KeySet, KeyID, error) {
	var added KeyID
	changed, err := s.change(func(m *keyset.Manager) error {
		id, err := m.Add(aead.AES256GCMKeyTemplate())
		added = KeyID(id)
		return err
	})
	return changed, added, err
}

// WithPrimary returns the key set with another primary key.
func (s *KeySet) WithPrimary(id KeyID) (*KeySet, error) {
	if err := s.checkKnown(id); err != nil {
		return nil, err
	}
	return s.change(func(m *keyset.Manager) error { return m.SetPrimary(uint32(id)) })
}

// Without returns the key set without the key id. The primary key cannot be removed.
func (s *KeySet) Without(id KeyID) (*KeySet, error) {
	if err := s.checkKnown(id); err != nil {
		return nil, err
	}
	if id == s.primary {
		return nil, fmt.Errorf("key %v is the primary key; make another key the primary key first", id)
	}
	return s.change(func(m *keyset.Manager) error { return m.Delete(uint32(id)) })
}

func (s *KeySet) change(change func(*keyset.Manager) error) (*KeySet, error) {
	m := keyset.NewManagerFromHandle(s.handle)
	if err := change(m); err != nil {
		return nil, err
	}
	handle, err := m.Handle()
	if err != nil {
		return nil, err
	}
	return NewKeySet(handle)
}

func (s *KeySet) checkKnown(id KeyID) error {
	if s.has(id) {
		return nil
	}
	return fmt.Errorf("there is no key %v; the keys are %v", id, s.ids)
}

func (s *KeySet) has(id KeyID) bool { return slices.Contains(s.ids, id) }
