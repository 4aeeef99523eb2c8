package opportunity

import (
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"
)

// Reference is the caller's own key of an opportunity, such as an order number or the id of a
// lead. The workflow id contains the reference, so the reference must contain no personal data.
type Reference string

// Validate returns an Invalid error when r cannot be the reference of an opportunity. A reference
// has 1 to 200 printable characters of any script, without "@" (an e-mail address is no reference)
// and without white space at its ends. A reference must be in the Unicode form NFC, so a character
// with several Unicode encodings has only one form.
func (r Reference) Validate() error {
	s := string(r)
	switch {
	case s == "":
		return Invalidf("reference: missing; give your own key of the opportunity, such as an order number")
	case !utf8.ValidString(s):
		return Invalidf("reference: the text is not valid UTF-8")
	case !norm.NFC.IsNormalString(s):
		return Invalidf("reference: the text is not in the Unicode form NFC; write the reference as %q (%+[1]q)", Truncate(norm.NFC.String(s), MaxReferenceLength))
	case utf8.RuneCountInString(s) > MaxReferenceLength:
		return Invalidf("reference: the text has %d characters; the limit is %d characters", utf8.RuneCountInString(s), MaxReferenceLength)
	case strings.Contains(s, "@"):
		return Invalidf(`reference: the text contains "@"; use a key of yours, not an e-mail address`)
	case strings.TrimSpace(s) != s:
		return Invalidf("reference: the text starts or ends with white space")
	case strings.ContainsFunc(s, func(c rune) bool { return !unicode.IsPrint(c) }):
		return Invalidf("reference: the text contains a character that cannot be printed")
	}
	return nil
}
