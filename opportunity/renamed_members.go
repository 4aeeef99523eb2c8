package opportunity

import "encoding/json"

// The states of runs that began before the first release contain some members and words under
// their earlier names. The functions below read both names. docs/glossary.md lists the names.

// readRenamed renames the members of an object and decodes the object into target. A member that
// is present under both names keeps the value of the new name.
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

// UnmarshalJSON also reads the names of earlier versions: word and text.
func (a *Attention) UnmarshalJSON(data []byte) error {
	type plain Attention
	return readRenamed(data, (*plain)(a), map[string]string{"word": "kind", "text": "reason"})
}

// UnmarshalJSON also reads the name of earlier versions: word.
func (w *WaitInfo) UnmarshalJSON(data []byte) error {
	type plain WaitInfo
	return readRenamed(data, (*plain)(w), map[string]string{"word": "kind"})
}

// UnmarshalJSON also reads the name of earlier versions: verb.
func (q *Question) UnmarshalJSON(data []byte) error {
	type plain Question
	return readRenamed(data, (*plain)(q), map[string]string{"verb": "message"})
}

// UnmarshalJSON also reads the names of earlier versions: how, records and text.
func (r *EffectResult) UnmarshalJSON(data []byte) error {
	type plain EffectResult
	return readRenamed(data, (*plain)(r), map[string]string{"how": "outcome", "records": "objects", "text": "reason"})
}

// UnmarshalJSON also reads the names of earlier versions: made, on and gone.
func (o *TouchedObject) UnmarshalJSON(data []byte) error {
	type plain TouchedObject
	return readRenamed(data, (*plain)(o), map[string]string{"made": "created", "on": "event", "gone": "reverted"})
}

// UnmarshalText also reads the words of earlier versions: there and left.
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
