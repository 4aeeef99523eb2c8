package payload

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"

	commonpb "go.temporal.io/api/common/v1"
	"go.temporal.io/sdk/converter"
	"google.golang.org/protobuf/proto"
)

const (
	// Encoding is the value of the metadata "encoding" of an encrypted payload. Encoding is also the
	// associated data of the encryption.
	Encoding = "binary/oppflow-aes256gcm"
	// MetadataKeyID is the metadata with the key id as a decimal number, for people who read the
	// payload. Decryption does not use MetadataKeyID, because the ciphertext also contains the key
	// id.
	MetadataKeyID = "encryption-key-id"
)

const (
	// prefixBytes is the length of the prefix that Tink writes before a ciphertext: the byte 1 and
	// the key id.
	prefixBytes = 5
	prefixStart = 1
)

// DecryptError says that a payload cannot be decrypted.
type DecryptError struct {
	// Key is the id of the key that encrypted the payload. Key is valid if KeyMissing is true.
	Key KeyID
	// KeyMissing says that the key set has no key with the id Key.
	KeyMissing bool
	text       string
}

// Error says why the payload cannot be decrypted and what a user can do. The text contains no data
// of the payload.
func (e *DecryptError) Error() string { return e.text }

// Codec encrypts and decrypts payloads. A Codec is safe for concurrent use.
type Codec struct{ ring *KeyRing }

var _ converter.PayloadCodec = (*Codec)(nil)

// NewCodec returns a Codec with the keys of the ring. With a nil ring, Encode encrypts nothing, and
// Decode returns a DecryptError for every encrypted payload.
func NewCodec(ring *KeyRing) *Codec { return &Codec{ring: ring} }

// IsEncrypted reports whether the payload has the encoding of encrypted payloads.
func IsEncrypted(payload *commonpb.Payload) bool {
	return string(payload.GetMetadata()[converter.MetadataEncoding]) == Encoding
}

// Encode encrypts the payloads with the primary key. Encode does not change payloads that are
// already encrypted.
func (c *Codec) Encode(payloads []*commonpb.Payload) ([]*commonpb.Payload, error) {
	if c.ring == nil {
		return payloads, nil
	}
	return eachPayload(payloads, c.encrypt)
}

// Decode decrypts the encrypted payloads. Decode does not change payloads that are not encrypted.
// The error of Decode is a *DecryptError.
func (c *Codec) Decode(payloads []*commonpb.Payload) ([]*commonpb.Payload, error) {
	return eachPayload(payloads, func(p *commonpb.Payload) (*commonpb.Payload, error) {
		return c.decrypt(context.Background(), p)
	})
}

func eachPayload(payloads []*commonpb.Payload, change func(*commonpb.Payload) (*commonpb.Payload, error)) ([]*commonpb.Payload, error) {
	changed := make([]*commonpb.Payload, len(payloads))
	for n, p := range payloads {
		var err error
		if changed[n], err = change(p); err != nil {
			return nil, err
		}
	}
	return changed, nil
}

func (c *Codec) encrypt(p *commonpb.Payload) (*commonpb.Payload, error) {
	if p == nil || IsEncrypted(p) {
		return p, nil
	}
	plain, err := proto.Marshal(p)
	if err != nil {
		return nil, fmt.Errorf("the payload cannot be encrypted: %w", err)
	}
	keys := c.ring.Keys()
	data, err := keys.primitive.Encrypt(plain, []byte(Encoding))
	if err != nil {
		return nil, fmt.Errorf("the payload cannot be encrypted: %w", err)
	}
	return &commonpb.Payload{
		Metadata: map[string][]byte{
			converter.MetadataEncoding: []byte(Encoding),
			MetadataKeyID:              []byte(keys.Primary().String()),
		},
		Data: data,
	}, nil
}

func (c *Codec) decrypt(ctx context.Context, p *commonpb.Payload) (*commonpb.Payload, error) {
	if p == nil || !IsEncrypted(p) {
		return p, nil
	}
	id, err := keyIDOf(p.GetData())
	if err != nil {
		return nil, &DecryptError{text: "an encrypted payload is damaged: " + err.Error()}
	}
	if c.ring == nil {
		return nil, &DecryptError{Key: id, KeyMissing: true, text: fmt.Sprintf("a payload is encrypted with the key %v, but this program has no keys; set --encryption-keys or OPPFLOW_ENCRYPTION_KEYS", id)}
	}
	keys := c.ring.withKey(ctx, id)
	if !keys.has(id) {
		return nil, &DecryptError{Key: id, KeyMissing: true, text: fmt.Sprintf("a payload is encrypted with the key %v, but %s has only the keys %v; add the key %v", id, c.ring.source, keys.IDs(), id)}
	}
	plain, err := keys.primitive.Decrypt(p.GetData(), []byte(Encoding))
	if err != nil {
		return nil, &DecryptError{Key: id, text: fmt.Sprintf("a payload cannot be decrypted with the key %v: the payload was changed, or another key has the same id", id)}
	}
	var decoded commonpb.Payload
	if err := proto.Unmarshal(plain, &decoded); err != nil {
		return nil, &DecryptError{Key: id, text: fmt.Sprintf("a payload that was decrypted with the key %v is not a payload of Temporal", id)}
	}
	return &decoded, nil
}

func keyIDOf(ciphertext []byte) (KeyID, error) {
	if len(ciphertext) < prefixBytes || ciphertext[0] != prefixStart {
		return 0, errors.New("the data does not begin with a key id")
	}
	return KeyID(binary.BigEndian.Uint32(ciphertext[1:prefixBytes])), nil
}
