package cli

import (
	"errors"
	"net/mail"
	"strings"

	"github.com/oppflow/oppflow/opportunity"
)

// parseLearner parses a person in the form of a mail address, such as
// "Melissa Green <melissa@example.com>". The last word of the person's name becomes the last name.
// If the last name has several words, the user writes the last name first, with a comma after it:
// "van der Berg, Anna <anna@example.com>". The errors of parseLearner contain no data of the
// person.
func parseLearner(text string) (opportunity.Learner, error) {
	const form = `must look like "Melissa Green <melissa@example.com>" or "Green, Melissa <melissa@example.com>"`
	name, rest, found := strings.Cut(text, "<")
	address, after, closed := strings.Cut(rest, ">")
	name, address = strings.TrimSpace(name), strings.TrimSpace(address)
	if !found || !closed || strings.TrimSpace(after) != "" {
		return opportunity.Learner{}, errors.New(form)
	}
	name = strings.TrimSpace(strings.Trim(name, `"`))
	var first, last string
	if family, given, comma := strings.Cut(name, ","); comma {
		first, last = given, family
	} else if words := strings.Fields(name); len(words) > 1 {
		first, last = strings.Join(words[:len(words)-1], " "), words[len(words)-1]
	}
	first, last = strings.Join(strings.Fields(first), " "), strings.Join(strings.Fields(last), " ")
	if first == "" || last == "" {
		return opportunity.Learner{}, errors.New("has no first and last name; the value " + form)
	}
	if parsed, err := mail.ParseAddress("<" + address + ">"); err != nil || parsed.Address != address {
		return opportunity.Learner{}, errors.New("has no e-mail address; the value " + form)
	}
	return opportunity.Learner{FirstName: first, LastName: last, Email: address}, nil
}

const personType = "person"

type learnersFlag []opportunity.Learner

func (l *learnersFlag) Set(text string) error {
	one, err := parseLearner(text)
	if err != nil {
		return err
	}
	*l = append(*l, one)
	return nil
}

func (l *learnersFlag) String() string { return "" }
func (l *learnersFlag) Type() string   { return personType }
