package opportunity

// RecordedInterest is an interest that the record has. The people to be trained are not kept: the TMS has
// them.
type RecordedInterest struct {
	ID ID `json:"id"`
	// Item is the caller's name for it; of a long name, the beginning.
	Item       string       `json:"item"`
	Kind       InterestKind `json:"kind,omitempty"`
	Quantity   int          `json:"quantity"`
	UnitAmount Amount       `json:"unitAmount"`
	// Reserve says that places were requested.
	Reserve bool `json:"reserve,omitempty"`
	// ExpiresAt is when training tokens expire, a local time without a zone as the
	// API takes it.
	ExpiresAt string `json:"expiresAt,omitempty"`
}
