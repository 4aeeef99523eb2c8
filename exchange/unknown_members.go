package exchange

import (
	"encoding/json"
	"maps"
	"reflect"
	"slices"
	"strings"
)

// UnknownMembers contains, by name, the members of a JSON object that only a later version knows.
type UnknownMembers map[string]json.RawMessage

// collect stores those members of the JSON object that the Go type does not have. collect returns
// the member with the settings, and does not store this member.
func (l *UnknownMembers) collect(data []byte, known reflect.Type, settings string) (Settings, error) {
	var members UnknownMembers
	if err := json.Unmarshal(data, &members); err != nil {
		return nil, err
	}
	for i := range known.NumField() {
		name, _, _ := strings.Cut(known.Field(i).Tag.Get("json"), ",")
		delete(members, name)
	}
	given := Settings(members[settings])
	delete(members, settings)
	*l = nil
	if len(members) > 0 {
		*l = members
	}
	return given, nil
}

func (l UnknownMembers) merge(value any, name string, settings Settings) ([]byte, error) {
	data, err := json.Marshal(value)
	if err == nil && len(settings) > 0 {
		member, err := json.Marshal(name)
		if err != nil {
			return nil, err
		}
		data = slices.Concat(data[:len(data)-1], []byte(","), member, []byte(":"), settings, []byte("}"))
	}
	if err != nil || len(l) == 0 {
		return data, err
	}
	var members map[string]json.RawMessage
	if err := json.Unmarshal(data, &members); err != nil {
		return nil, err
	}
	maps.Copy(members, l)
	return json.Marshal(members)
}
