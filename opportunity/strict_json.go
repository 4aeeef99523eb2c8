package opportunity

import (
	"bytes"
	"encoding/json"
	"fmt"
	"reflect"
	"strconv"
	"strings"
	"unicode/utf8"
)

// checkText returns an error for text that the JSON decoder would replace without an error: bytes
// that are not UTF-8, and half of an escaped surrogate pair.
func checkText(payload []byte) error {
	for at := 0; at < len(payload); {
		c, size := utf8.DecodeRune(payload[at:])
		if c == utf8.RuneError && size == 1 {
			return Invalidf("the JSON is not valid UTF-8 at byte %d; write the JSON in UTF-8", at)
		}
		if c != '\\' { // a backslash occurs only in strings
			at += size
			continue
		}
		switch high, low := escapedUnit(payload[at:]), escapedUnit(payload[min(at+escapeLength, len(payload)):]); {
		case isHighSurrogate(high) && isLowSurrogate(low):
			at += 2 * escapeLength
		case isHighSurrogate(high), isLowSurrogate(high):
			return Invalidf(`the JSON has half of a surrogate pair at byte %d; write the character itself, or both halves, such as \ud83d\ude00`, at)
		default:
			at += 2 // the escaped character may be a backslash, too
		}
	}
	return nil
}

const escapeLength = len(`\u0000`)

// escapedUnit returns the UTF-16 unit of the escape at the start of text, or 0 when
// text does not start with an escape.
func escapedUnit(text []byte) uint64 {
	if len(text) < escapeLength || text[0] != '\\' || text[1] != 'u' {
		return 0
	}
	unit, err := strconv.ParseUint(string(text[2:escapeLength]), 16, 16)
	if err != nil {
		return 0 // decoding reports the error
	}
	return unit
}

func isHighSurrogate(unit uint64) bool { return unit >= 0xd800 && unit < 0xdc00 }

func isLowSurrogate(unit uint64) bool { return unit >= 0xdc00 && unit < 0xe000 }

// checkMembers rejects a member that appears twice, a member with the wrong capitals, and an empty
// request id. The JSON decoder accepts these three mistakes without an error. The payload must have
// been decoded into a value of type t without an error.
func checkMembers(payload []byte, t reflect.Type) error {
	return walkJSON(payload, t)
}

// rejectDuplicateMembers returns an error for a member that appears twice in an object, because the
// decoder would keep only one of the two. Names that differ only in capitals count as the same
// member, because the decoder treats such names as equal. The payload must have been decoded
// without an error.
func rejectDuplicateMembers(payload []byte) error { return walkJSON(payload, nil) }

const memberRequestID = "requestId"

// RequestIDIn returns the request id in the JSON of a message that cannot be decoded. RequestIDIn
// returns "" when the JSON contains no valid id.
func RequestIDIn(payload []byte) string {
	decoder := json.NewDecoder(bytes.NewReader(payload))
	decoder.UseNumber()
	var name, found string
	seen, depth := false, 0
	for token, err := decoder.Token(); err == nil; token, err = decoder.Token() {
		switch token {
		case json.Delim('{'), json.Delim('['):
			depth++
			if depth == 1 && token == json.Delim('[') {
				return ""
			}
			continue
		case json.Delim('}'), json.Delim(']'):
			depth--
		}
		text, _ := token.(string)
		switch {
		case depth != 1:
		case name == "":
			name = text
		default:
			if name == memberRequestID {
				if seen {
					return "" // with two ids it is unclear which one counts
				}
				found, seen = text, true
			}
			name = ""
		}
	}
	if ValidateRequestID(found) != nil || strings.ContainsRune(found, utf8.RuneError) {
		return ""
	}
	return found
}

// jsonFrame is the position of a walk through JSON within one object or list.
type jsonFrame struct {
	members map[string]bool         // nil in a list
	member  string                  // the object's member whose value comes next, "" before its name
	index   int                     // the index of the list's next element
	elem    reflect.Type            // the type of the list's elements, nil when unknown
	fields  map[string]reflect.Type // the types of the object's members, nil when unknown
}

// walkJSON checks the members of JSON that is decoded into a value of type t. When t is nil,
// walkJSON only looks for members that appear twice.
func walkJSON(payload []byte, t reflect.Type) error {
	known := make(map[reflect.Type]map[string]reflect.Type)
	decoder := json.NewDecoder(bytes.NewReader(payload))
	decoder.UseNumber()
	var way []jsonFrame
	for token, err := decoder.Token(); err == nil; token, err = decoder.Token() {
		if delimiter, ok := token.(json.Delim); ok {
			inner := t
			if len(way) > 0 {
				inner = way[len(way)-1].nextType()
			}
			switch delimiter {
			case '{':
				way = append(way, jsonFrame{members: make(map[string]bool), fields: fieldsOf(inner, known)})
				continue
			case '[':
				way = append(way, jsonFrame{elem: elemOf(inner)})
				continue
			}
			way = way[:len(way)-1]
		}
		if len(way) == 0 {
			continue
		}
		here := &way[len(way)-1]
		switch text, _ := token.(string); {
		case here.members == nil:
			here.index++
		case here.member != "":
			if value, is := token.(string); is && value == "" && here.member == memberRequestID && t != nil {
				return atPath(jsonPath(way[:len(way)-1]), Invalidf("requestId: the value is empty; leave requestId out, or give your own id of the request"))
			}
			here.member = ""
		default:
			if text == "" { // only a member without a name is skipped; the decoder rejected such a member
				continue
			}
			folded := strings.ToLower(text)
			if here.members[folded] {
				return atPath(jsonPath(way[:len(way)-1]), Invalidf("member %q appears twice", Truncate(text, 60)))
			}
			here.members[folded] = true
			here.member = text
			if _, spelled := here.fields[text]; !spelled && here.fields != nil {
				return atPath(jsonPath(way[:len(way)-1]), Invalidf("unknown member %q; give member %q", Truncate(text, 60), matchingMember(here.fields, text)))
			}
		}
	}
	return nil
}

func (s *jsonFrame) nextType() reflect.Type {
	if s.members == nil {
		return s.elem
	}
	return s.fields[s.member]
}

func elemOf(t reflect.Type) reflect.Type {
	if t == nil || t.Kind() != reflect.Slice {
		return nil
	}
	return t.Elem()
}

// fieldsOf returns the types of the members of an object that is read into t, by the exact names of
// the members. fieldsOf returns nil when the members are unknown.
func fieldsOf(t reflect.Type, known map[reflect.Type]map[string]reflect.Type) map[string]reflect.Type {
	for t != nil && t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	if t == nil || t.Kind() != reflect.Struct {
		return nil
	}
	fields, found := known[t]
	if !found {
		fields = make(map[string]reflect.Type)
		for n := range t.NumField() {
			if name, _, _ := strings.Cut(t.Field(n).Tag.Get("json"), ","); name != "" {
				fields[name] = t.Field(n).Type
			}
		}
		known[t] = fields
	}
	return fields
}

// matchingMember returns the member whose name equals the given name except for capitals, which
// the decoder ignores.
func matchingMember(fields map[string]reflect.Type, name string) string {
	//workflowcheck:ignore at most one member matches the name
	for spelled := range fields {
		if strings.EqualFold(spelled, name) {
			return spelled
		}
	}
	return ""
}

func jsonPath(way []jsonFrame) string {
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
