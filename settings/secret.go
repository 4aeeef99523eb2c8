package settings

import (
	"fmt"
	"io"
	"log/slog"
)

const redacted = "[redacted]"

// Secret is a value that must not appear in output. A Secret that is printed, logged or marshalled
// appears as "[redacted]", or as "" if the Secret is empty; only [Secret.Reveal] returns the value.
type Secret struct{ value string }

// NewSecret returns a Secret that contains the value.
func NewSecret(value string) Secret { return Secret{value: value} }

// Reveal returns the value itself.
func (s Secret) Reveal() string { return s.value }

// Empty reports whether the secret is empty.
func (s Secret) Empty() bool { return s.value == "" }

// String returns "[redacted]", or "" for an empty secret.
func (s Secret) String() string {
	if s.value == "" {
		return ""
	}
	return redacted
}

// Format makes every verb of package fmt, even %#v and %x, print what String returns.
func (s Secret) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, s.String()) }

// MarshalText returns what String returns.
func (s Secret) MarshalText() ([]byte, error) { return []byte(s.String()), nil }

// LogValue returns what String returns.
func (s Secret) LogValue() slog.Value { return slog.StringValue(s.String()) }
