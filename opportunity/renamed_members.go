package opportunity

import "encoding/json"

// A run that began before the first release may have a state with earlier names of some members and
// values. The functions in this file accept the earlier and the present names. docs/glossary.md
// lists the earlier and the present names.

// If the JSON contains a member under both names, readRenamed uses the value under the present
// name.
func readRenamed(data []byte, target any, names map[string]string) error {
	var members map[string]json.RawMessage
	if err := json.Unmarshal(data, &members); err != nil {
		return err
	}
	renamed := false
	for before, name := range names {
		value, is := members[before]
		if !is {
			continue
		}
		renamed = true
		delete(members, before)
		if _, both := members[name]; !both {
			members[name] = value
		}
	}
	if renamed {
		var err error
		if data, err = json.Marshal(members); err != nil {
			return err
		}
	}
	return json.Unmarshal(data, target)
}

// UnmarshalJSON also accepts the earlier names of two members: "word" and "text".
func (a *Attention) UnmarshalJSON(data []byte) error {
	type plain Attention
	return readRenamed(data, (*plain)(a), map[string]string{"word": "kind", "text": "reason"})
}

// UnmarshalJSON also accepts the earlier name of one member: "word".
func (w *WaitInfo) UnmarshalJSON(data []byte) error {
	type plain WaitInfo
	return readRenamed(data, (*plain)(w), map[string]string{"word": "kind"})
}

// UnmarshalJSON also accepts the earlier name of one member: "verb".
func (q *Question) UnmarshalJSON(data []byte) error {
	type plain Question
	return readRenamed(data, (*plain)(q), map[string]string{"verb": "message"})
}

// UnmarshalJSON also accepts the earlier names of three members: "how", "records" and "text".
func (r *EffectResult) UnmarshalJSON(data []byte) error {
	type plain EffectResult
	return readRenamed(data, (*plain)(r), map[string]string{"how": "outcome", "records": "objects", "text": "reason"})
}

// UnmarshalJSON also accepts the earlier names of three members: "made", "on" and "gone".
func (o *TouchedObject) UnmarshalJSON(data []byte) error {
	type plain TouchedObject
	return readRenamed(data, (*plain)(o), map[string]string{"made": "created", "on": "event", "gone": "reverted"})
}

// UnmarshalText also accepts two earlier values: "there" and "left".
func (o *EffectOutcome) UnmarshalText(text []byte) error {
	switch string(text) {
	case "there":
		*o = EffectUnchanged
	case "left":
		*o = EffectAbandoned
	default:
		*o = EffectOutcome(text)
	}
	return nil
}
