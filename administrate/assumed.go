package administrate

// Name is the tenant's name for something the client assumes. The zero value
// is the assumption, Off does without it, anything else corrects it.
type Name string

// Off switches an assumption off: the name is never sent.
const Off Name = "-"

// Assumptions are the names of the schema that are neither documented nor
// observed in public code, each with what happens without it.
type Assumptions struct {
	Regions             Name
	CreateAttributes    Name
	UpdateAttributes    Name
	UpdateName          Name
	Order               Name
	ExtendedOpportunity Name
	ExistingLearner     Name
}
