package assumptions

// The rows about interests.
const (
	AddInterestResponse Name = "addInterest.response"
	InterestExisting    Name = "interest.learners.existing"
	InterestLearners    Name = "interest.learners.count"
	InterestAmount      Name = "interest.unitAmount"
	InterestDetailsKind Name = "interest.details"
	InterestTax         Name = "interest.tax"
	InterestPublished   Name = "interest.published"
)

func interests() []Assumption {
	return []Assumption{
		{Name: AddInterestResponse, Options: []Option{
			{"new", "addInterest answers the new interest only"},
			{"all", "addInterest answers all interests of the opportunity"},
		}},
		{Name: InterestExisting, AnyName: true, Options: []Option{
			{"ids", "existingLearners is a list of ids of contacts"},
			{"contactId", "it is a list of objects in which contactId is the id; any other name may be given, too"},
			{"empty", "only an empty list is taken, as in every example"},
		}},
		{Name: InterestLearners, Options: []Option{
			{"quantity", "no more learners than the quantity can be named"},
			{"any", "any number can"},
		}},
		{Name: InterestAmount, Options: []Option{
			{"positive", "unitAmount is not negative"},
			{"any", "it may be, as for a discount"},
		}},
		{Name: InterestDetailsKind, Options: []Option{
			{"fitting", "details that do not fit the kind of the item are refused"},
			{"ignored", "they are ignored"},
		}},
		{Name: InterestTax, Options: []Option{
			{"any", "taxId is any well-formed id"},
			{"unknown", "it must exist, and the sandbox knows none"},
		}},
		{Name: InterestPublished, Options: []Option{
			{"published", "events and learning paths must be published like course templates; their dates do not matter"},
			{"courses", "only course templates must"},
		}},
	}
}
