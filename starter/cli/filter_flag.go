package cli

import (
	"fmt"
	"regexp"
	"strings"

	"github.com/oppflow/oppflow/administrate"
)

var operations = []administrate.FilterOperation{
	administrate.Equal, administrate.NotEqual, administrate.Greater, administrate.GreaterEqual,
	administrate.Less, administrate.LessEqual, administrate.Like, administrate.WordLike,
	administrate.In, administrate.NotIn, administrate.Contains, administrate.IsNull, administrate.NotNull,
}

var fieldForm = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_]*$`)

// parseFilter parses a filter, which the user writes as field=value or field:operation:value. The
// operations in, notin and contains have values separated by commas. The operations isnull and
// notnull have no value. The value of a filter may contain colons and equals signs.
func parseFilter(text string) (administrate.Filter, error) {
	at := strings.IndexAny(text, "=:")
	if at < 0 {
		return administrate.Filter{}, fmt.Errorf("must be field=value or field:operation:value, such as regionName=UK")
	}
	field, rest := text[:at], text[at+1:]
	if !fieldForm.MatchString(field) {
		return administrate.Filter{}, fmt.Errorf("%q is not the name of a field; give a field such as regionName", field)
	}
	filter := administrate.Filter{Field: administrate.OpportunityField(field), Operation: administrate.Equal}
	if text[at] == '=' {
		if rest == "" {
			return administrate.Filter{}, fmt.Errorf("the condition has no value; to find empty fields, write %s:isnull", field)
		}
		filter.Value = rest
		return filter, nil
	}
	word, value, hasValue := strings.Cut(rest, ":")
	filter.Operation = administrate.FilterOperation(word)
	switch filter.Operation {
	case administrate.IsNull, administrate.NotNull:
		if hasValue {
			return administrate.Filter{}, fmt.Errorf("the operation %s accepts no value; write %s:%s", word, field, word)
		}
		return filter, nil
	case administrate.In, administrate.NotIn, administrate.Contains:
		for one := range strings.SplitSeq(value, ",") {
			if one == "" {
				return administrate.Filter{}, fmt.Errorf("the operation %s needs values separated by commas, such as %s:%s:a,b", word, field, word)
			}
			filter.Values = append(filter.Values, one)
		}
		return filter, nil
	}
	for _, known := range operations {
		if filter.Operation != known {
			continue
		}
		if value == "" {
			return administrate.Filter{}, fmt.Errorf("the operation %s needs a value, such as %s:%s:UK", word, field, word)
		}
		filter.Value = value
		return filter, nil
	}
	var words []string
	for _, known := range operations {
		words = append(words, string(known))
	}
	return administrate.Filter{}, fmt.Errorf("%q is not an operation; use one of these operations: %s", word, strings.Join(words, " "))
}

type filtersFlag []administrate.Filter

func (f *filtersFlag) Set(text string) error {
	one, err := parseFilter(text)
	if err != nil {
		return err
	}
	*f = append(*f, one)
	return nil
}

func (f *filtersFlag) String() string { return "" }
func (f *filtersFlag) Type() string   { return "condition" }
