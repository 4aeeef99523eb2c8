package opportunity

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"
)

// Interest is one item that the opportunity may buy, in the form that a caller sends.
type Interest struct {
	// Item is the id, code or name of the course template, event, learning path
	// or type of training token.
	Item string `json:"item"`
	// Kind may be empty when Item is an id, because the id contains the kind.
	Kind     InterestKind `json:"kind,omitempty"`
	Quantity int          `json:"quantity"`
	// UnitAmount is the price of one unit, in the opportunity's currency.
	UnitAmount Amount `json:"unitAmount"`
	// Reserve requests a reservation of Quantity places on the event.
	Reserve bool `json:"reserve,omitempty"`
	// Learners are people who are not in the TMS yet.
	Learners []Learner `json:"learners,omitempty"`
	// Contacts are the ids of people who are in the TMS.
	Contacts []ID `json:"contacts,omitempty"`
	// ExpiresAt is when training tokens expire: a local time without a zone, in the form of the
	// API, such as 2023-12-31T23:59:59. The expiry of training tokens may be in the past.
	ExpiresAt string `json:"expiresAt,omitempty"`
	// Tax is the id of the tax type.
	Tax ID `json:"tax,omitempty"`
}

// Learner is a person who is named in an interest in order to attend the event.
type Learner struct {
	FirstName string `json:"firstName"`
	LastName  string `json:"lastName"`
	Email     string `json:"email"`
}

// LocalTimeLayout is the layout of a local time without a zone.
const LocalTimeLayout = "2006-01-02T15:04:05"

// ResolvedKind returns the interest's kind: the given kind, or the kind in the id.
func (i Interest) ResolvedKind() InterestKind {
	if i.Kind != "" {
		return i.Kind
	}
	kind, _ := KindOfIDType(ID(i.Item).Type())
	return kind
}

// Recorded returns the data that Oppflow stores of the interest after the TMS stored the interest
// under the given id.
func (i Interest) Recorded(id ID) RecordedInterest {
	return RecordedInterest{
		ID: id, Item: Truncate(i.Item, MaxRecordedItem), Kind: i.ResolvedKind(),
		Quantity: i.Quantity, UnitAmount: i.UnitAmount, Reserve: i.Reserve,
		ExpiresAt: i.ExpiresAt,
	}
}

// Validate returns the first mistake of the interest as an Invalid error. The error never quotes a
// learner.
func (i Interest) Validate() error {
	if err := validateText("item", i.Item); err != nil {
		return err
	}
	if _, known := i.Kind.Info(); !known && i.Kind != "" {
		return Invalidf("kind: %q is unknown; give one of %s", Truncate(string(i.Kind), 40), strings.Join(InterestKindNames(), ", "))
	}
	if typ := ID(i.Item).Type(); isKnownType(typ) {
		implied, known := KindOfIDType(typ)
		if !known {
			var nouns []string
			for _, k := range InterestKinds() {
				nouns = append(nouns, k.withArticle())
			}
			return Invalidf("item: %s is the id of a %s; give %s", i.Item, typ, anyOf(nouns))
		}
		if i.Kind != "" && i.Kind != implied {
			return Invalidf("kind: %s is given, but the item %s is of kind %s; leave kind out", i.Kind, i.Item, implied)
		}
	} else if i.Kind == "" {
		return Invalidf("kind: missing; item %q is not an id, so give the kind: %s", Truncate(i.Item, 60), InterestKindList())
	}
	if i.Quantity < 1 || i.Quantity > MaxQuantity {
		return Invalidf("quantity: %d is not allowed; give a whole number from 1 to %d", i.Quantity, MaxQuantity)
	}
	if err := i.UnitAmount.validate(); err != nil {
		return atPath("unitAmount", err)
	}
	kind, _ := i.ResolvedKind().Info()
	if i.Reserve && !kind.HasPlaces {
		return Invalidf("reserve: only places on an event can be reserved, and this item is of kind %s", kind.Kind)
	}
	if i.ExpiresAt != "" {
		if !kind.Expires {
			return Invalidf("expiresAt: only training tokens expire, and this item is of kind %s", kind.Kind)
		}
		// The check of the length is needed because time.Parse also accepts fractions of a second.
		if _, err := time.Parse(LocalTimeLayout, i.ExpiresAt); err != nil || len(i.ExpiresAt) != len(LocalTimeLayout) {
			return Invalidf("expiresAt: %q is not a local time; give a time without a zone, such as 2023-12-31T23:59:59", Truncate(i.ExpiresAt, 40))
		}
	}
	if !kind.HasLearners && len(i.Learners)+len(i.Contacts) > 0 {
		return Invalidf("learners: an interest of kind %s has no learners; leave learners and contacts out", kind.Kind)
	}
	if n := len(i.Learners) + len(i.Contacts); n > MaxLearners {
		return Invalidf("learners: the interest has %d learners and contacts; the limit is %d", n, MaxLearners)
	}
	for n, learner := range i.Learners {
		if err := learner.validate(); err != nil {
			return atPath(fmt.Sprintf("learners[%d]", n), err)
		}
	}
	for n, contact := range i.Contacts {
		if contact.Type() != TypeContact {
			return Invalidf("contacts[%d]: the value is not the id of a contact", n)
		}
	}
	if i.Tax != "" && i.Tax.Type() == "" {
		return Invalidf("tax: %q is not an id; give the id of a tax type", Truncate(string(i.Tax), 40))
	}
	return nil
}

