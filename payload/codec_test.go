package payload_test

import (
	"bytes"
	"crypto/aes"
	"crypto/cipher"
	"encoding/binary"
	"encoding/json"
	"errors"
	"os"
	"strings"
	"testing"

	commonpb "go.temporal.io/api/common/v1"
	"google.golang.org/protobuf/proto"
	"pgregory.net/rapid"

	"github.com/oppflow/oppflow/payload"
)

func TestRoundTrip(t *testing.T) {
	t.Parallel()
	codec := newCodec(t)
	rapid.Check(t, func(rt *rapid.T) {
		plain := &commonpb.Payload{
			Metadata: rapid.MapOf(rapid.String(), rapid.SliceOf(rapid.Byte())).Draw(rt, "metadata"),
			Data:     rapid.SliceOf(rapid.Byte()).Draw(rt, "data"),
		}
		if payload.IsEncrypted(plain) {
			rt.Skip("already encrypted")
		}
		sent, err := codec.Encode([]*commonpb.Payload{plain})
		if err != nil {
			rt.Fatal(err)
		}
		if !payload.IsEncrypted(sent[0]) {
			rt.Fatalf("the payload is not encrypted: %v", sent[0])
		}
		again, err := codec.Encode(sent)
		if err != nil || !proto.Equal(again[0], sent[0]) {
			rt.Fatalf("an encrypted payload changed: %v, %v", again, err)
		}
		got, err := codec.Decode(sent)
		if err != nil || !proto.Equal(got[0], plain) {
			rt.Fatalf("got %v, %v; want %v", got, err, plain)
		}
	})
}

// A payload in which any bit was changed cannot be decrypted.
func TestTamperedPayload(t *testing.T) {
	t.Parallel()
	codec := newCodec(t)
	sent := encrypt(t, codec, jsonPayload(`{"name":"Ada"}`))
	rapid.Check(t, func(rt *rapid.T) {
		changed := proto.Clone(sent).(*commonpb.Payload)
		if rapid.Bool().Draw(rt, "cut") {
			changed.Data = changed.Data[:rapid.IntRange(0, len(changed.Data)-1).Draw(rt, "length")]
		} else {
			changed.Data[rapid.IntRange(0, len(changed.Data)-1).Draw(rt, "byte")] ^= 1 << rapid.IntRange(0, 7).Draw(rt, "bit")
		}
		got, err := decrypt(codec, changed)
		if refused := new(payload.DecryptError); !errors.As(err, &refused) {
			rt.Fatalf("got %v, %v; want a DecryptError", got, err)
		}
	})
}

func TestDecryptErrors(t *testing.T) {
	t.Parallel()
	keys := newKeys(t)
	file := newKeyFile(t, keys)
	codec := payload.NewCodec(file.open())
	sent := encrypt(t, codec, jsonPayload(`"Ada Lovelace"`))
	id := keys.Primary().String()
	for name, c := range map[string]struct {
		codec   *payload.Codec
		payload *commonpb.Payload
		missing bool
		want    []string
	}{
		"another key":   {newCodec(t), sent, true, []string{"encrypted with the key " + id, "keys.json has only", "add the key " + id}},
		"no keys":       {payload.NewCodec(nil), sent, true, []string{"encrypted with the key " + id, "has no keys", "OPPFLOW_ENCRYPTION_KEYS"}},
		"changed":       {codec, &commonpb.Payload{Metadata: sent.Metadata, Data: append(bytes.Clone(sent.Data), 0)}, false, []string{"cannot be decrypted with the key " + id}},
		"no ciphertext": {codec, &commonpb.Payload{Metadata: sent.Metadata, Data: []byte(`"Ada Lovelace"`)}, false, []string{"damaged"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, err := decrypt(c.codec, c.payload)
			var refused *payload.DecryptError
			if !errors.As(err, &refused) || refused.KeyMissing != c.missing {
				t.Fatalf("got %v; want a DecryptError with KeyMissing %v", err, c.missing)
			}
			for _, text := range c.want {
				if !strings.Contains(err.Error(), text) {
					t.Errorf("%q does not contain %q", err, text)
				}
			}
			if strings.Contains(err.Error(), "Ada") || strings.Contains(err.Error(), "\n") {
				t.Errorf("the error %q contains data of the payload or several lines", err)
			}
		})
	}
}

// The payload has the documented format: code with only the standard library decrypts the payload.
func TestFormat(t *testing.T) {
	t.Parallel()
	keys := newKeys(t)
	plain := jsonPayload(`{"requestId":"r-1"}`)
	sent := encrypt(t, payload.NewCodec(newKeyFile(t, keys).open()), plain)
	if got := string(sent.GetMetadata()[payload.MetadataKeyID]); got != keys.Primary().String() {
		t.Errorf("%s is %q; want %v", payload.MetadataKeyID, got, keys.Primary())
	}
	data := sent.GetData()
	if data[0] != 1 || binary.BigEndian.Uint32(data[1:5]) != uint32(keys.Primary()) {
		t.Errorf("the data begins with % x; want 01 and the key id %v", data[:5], keys.Primary())
	}
	got, err := standardDecrypt(rawKey(t, keys), data)
	if err != nil || !proto.Equal(got, plain) {
		t.Fatalf("got %v, %v; want %v", got, err, plain)
	}
}

