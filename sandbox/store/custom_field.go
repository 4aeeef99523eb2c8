package store

import (
	"context"
	"strings"

	"github.com/oppflow/oppflow/sandbox/assumptions"
	"github.com/oppflow/oppflow/sandbox/globalid"
)

// CustomFieldDefinition is a custom field that a tenant has defined for all objects of a type. The
// values of a custom field are text, for every Kind (observed).
type CustomFieldDefinition struct {
	ID    int64
	Label string
	Kind  string
}

// Key returns the global id of the definition.
func (d CustomFieldDefinition) Key() string {
	return globalid.EncodeInt(globalid.CustomFieldDefinition, d.ID)
}

// CustomFieldTemplate contains the custom fields that a tenant has defined for all objects of a
// type.
type CustomFieldTemplate struct {
	CustomFieldDefinitions []*CustomFieldDefinition
}

// CustomFieldTemplateOf returns the custom fields of a type, such as the type Event.
func (s *Store) CustomFieldTemplateOf(ctx context.Context, typ string) (*CustomFieldTemplate, error) {
	found, err := customFields(ctx, s.read, "type = ?", typ)
	if err != nil {
		return nil, err
	}
	return &CustomFieldTemplate{CustomFieldDefinitions: found}, nil
}

// CustomFieldByKey returns the definition with the key of a custom value, or nil if no definition
// has the key.
func (s *Store) CustomFieldByKey(ctx context.Context, key string) (*CustomFieldDefinition, error) {
	return customFieldByKey(ctx, s.read, "id = ?", key)
}

func customFieldByKey(ctx context.Context, q queryer, condition, key string, args ...any) (*CustomFieldDefinition, error) {
	id, err := globalid.ParseInt(key, globalid.CustomFieldDefinition)
	if err != nil {
		return nil, nil //nolint:nilerr // a key that is no id is nobody's
	}
	found, err := customFields(ctx, q, condition, append([]any{id}, args...)...)
	if err != nil || len(found) == 0 {
		return nil, err
	}
	return found[0], nil
}

func customFields(ctx context.Context, q queryer, condition string, args ...any) ([]*CustomFieldDefinition, error) {
	rows, err := q.QueryContext(ctx, "SELECT id, label, kind FROM custom_field_definitions WHERE "+condition+" ORDER BY id", args...)
	if err != nil {
		return nil, err
	}
	defer func() { _ = rows.Close() }()
	found := []*CustomFieldDefinition{}
	for rows.Next() {
		var d CustomFieldDefinition
		if err := rows.Scan(&d.ID, &d.Label, &d.Kind); err != nil {
			return nil, err
		}
		found = append(found, &d)
	}
	return found, rows.Err()
}

// checkCustomField refuses a custom value without a key. With the value "defined" of the assumption
// CustomFieldKeys, checkCustomField also refuses a key that no definition of the type has.
func (s *Store) checkCustomField(ctx context.Context, q queryer, list, typ, key string) error {
	if strings.TrimSpace(key) == "" {
		return newRefusal(LabelInvalidValue, key, "%s: definitionKey must not be empty", list)
	}
	if !s.choices.Is(assumptions.CustomFieldKeys, "defined") {
		return nil
	}
	d, err := customFieldByKey(ctx, q, "id = ? AND type = ?", key, typ)
	if err == nil && d == nil {
		err = newRefusal(LabelNotFound, key, "%s: there is no custom field %q of the type %s", list, key, typ)
	}
	return err
}
