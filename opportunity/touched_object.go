package opportunity

// TouchedObject is a record of the TMS that an effect found or made.
type TouchedObject struct {
	ID ID `json:"id"`
	// Kind is account, contact, learner or invoice.
	Kind ObjectKind `json:"kind"`
	// Created says that the effect made the record. Otherwise the record was there
	// already, made by the TMS itself or by somebody else.
	Created bool `json:"created,omitempty"`
	// Event is the event of a learner, Contact the learner's contact.
	Event   ID `json:"event,omitempty"`
	Contact ID `json:"contact,omitempty"`
	// Reverted says that the record was taken back.
	Reverted bool `json:"reverted,omitempty"`
}

// ObjectKind is the kind of a TouchedObject.
type ObjectKind string

// The kinds of records.
const (
	ObjectAccount ObjectKind = "account"
	ObjectContact ObjectKind = "contact"
	ObjectLearner ObjectKind = "learner"
	ObjectInvoice ObjectKind = "invoice"
)
