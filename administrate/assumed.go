package administrate

import "github.com/oppflow/oppflow/administrate/transport"

// SchemaName is the tenant's name for a member of the schema that the client assumes. The zero
// value stands for the assumed name. Off switches the assumption off. Any other value replaces the
// assumed name.
type SchemaName string

// Off switches an assumption off: the name is never sent.
const Off SchemaName = "-"

// Assumptions lists all names that are neither documented nor observed in public code. If a
// tenant's schema differs, correct the name here or switch it off. The DocumentNames of a
// RefusedError contain the wrong names. The zero value assumes every name.
type Assumptions struct {
	// Regions is the root field that lists regions, with id and name: "regions".
	// Off: regions cannot be looked up by name, only given by id.
	Regions SchemaName
	// CourseTemplates is the root field of course templates, filtered by code and title:
	// "courseTemplates". Off: course templates cannot be looked up by text.
	CourseTemplates SchemaName
	// LearningPaths is the root field of learning paths, filtered by code and name:
	// "learningPaths". Off: learning paths cannot be looked up by text.
	LearningPaths SchemaName
	// TokenTypes is the root field of training token types, filtered by name: "trainingTokenTypes".
	// Off: training token types cannot be looked up by text.
	TokenTypes SchemaName

	// CreateAttributes is the member of OpportunityCreateInput that takes
	// [{definitionKey, value}]: "attributes". Off: a record cannot be created
	// with attributes.
	CreateAttributes SchemaName
	// UpdateAttributes is the same member of OpportunityUpdateInput:
	// "attributes". Off: attributes cannot be changed.
	UpdateAttributes SchemaName
	// UpdateName is the member of OpportunityUpdateInput that takes a new name:
	// "name". Off: a record cannot be renamed.
	UpdateName SchemaName
	// ExistingLearner is the shape of an entry of existingLearners. Zero: the
	// bare contact id. Another name: an object that holds the id under that
	// name. Off: only learners named in full can be added.
	ExistingLearner SchemaName

	// Order is the argument of the opportunities connection that takes
	// {field, direction}: "order" (observed on sessions; on events it is
	// "orderBy"). Off: pages come in the API's own order only.
	Order SchemaName
	// FilterName is the opportunity field that filters and orders by name:
	// "name". Off: ByName cannot be used.
	FilterName SchemaName
	// FilterAccount is the opportunity field that filters by the account's id: "accountId".
	// Off: ByAccountID cannot be used.
	FilterAccount SchemaName
	// FilterCreated is the opportunity field that filters by the time of creation:
	// "createdAt". Off: ByCreated cannot be used.
	FilterCreated SchemaName

	// ExtendedOpportunity is the member of the response to extendReservations that holds the
	// opportunity: "opportunity". Off: ExtendReservations returns no opportunity and
	// reservations must be read separately.
	ExtendedOpportunity SchemaName
	// EventItem is the type of an interest's item that is an event: "Event".
	// Off: code and title of event interests are not read.
	EventItem SchemaName
	// InterestQuantity is the field of an interest with its quantity:
	// "quantity". Off: quantities are not read.
	InterestQuantity SchemaName
	// InterestUnitAmount is the field of an interest with the price of one unit: "unitAmount". Off:
	// unit prices are not read.
	InterestUnitAmount SchemaName

	// All members below are for side effects of transitions and for follow-ups only. A tenant
	// without such side effects and follow-ups does not need the members below.

	// UpdateOwner is the member of OpportunityUpdateInput that takes the id of
	// the user who owns the record: "ownerId". Off: owners cannot be changed.
	UpdateOwner SchemaName
	// UpdateContact is the member of OpportunityUpdateInput that takes the id of the
	// record's contact: "contactId". Off: the contact of a record cannot be changed.
	UpdateContact SchemaName
	// CreateAccountEmail is the member of AccountCreateInput that takes an e-mail address:
	// "emailAddress", which is documented for the update. Off: an account cannot be created
	// with an e-mail address.
	CreateAccountEmail SchemaName
	// ClearAccount is the member of OpportunityUpdateInput that removes the account when the member
	// is null: "accountId". The API may also keep the account after null, so read the account back.
	// Off: the account of an opportunity cannot be removed.
	ClearAccount SchemaName
	// InvoiceComments is the field with the comments in the sales document of an opportunity, where
	// this document is an invoice: "comments", as in the response to an update of an invoice. Off:
	// only the response to an update shows the comments.
	InvoiceComments SchemaName
	// InvoicePurchaseOrder is the field with the purchase order in the sales document of an
	// opportunity, where this document is an invoice: "purchaseOrderReference", as in the response to
	// an update of an invoice. Off: only the response to an update shows the purchase order.
	InvoicePurchaseOrder SchemaName
	// TokenIssues is the field of an opportunity that lists the training tokens that were
	// issued for it, each with tokenType { id } and quantity: "tokenIssues". Off: the API
	// does not show whether tokens were issued.
	TokenIssues SchemaName
	// OpportunityUpdated is the field of an opportunity with the time of its last change:
	// "updatedAt", as on events. Only a worker with --adopted-since record and a preview of a
	// playbook read this field. Off: the times of the follow-ups of an adopted record count from
	// the adoption.
	OpportunityUpdated SchemaName
}

// Assumption is one member of Assumptions.
type Assumption struct {
	Entry   string      // the name of the member
	Name    *SchemaName // the member
	Assumed SchemaName
}

// All returns all members with their assumed names: first the members that every
// tenant needs, then the members for side effects of transitions and for follow-ups only.
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
		{"OpportunityUpdated", &a.OpportunityUpdated, "updatedAt"},
	}
}

// resolved returns the names to send: each assumed name, unless the name is corrected. A name
// is written into documents unchanged, so resolved accepts only well-formed names.
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

// isGraphQLName reports whether a text is a name by GraphQL's grammar. The client writes an assumed
// name into a document only if it is such a name.
func isGraphQLName(name string) bool {
	return name != "" && len(name) <= 100 && (name[0] < '0' || name[0] > '9') && transport.LeadingName(name) == name
}
