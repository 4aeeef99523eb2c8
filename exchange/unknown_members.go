package exchange

import (
	"encoding/json"
	"maps"
	"reflect"
	"strings"
)

// UnknownMembers are the members of a JSON object that only a later version knows, by their
// names.
type UnknownMembers map[string]json.RawMessage

// collect stores the members of the object that the type does not have.
func (l *UnknownMembers) collect(data []byte, known reflect.Type) error {
	var members UnknownMembers
	if err := json.Unmarshal(data, &members); err != nil {
		return err
	}
	for i := range known.NumField() {
		name, _, _ := strings.Cut(known.Field(i).Tag.Get("json"), ",")
		delete(members, name)
	}
	*l = nil
	if len(members) > 0 {
		*l = members
	}
	return nil
}

// merge returns the JSON object of the value together with the stored members.
func (l UnknownMembers) merge(value any) ([]byte, error) {
	data, err := json.Marshal(value)
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
