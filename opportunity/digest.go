package opportunity

import (
	"crypto/sha256"
)

// digest is the first half of a SHA-256.
type digest [16]byte

func digestOf(data []byte) digest {
	sum := sha256.Sum256(data)
	return digest(sum[:16])
}
