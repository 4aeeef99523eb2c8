package administrate

import "github.com/oppflow/oppflow/administrate/transport"

// SchemaName is the tenant's name for something that the client assumes. The zero value is the
// assumption itself, Off means to work without it, and any other value corrects it.
type SchemaName string

// Off switches an assumption off: the name is never sent.
const Off SchemaName = "-"

// Assumptions are the names of the schema that are neither documented nor observed in public
// code, in one place. A tenant whose schema differs corrects a name or switches it off here.
// The DocumentNames of a RefusedError say which name is wrong. The zero value assumes all of
// them.
type Assumptions struct {
	// Regions is the root field that lists regions, with id and name: "regions".
	// Off: regions cannot be looked up by name, only given by id.
	Regions SchemaName
	// CourseTemplates is the root field of course templates, filtered by code and title:
	// "courseTemplates". Off: they cannot be looked up by text.
	CourseTemplates SchemaName
	// LearningPaths is the root field of learning paths, filtered by code and
	// name: "learningPaths". Off: they cannot be looked up by text.
	LearningPaths SchemaName
	// TokenTypes is the root field of training token types, filtered by name:
	// "trainingTokenTypes". Off: they cannot be looked up by text.
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

	// ExtendedOpportunity is the member of the answer to extendReservations that holds the
	// opportunity: "opportunity". Off: ExtendReservations returns no opportunity and
	// reservations must be read separately.
	ExtendedOpportunity SchemaName
	// EventItem is the type of an interest's item that is an event: "Event".
	// Off: code and title of event interests are not read.
	EventItem SchemaName
	// InterestQuantity is the field of an interest with its quantity:
	// "quantity". Off: quantities are not read.
	InterestQuantity SchemaName
	// InterestUnitAmount is the field of an interest with the price of one:
	// "unitAmount". Off: prices of one are not read.
	InterestUnitAmount SchemaName

	// All members below are for side effects of transitions and for follow-ups only. A tenant
	// without such side effects and follow-ups can work without all of them.

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
	// ClearAccount is the member of OpportunityUpdateInput that removes the account when it
	// is null: "accountId". An API may also keep the account in this case, so read the
	// account back. Off: an opportunity keeps the account that it was given.
	ClearAccount SchemaName
	// InvoiceComments is the field with the comments in the sales document of an
	// opportunity, where this document is an invoice: "comments", as in the answer to an
	// update of an invoice. Off: the comments are known only from answers to updates.
	InvoiceComments SchemaName
	// InvoicePurchaseOrder is the field with the purchase order in the sales document of an
	// opportunity, where this document is an invoice: "purchaseOrderReference", as in the
	// answer to an update of an invoice. Off: the purchase order is known only from answers
	// to updates.
	InvoicePurchaseOrder SchemaName
	// TokenIssues is the field of an opportunity that lists the training tokens that were
	// issued for it, each with tokenType { id } and quantity: "tokenIssues". Off: the API
	// does not show whether tokens were issued.
	TokenIssues SchemaName
	// OpportunityUpdated is the field of an opportunity that is the time of its last change:
	// "updatedAt", as on events. Only a worker with --adopted-since record and a preview
	// of a playbook read it. Off: it is not read, and the follow-ups of an adopted record
	// count from the adoption.
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
				Problem: `is no GraphQL name; give one such as "` + e.example() + `", or "-" to do without it`,
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

// isGraphQLName reports whether a text is a name by GraphQL's grammar. Nothing else may be
// put into a document outside a variable.
func isGraphQLName(name string) bool {
	return name != "" && len(name) <= 100 && (name[0] < '0' || name[0] > '9') && transport.LeadingName(name) == name
}
