package opportunity

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strings"
)

// spot is where a walk through JSON stands inside one object or list.
type spot struct {
	members map[string]bool // nil in a list
	member  string          // the object's member whose value comes next, "" before its name
	index   int             // the list's element that comes next
}

// onceEach reports a member that stands twice in an object: whichever of the two
// is taken, the other was meant as well. As in reading, capitals do not tell
// members apart. The payload must have been decoded without an error.
func onceEach(payload []byte) error {
	decoder := json.NewDecoder(bytes.NewReader(payload))
	decoder.UseNumber()
	var way []spot
	for token, err := decoder.Token(); err == nil; token, err = decoder.Token() {
		if delimiter, ok := token.(json.Delim); ok {
			switch delimiter {
			case '{':
				way = append(way, spot{members: make(map[string]bool)})
				continue
			case '[':
				way = append(way, spot{})
				continue
			}
			way = way[:len(way)-1]
		}
		if len(way) == 0 {
			continue
		}
		here := &way[len(way)-1]
		switch {
		case here.members == nil:
			here.index++
		case here.member != "":
			here.member = ""
		default:
			name, ok := token.(string)
			if !ok { // only a member without a name is taken for none; decoding refused it
				continue
			}
			folded := strings.ToLower(name)
			if here.members[folded] {
				return within(place(way[:len(way)-1]), Invalidf("member %q stands there twice", clip(name, 60)))
			}
			here.members[folded] = true
			here.member = name
		}
	}
	return nil
}

// place writes a way, such as "interests[1].learners[0]".
func place(way []spot) string {
	var b strings.Builder
	for _, s := range way {
		if s.members == nil {
			fmt.Fprintf(&b, "[%d]", s.index)
			continue
		}
		if b.Len() > 0 {
			b.WriteByte('.')
		}
		b.WriteString(s.member)
	}
	return b.String()
}