func (l Learner) validate() error {
	if err := validateText("firstName", l.FirstName); err != nil {
		return err
	}
	if err := validateText("lastName", l.LastName); err != nil {
		return err
	}
	user, host, found := strings.Cut(l.Email, "@")
	if !found || user == "" || host == "" || strings.Contains(host, "@") || len(l.Email) > MaxTextLength ||
		!utf8.ValidString(l.Email) || strings.ContainsFunc(l.Email, func(c rune) bool { return unicode.IsSpace(c) || unicode.IsControl(c) }) {
		return Invalidf("email: the value is not an e-mail address")
	}
	return nil
}

// Interests is a list of interests; an error in the JSON of the list names the interest with the
// mistake.
type Interests []Interest

// UnmarshalJSON reads a JSON array of interests. An unknown member is an error. An interest without
// a price is invalid, because UnmarshalJSON would otherwise read the missing price as zero.
func (l *Interests) UnmarshalJSON(data []byte) error {
	var raw []json.RawMessage
	if err := json.Unmarshal(data, &raw); err != nil {
		return Invalidf("interests: a list of interests is expected, such as [{…}]")
	}
	list := make(Interests, len(raw))
	for n, one := range raw {
		where := fmt.Sprintf("interests[%d]", n)
		var price struct {
			UnitAmount *json.RawMessage `json:"unitAmount"`
		}
		_ = json.Unmarshal(one, &price) // other mistakes are found below
		if price.UnitAmount != nil {
			if err := list[n].UnitAmount.UnmarshalJSON(*price.UnitAmount); err != nil {
				return atPath(where, atPath("unitAmount", err))
			}
		}
		if err := decodeStrict(one, &list[n]); err != nil {
			return atPath(where, err)
		}
		if price.UnitAmount == nil {
			return atPath(where, Invalidf("unitAmount: missing; give a decimal such as %q", "199.90"))
		}
	}
	*l = list
	return nil
}

func (l Interests) validate() error {
	if len(l) > MaxInterestsPerCommand {
		return Invalidf("interests: the message has %d interests; the limit is %d interests", len(l), MaxInterestsPerCommand)
	}
	for n, one := range l {
		if err := one.Validate(); err != nil {
			return atPath(fmt.Sprintf("interests[%d]", n), err)
		}
	}
	return nil
}

// atPath adds a path to an Invalid error: the path of the member with the mistake, or "" for the
// message itself.
func atPath(where string, err error) error {
	var invalid *Error
	if !errors.As(err, &invalid) {
		return Invalidf("%s: %v", where, err)
	}
	inner := *invalid
	switch at := strings.IndexAny(inner.Message, `: "`); {
	case where == "":
	case at > 0 && inner.Message[at] == ':': // the message begins with the name of a member
		inner.Message = where + "." + inner.Message
	default:
		inner.Message = where + ": " + inner.Message
	}
	return &inner
}

// validateText reports what is wrong with a short text that a person typed.
func validateText(member, s string) error {
	switch {
	case strings.TrimSpace(s) == "":
		return Invalidf("%s: missing", member)
	case !utf8.ValidString(s):
		return Invalidf("%s: the text is not valid UTF-8", member)
	case utf8.RuneCountInString(s) > MaxTextLength:
		return Invalidf("%s: the text has %d characters; the limit is %d characters", member, utf8.RuneCountInString(s), MaxTextLength)
	case strings.ContainsFunc(s, unicode.IsControl):
		return Invalidf("%s: the text contains a control character", member)
	}
	return nil
}
