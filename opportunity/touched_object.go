package opportunity

// TouchedObject is an object of the TMS that an effect found or created.
type TouchedObject struct {
	ID ID `json:"id"`
	// Kind is account, contact, learner or invoice.
	Kind ObjectKind `json:"kind"`
	// Created says that the effect created the object; otherwise the TMS itself or somebody else
	// created it.
	Created bool `json:"created,omitempty"`
	// Event is the event of a learner, and Contact is the learner's contact.
	Event   ID `json:"event,omitempty"`
	Contact ID `json:"contact,omitempty"`
	// Reverted says that the effect on the object was undone.
	Reverted bool `json:"reverted,omitempty"`
}

// ObjectKind is the kind of a TouchedObject.
type ObjectKind string

// The kinds of objects.
const (
	ObjectAccount ObjectKind = "account"
	ObjectContact ObjectKind = "contact"
	ObjectLearner ObjectKind = "learner"
	ObjectInvoice ObjectKind = "invoice"
)
