package opportunity

import (
	"crypto/sha256"
)

// Digest is the first half of a SHA-256 hash.
type Digest [16]byte

// DigestOf returns the digest of the data.
func DigestOf(data []byte) Digest {
	sum := sha256.Sum256(data)
	return Digest(sum[:16])
}
