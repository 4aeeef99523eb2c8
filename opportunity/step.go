package opportunity

// StageState is the state of a stage, as the TMS shows it.
type StageState string

// The four states of a stage.
const (
	Open     StageState = "Open"
	Won      StageState = "Won"
	Lost     StageState = "Lost"
	Archived StageState = "Archived"
)

// IsFinal reports whether an opportunity in a stage of this state has ended.
func (s StageState) IsFinal() bool { return s == Won || s == Lost || s == Archived }

// Stage is a phase of the sale that contains steps.
type Stage struct {
	ID    ID         `json:"id"`
	Name  string     `json:"name"`
	State StageState `json:"state"`
}

// Step is the exact point in the sale at which an opportunity is; an opportunity is always in one
// step.
type Step struct {
	ID    ID     `json:"id"`
	Name  string `json:"name"`
	Stage Stage  `json:"stage"`
}

// Ref is an object of the TMS that has an id and a name.
type Ref struct {
	ID   ID     `json:"id"`
	Name string `json:"name,omitempty"`
}

// Details are the simple fields of the record: its name, region, account and currency.
type Details struct {
	Name     string `json:"name"`
	Region   Ref    `json:"region,omitzero"`
	Account  Ref    `json:"account,omitzero"`
	Currency string `json:"currency,omitempty"` // the code of the currency, such as USD
}
