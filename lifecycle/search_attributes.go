package lifecycle

import (
	enums "go.temporal.io/api/enums/v1"
	"go.temporal.io/sdk/temporal"
)

// These are the search attributes of every opportunity; they contain no personal data.
var (
	// OpportunityID is the record's id in the TMS.
	OpportunityID = temporal.NewSearchAttributeKeyKeyword("OpportunityId")
	// OpportunityAccount is the id of the account.
	OpportunityAccount = temporal.NewSearchAttributeKeyKeyword("OpportunityAccount")
	// OpportunityStep is the name of the step, as the TMS shows it.
	OpportunityStep = temporal.NewSearchAttributeKeyKeyword("OpportunityStep")
	// OpportunityRegion is the name of the region, or the id of the region when Oppflow does not
	// know the name.
	OpportunityRegion = temporal.NewSearchAttributeKeyKeyword("OpportunityRegion")
	// OpportunityState is the state of the stage: Open, Won, Lost or Archived.
	OpportunityState = temporal.NewSearchAttributeKeyKeyword("OpportunityState")
	// OpportunityAttention contains the attention kinds of the opportunity.
	OpportunityAttention = temporal.NewSearchAttributeKeyKeywordList("OpportunityAttention")
	// OpportunityNextActionTime is the time of Oppflow's next action for the opportunity. For an ended
	// opportunity, the attribute is the time until which the run takes messages.
	OpportunityNextActionTime = temporal.NewSearchAttributeKeyTime("OpportunityNextActionTime")
	// OpportunityReservedUntil is when the reservation expires.
	OpportunityReservedUntil = temporal.NewSearchAttributeKeyTime("OpportunityReservedUntil")
	// OpportunityWaitingSince is since when the opportunity waits for a person or for the end of an
	// outage. The attribute is set only while the opportunity has attention. The visibility of a SQL
	// database has columns for three times, and this attribute is the third.
	OpportunityWaitingSince = temporal.NewSearchAttributeKeyTime("OpportunityWaitingSince")
)

// Attributes returns all search attributes.
func Attributes() []temporal.SearchAttributeKey {
	return []temporal.SearchAttributeKey{
		OpportunityID, OpportunityAccount, OpportunityStep, OpportunityRegion,
		OpportunityState, OpportunityAttention, OpportunityNextActionTime, OpportunityReservedUntil, OpportunityWaitingSince,
	}
}

// SearchAttributes returns the names and types of the search attributes that a namespace must have.
func SearchAttributes() map[string]enums.IndexedValueType {
	all := make(map[string]enums.IndexedValueType)
	for _, key := range Attributes() {
		all[key.GetName()] = key.GetValueType()
	}
	return all
}
