package opportunity

import (
	"encoding/json"
	"fmt"
)

// Start is what an opportunity is created from.
type Start struct {
	RequestID string `json:"requestId,omitempty"`
	Name      string `json:"name"`
	// Region is the name or the id of the region.
	Region string `json:"region"`
	// Account is the name or the id of the account.
	Account string `json:"account,omitempty"`
	// Currency is its code or its name.
	Currency string `json:"currency,omitempty"`
	// EntryStep is the name or the id of the step the record starts in.
	EntryStep string `json:"entryStep,omitempty"`
	// Interests are added once the record exists.
	Interests Interests `json:"interests,omitempty"`
}

// Validate reports the first mistake of the start as an Invalid error.
func (s Start) Validate() error {
	if err := validRequestID(s.RequestID); err != nil {
		return err
	}
	for _, field := range []struct {
		member, value, typ, what string
		wanted                   bool
	}{
		{"name", s.Name, "", "", true},
		{"region", s.Region, TypeRegion, "a region", true},
		{"account", s.Account, TypeAccount, "an account", false},
		{"currency", s.Currency, "", "", false},
		{"entryStep", s.EntryStep, TypeStep, "a step", false},
	} {
		if field.value == "" && !field.wanted {
			continue
		}
		if err := validText(field.member, field.value); err != nil {
			return err
		}
		if field.typ == "" {
			continue
		}
		if err := wantType(field.member, field.value, field.typ, field.what); err != nil {
			return err
		}
	}
	return s.Interests.validate()
}

// Digest tells equal starts from different ones, whatever their request ids.
func (s Start) Digest() string {
	s.RequestID = ""
	data, err := json.Marshal(s)
	if err != nil {
		return err.Error() // cannot happen for plain data
	}
	return fmt.Sprintf("%x", digestOf(data))
}
