package administrate

import "github.com/oppflow/oppflow/administrate/transport"

// SchemaName is the name in a tenant's schema for a root field, argument, member or type that the
// client assumes. The zero value means the assumed name. The value Off switches the assumption off.
// Any other value is a name that replaces the assumed name.
type SchemaName string

// Off switches an assumption off: the client never sends the assumed name.
const Off SchemaName = "-"

// Assumptions lists all names that the client uses and that are neither documented nor observed in
// public code. If a tenant's schema differs from an assumption, correct the name here or switch the
// assumption off. If the API refuses a document, DocumentNames of the RefusedError contains the
// names that the API reported. The zero value assumes every name.
type Assumptions struct {
	// Regions is the root field that lists regions with their ids and names: "regions". Off: the
	// client cannot look up regions by name, so callers must give the id of a region.
	Regions SchemaName
	// CourseTemplates is the root field of course templates, filtered by code and title:
	// "courseTemplates". Off: the client cannot look up course templates by code or title.
	CourseTemplates SchemaName
	// LearningPaths is the root field of learning paths, filtered by code and name:
	// "learningPaths". Off: the client cannot look up learning paths by code or name.
	LearningPaths SchemaName
	// TokenTypes is the root field of training token types, filtered by name: "trainingTokenTypes".
	// Off: the client cannot look up training token types by name.
	TokenTypes SchemaName

	// CreateAttributes is the member of OpportunityCreateInput that contains a list of
	// {definitionKey, value}: "attributes". Off: the client cannot create a record with attributes.
	CreateAttributes SchemaName
	// UpdateAttributes is the member of OpportunityUpdateInput that contains a list of
	// {definitionKey, value}: "attributes". Off: attributes cannot be changed.
	UpdateAttributes SchemaName
	// UpdateName is the member of OpportunityUpdateInput that contains a new name of the record:
	// "name". Off: a record cannot be renamed.
	UpdateName SchemaName
	// ExistingLearner is the form of an entry of the list existingLearners. Zero: the bare contact
	// id. Another name: an object whose member of that name contains the contact id. Off: an
	// interest can name a learner only in full, not by the id of a contact.
	ExistingLearner SchemaName

	// Order is the argument {field, direction} of the opportunities connection: "order" (observed
	// on sessions; on events the argument is named "orderBy"). Off: the client can read
	// opportunities only in the API's own order.
	Order SchemaName
	// FilterName is the field by which the API can filter and order opportunities by name: "name".
	// Off: ByName cannot be used.
	FilterName SchemaName
	// FilterAccount is the field by which the API can filter opportunities by the id of the
	// account: "accountId". Off: ByAccountID cannot be used.
	FilterAccount SchemaName
	// FilterCreated is the field by which the API can filter opportunities by the time of creation:
	// "createdAt". Off: ByCreated cannot be used.
	FilterCreated SchemaName

	// ExtendedOpportunity is the member of the response to extendReservations that contains the
	// opportunity: "opportunity". Off: ExtendReservations returns no opportunity, and the client
	// must read the reservations in a separate request.
	ExtendedOpportunity SchemaName
	// EventItem is the name of the GraphQL type of an interest's item that is an event: "Event".
	// Off: the client does not read the code and the title of events in interests.
	EventItem SchemaName
	// InterestQuantity is the field of an interest that contains its quantity: "quantity". Off:
	// quantities are not read.
	InterestQuantity SchemaName
	// InterestUnitAmount is the field of an interest that contains the price of one unit:
	// "unitAmount". Off: unit prices are not read.
	InterestUnitAmount SchemaName

	// Only side effects of transitions and follow-ups need the members below. A tenant without side
	// effects of transitions and without follow-ups does not need the members below.

	// UpdateOwner is the member of OpportunityUpdateInput that contains the id of the user who owns
	// the record: "ownerId". Off: owners cannot be changed.
	UpdateOwner SchemaName
	// UpdateContact is the member of OpportunityUpdateInput that contains the id of the record's
	// contact: "contactId". Off: the client cannot change the contact of a record.
	UpdateContact SchemaName
	// CreateAccountEmail is the member of AccountCreateInput that contains the e-mail address of
	// the new account: "emailAddress". This name is documented only for the update of an account.
	// Off: the client cannot create an account with an e-mail address.
	CreateAccountEmail SchemaName
	// ClearAccount is the member of OpportunityUpdateInput whose value null removes the account
	// from the record: "accountId". The API may keep the account despite null, so the client must
	// read the account after the update. Off: the client cannot remove the account from a record.
	ClearAccount SchemaName
	// InvoiceComments is the field that contains the comments of an invoice when the sales document
	// of an opportunity is an invoice: "comments". The response to an update of an invoice has the
	// same field. Off: only the response to an update of an invoice shows the comments.
	InvoiceComments SchemaName
	// InvoicePurchaseOrder is the field that contains the purchase order of an invoice when the
	// sales document of an opportunity is an invoice: "purchaseOrderReference". The response to an
	// update of an invoice has the same field. Off: only the response to an update of an invoice
	// shows the purchase order.
	InvoicePurchaseOrder SchemaName
	// TokenIssues is the field of an opportunity that lists the issued training tokens, each with
	// tokenType { id } and quantity: "tokenIssues". Off: the client cannot find out whether the TMS
	// issued training tokens.
	TokenIssues SchemaName
	// LearnerRegistration is the field of a place on an event with the registration of the place:
	// "registration". Off: the API does not show which opportunity registered a person.
	LearnerRegistration SchemaName
	// FieldsType is the value of CustomFieldTemplateType for the custom fields of opportunities:
	// "Opportunity" ("Event" is observed). Off: the keys of attributes in a playbook are not compared
	// with the tenant.
	FieldsType SchemaName
	// OpportunityUpdated is the field of an opportunity that contains the time of its last change:
	// "updatedAt". Events have a field with the same name. Only a worker with the setting
	// --adopted-since record and the preview of a playbook read this field. Off: the times of the
	// follow-ups of an adopted record count from the adoption.
	OpportunityUpdated SchemaName
}

