package names

import (
	"fmt"
	"slices"
	"strings"

	"golang.org/x/text/unicode/norm"

	"github.com/oppflow/oppflow/exchange"
	"github.com/oppflow/oppflow/opportunity"
)

// Candidate is an object of the API to which a name may refer.
type Candidate struct {
	opportunity.Ref
	names []string
	// details distinguish the candidate from other candidates with the same name: its code, its
	// start or its stage.
	details []string
}

// String describes the candidate, so that a person can recognise it.
func (c Candidate) String() string {
	return fmt.Sprintf("%s (%s)", c.ID, strings.Join(append([]string{fmt.Sprintf("%q", c.Name)}, c.details...), ", "))
}

const maxListedMeanings = 5

// Select returns the meaning of a name: the candidate with exactly this name. If no candidate has
// exactly this name, Select returns the candidate whose name differs only in upper and lower case
// and in its Unicode form.
func Select(name exchange.UnresolvedName, candidates []Candidate) (opportunity.Ref, *opportunity.Error) {
	for _, same := range []func(a, b string) bool{func(a, b string) bool { return a == b }, isSameName} {
		var fitting []Candidate
		for _, c := range candidates {
			called := slices.ContainsFunc(c.names, func(text string) bool { return text != "" && same(text, name.Text) })
			if called && !slices.ContainsFunc(fitting, func(f Candidate) bool { return f.ID == c.ID }) {
				fitting = append(fitting, c)
			}
		}
		switch len(fitting) {
		case 0:
			continue
		case 1:
			return fitting[0].Ref, nil
		}
		list := make([]string, 0, len(fitting))
		for _, c := range fitting[:min(len(fitting), maxListedMeanings)] {
			list = append(list, c.String())
		}
		if more := len(fitting) - len(list); more > 0 {
			list = append(list, fmt.Sprintf("%d more", more))
		}
		return opportunity.Ref{}, opportunity.Invalidf("%q matches more than one %s; give the id: %s", name.Text, describeType(name.Type), strings.Join(list, " and "))
	}
	missing := opportunity.Failf(opportunity.NotFound, "no %s is called %q", describeType(name.Type), name.Text)
	switch name.Type {
	case opportunity.TypeStep, opportunity.TypeRegion, exchange.TypeCurrency: // the candidates are the whole list
		missing.Message += candidateList(candidates)
	}
	return opportunity.Ref{}, missing
}

func isSameName(a, b string) bool {
	return strings.EqualFold(norm.NFC.String(a), norm.NFC.String(b))
}

func candidateList(candidates []Candidate) string {
	if len(candidates) == 0 || len(candidates) > 20 {
		return ""
	}
	list := make([]string, len(candidates))
	for i, c := range candidates {
		list[i] = fmt.Sprintf("%q", c.Name)
	}
	return "; the names in the TMS are " + strings.Join(list, ", ")
}

func describeType(typ string) string {
	switch typ {
	case opportunity.TypeStep:
		return "step"
	case opportunity.TypeRegion:
		return "region"
	case opportunity.TypeAccount:
		return "account"
	case exchange.TypeCurrency:
		return "currency"
	}
	kind, _ := opportunity.KindOfIDType(typ)
	info, _ := kind.Info()
	return info.Noun
}
