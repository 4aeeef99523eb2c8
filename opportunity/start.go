package opportunity

import (
	"encoding/json"
	"fmt"
)

// Start describes the opportunity to create. A start that sets only Adopt requests that Oppflow
// adopts an existing record.
type Start struct {
	RequestID string `json:"requestId,omitempty"`
	// Source is the name of the sender for fair scheduling; a source has at most 64 bytes and
	// contains no personal data.
	Source string `json:"source,omitempty"`
	// Urgent says that the record is created before the records of starts that are not urgent.
	Urgent bool `json:"urgent,omitempty"`
	// Adopt is the id of the record to adopt; a start with Adopt describes no new record.
	Adopt ID     `json:"adopt,omitempty"`
	Name  string `json:"name,omitempty"`
	// Region is the name or the id of the region.
	Region string `json:"region,omitempty"`
	// Account is the name or the id of the account.
	Account string `json:"account,omitempty"`
	// Currency is the code or the name of the currency.
	Currency string `json:"currency,omitempty"`
	// EntryStep is the name or the id of the first step of the new record.
	EntryStep string `json:"entryStep,omitempty"`
	// Interests are added to the record after the record was created.
	Interests Interests `json:"interests,omitempty"`
}

// Validate reports the first mistake of the start as an Invalid error.
func (s Start) Validate() error {
	if err := validateHeader(s.RequestID, s.Source); err != nil {
		return err
	}
	if s.Adopt != "" {
		return s.validateAdopt()
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
		if err := validateText(field.member, field.value); err != nil {
			return err
		}
		if field.typ == "" {
			continue
		}
		if err := validateIDType(field.member, field.value, field.typ, field.what); err != nil {
			return err
		}
	}
	return s.Interests.validate()
}

func (s Start) validateAdopt() error {
	if err := validateText("adopt", string(s.Adopt)); err != nil {
		return err
	}
	if s.Adopt.Type() != TypeOpportunity {
		return Invalidf("adopt: the value is not the id of an Opportunity; give the id as the API returns the id, such as T3Bwb3J0dW5pdHk6MQ==")
	}
	if s.Name != "" || s.Region != "" || s.Account != "" || s.Currency != "" || s.EntryStep != "" || len(s.Interests) > 0 {
		return Invalidf("adopt: an adoption cannot be combined with name, region, account, currency, entryStep and interests; after the adoption, send these values as messages")
	}
	return nil
}

// Digest returns different texts for different starts, and the same text for equal starts. The
// digest does not depend on the request id, the source and the urgency of the start.
func (s Start) Digest() string {
	s.RequestID, s.Source, s.Urgent = "", "", false
	data, err := json.Marshal(s)
	if err != nil {
		return err.Error() // cannot happen for plain data
	}
	return fmt.Sprintf("%x", DigestOf(data))
}

// CreateRequestID is the request id of a question about the creation of the record.
const CreateRequestID = "#create"

// StartRequestID is the request id of the interests that a start contains.
const StartRequestID = "#start"

// RecordRequestID is the request id of the question whether the record belongs to this opportunity.
const RecordRequestID = "#record"

// PlanRequestID is the request id in attention and waits about planning; no caller waits for the
// outcome of planning.
const PlanRequestID = "plan"