// Assumption is one member of Assumptions.
type Assumption struct {
	Entry   string      // the name of the member of Assumptions
	Name    *SchemaName // a pointer to the member of Assumptions
	Assumed SchemaName
}

// All returns all assumptions with their assumed names: first the assumptions that every tenant
// needs, then the assumptions that only side effects of transitions and follow-ups need.
func (a *Assumptions) All() []Assumption {
	return append(a.Core(), a.SideEffect()...)
}

// Core returns the assumptions that every tenant needs.
func (a *Assumptions) Core() []Assumption {
	return []Assumption{
		{"Regions", &a.Regions, "regions"},
		{"CourseTemplates", &a.CourseTemplates, "courseTemplates"},
		{"LearningPaths", &a.LearningPaths, "learningPaths"},
		{"TokenTypes", &a.TokenTypes, "trainingTokenTypes"},
		{"CreateAttributes", &a.CreateAttributes, "attributes"},
		{"UpdateAttributes", &a.UpdateAttributes, "attributes"},
		{"UpdateName", &a.UpdateName, "name"},
		{"ExistingLearner", &a.ExistingLearner, ""},
		{"Order", &a.Order, "order"},
		{"FilterName", &a.FilterName, "name"},
		{"FilterAccount", &a.FilterAccount, "accountId"},
		{"FilterCreated", &a.FilterCreated, "createdAt"},
		{"ExtendedOpportunity", &a.ExtendedOpportunity, "opportunity"},
		{"EventItem", &a.EventItem, "Event"},
		{"InterestQuantity", &a.InterestQuantity, "quantity"},
		{"InterestUnitAmount", &a.InterestUnitAmount, "unitAmount"},
	}
}

// SideEffect returns the assumptions that only side effects of transitions and
// follow-ups need.
func (a *Assumptions) SideEffect() []Assumption {
	return []Assumption{
		{"UpdateOwner", &a.UpdateOwner, "ownerId"},
		{"UpdateContact", &a.UpdateContact, "contactId"},
		{"CreateAccountEmail", &a.CreateAccountEmail, "emailAddress"},
		{"ClearAccount", &a.ClearAccount, "accountId"},
		{"InvoiceComments", &a.InvoiceComments, "comments"},
		{"InvoicePurchaseOrder", &a.InvoicePurchaseOrder, "purchaseOrderReference"},
		{"TokenIssues", &a.TokenIssues, "tokenIssues"},
		{"LearnerRegistration", &a.LearnerRegistration, "registration"},
		{"FieldsType", &a.FieldsType, "Opportunity"},
		{"OpportunityUpdated", &a.OpportunityUpdated, "updatedAt"},
	}
}

// resolved returns the Assumptions that the client sends: every empty member is replaced by its
// assumed name. A name that is not a GraphQL name is an error, because the client writes every name
// into documents unchanged.
func (a Assumptions) resolved() (Assumptions, error) {
	for _, e := range a.All() {
		switch {
		case *e.Name == "":
			*e.Name = e.Assumed
		case *e.Name != Off && !isGraphQLName(string(*e.Name)):
			return a, &InvalidError{
				Where:   "Options.Assumed." + e.Entry,
				Problem: `the value is not a GraphQL name; give a name such as "` + e.example() + `", or "-" to switch the assumption off`,
			}
		}
	}
	return a, nil
}

func (e Assumption) example() string {
	if e.Assumed == "" {
		return "contactId"
	}
	return string(e.Assumed)
}

// isGraphQLName reports whether a text is a name according to GraphQL's grammar. The client writes
// an assumed name into a document only if isGraphQLName returns true.
func isGraphQLName(name string) bool {
	return name != "" && len(name) <= 100 && (name[0] < '0' || name[0] > '9') && transport.LeadingName(name) == name
}