// rawKey returns the 32 bytes of the primary key, from the JSON of the key file.
func rawKey(t testing.TB, keys *payload.KeySet) []byte {
	t.Helper()
	content, err := keys.JSON()
	if err != nil {
		t.Fatal(err)
	}
	var set struct {
		Key []struct {
			KeyID   uint32 `json:"keyId"`
			KeyData struct{ Value []byte }
		}
	}
	if err := json.Unmarshal(content, &set); err != nil {
		t.Fatal(err)
	}
	for _, k := range set.Key {
		if payload.KeyID(k.KeyID) == keys.Primary() {
			return k.KeyData.Value[2:] // field 3 of the message is the key, after one byte with its length
		}
	}
	t.Fatalf("no key %v in the key file", keys.Primary())
	return nil
}

func standardDecrypt(key, data []byte) (*commonpb.Payload, error) {
	block, err := aes.NewCipher(key)
	if err != nil {
		return nil, err
	}
	gcm, err := cipher.NewGCM(block)
	if err != nil {
		return nil, err
	}
	plain, err := gcm.Open(nil, data[5:17], data[17:], []byte("binary/oppflow-aes256gcm"))
	if err != nil {
		return nil, err
	}
	var p commonpb.Payload
	return &p, proto.Unmarshal(plain, &p)
}

// vector is one test vector of testdata/vectors.json; programs in other languages use the same
// file.
type vector struct {
	Name                                        string
	KeyID                                       payload.KeyID
	Key                                         []byte
	ClearMetadata                               map[string]string
	ClearData, Plaintext, Nonce, AssociatedData []byte
	EncryptedData                               []byte
	EncryptedMetadata                           map[string]string
}

type vectors struct {
	KeySet  json.RawMessage
	Vectors []vector
}

func readVectors(t testing.TB) vectors {
	t.Helper()
	content, err := os.ReadFile("testdata/vectors.json")
	if err != nil {
		t.Fatal(err)
	}
	var all vectors
	if err := json.Unmarshal(content, &all); err != nil {
		t.Fatal(err)
	}
	if len(all.Vectors) < 4 {
		t.Fatalf("%d vectors; want at least 4", len(all.Vectors))
	}
	return all
}

func (v vector) encrypted() *commonpb.Payload {
	return &commonpb.Payload{Metadata: bytesOf(v.EncryptedMetadata), Data: v.EncryptedData}
}

func bytesOf(texts map[string]string) map[string][]byte {
	values := make(map[string][]byte, len(texts))
	for name, text := range texts {
		values[name] = []byte(text)
	}
	return values
}

func TestVectors(t *testing.T) {
	t.Parallel()
	all := readVectors(t)
	keys, err := payload.ParseKeySet(all.KeySet)
	if err != nil {
		t.Fatal(err)
	}
	codec := payload.NewCodec(newKeyFile(t, keys).open())
	for _, v := range all.Vectors {
		want := &commonpb.Payload{Metadata: bytesOf(v.ClearMetadata), Data: v.ClearData}
		got, err := decrypt(codec, v.encrypted())
		if err != nil || !proto.Equal(got, want) {
			t.Errorf("%s: got %v, %v; want %v", v.Name, got, err, want)
		}
		if got, err := standardDecrypt(v.Key, v.EncryptedData); err != nil || !proto.Equal(got, want) {
			t.Errorf("%s, by the standard library: got %v, %v; want %v", v.Name, got, err, want)
		}
	}
}

// For any data of an encrypted payload, Decode does not panic, and returns either the original
// payload or an error.
func FuzzDecode(f *testing.F) {
	all := readVectors(f)
	keys, err := payload.ParseKeySet(all.KeySet)
	if err != nil {
		f.Fatal(err)
	}
	codec := payload.NewCodec(newKeyFile(f, keys).open())
	known := map[string]bool{}
	for _, v := range all.Vectors {
		known[string(v.EncryptedData)] = true
		f.Add(v.EncryptedData, []byte(v.EncryptedMetadata[payload.MetadataKeyID]))
	}
	f.Add([]byte{}, []byte{})
	f.Add([]byte{1, 0, 0, 0, 0}, []byte("4294967296"))
	f.Fuzz(func(t *testing.T, data, keyID []byte) {
		p := &commonpb.Payload{Metadata: map[string][]byte{"encoding": []byte(payload.Encoding), payload.MetadataKeyID: keyID}, Data: data}
		if got, err := decrypt(codec, p); err == nil && !known[string(data)] {
			t.Fatalf("decrypted % x to %v", data, got)
		}
	})
}
