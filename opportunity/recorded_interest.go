package opportunity

// RecordedInterest is an interest that is on the record. A RecordedInterest contains no learners,
// because the TMS stores the learners.
type RecordedInterest struct {
	ID ID `json:"id"`
	// Item is the caller's name for the item; a long name is shortened to its beginning.
	Item       string       `json:"item"`
	Kind       InterestKind `json:"kind,omitempty"`
	Quantity   int          `json:"quantity"`
	UnitAmount Amount       `json:"unitAmount"`
	// Reserve says that places were requested.
	Reserve bool `json:"reserve,omitempty"`
	// Places says whether the requested places are reserved, while the reservation of the opportunity
	// is valid.
	Places PlacesState `json:"places,omitempty"`
	// ExpiresAt is when training tokens expire: a local time without a zone, in the form of the
	// API.
	ExpiresAt string `json:"expiresAt,omitempty"`
	// AsRequested is true when Quantity or UnitAmount is a value from a request, because the API does
	// not return this value of the record.
	AsRequested bool `json:"asRequested,omitempty"`
}
