package assumptions

// These assumptions are about interests.
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
			{"new", "addInterest returns only the new interest"},
			{"all", "addInterest returns all interests of the opportunity"},
		}},
		{Name: InterestExisting, AnyName: true, Options: []Option{
			{"ids", "existingLearners is a list of ids of contacts"},
			{"contactId", "existingLearners is a list of objects whose member contactId is the id of a contact; the value of this assumption can be any other name of the member"},
			{"empty", "existingLearners must be an empty list, as in every example of the documentation"},
		}},
		{Name: InterestLearners, Options: []Option{
			{"quantity", "an interest accepts at most as many learners as its quantity"},
			{"any", "an interest accepts any number of learners"},
		}},
		{Name: InterestAmount, Options: []Option{
			{"positive", "unitAmount must not be negative"},
			{"any", "unitAmount may be negative, for example for a discount"},
		}},
		{Name: InterestDetailsKind, Options: []Option{
			{"fitting", "details that do not fit the kind of the item are refused, such as event details for a course template"},
			{"ignored", "details that do not fit the kind of the item are ignored, such as event details for a course template"},
		}},
		{Name: InterestTax, Options: []Option{
			{"any", "taxId may be any well-formed id"},
			{"unknown", "taxId must be the id of an existing tax; the sandbox has no taxes, so every taxId is refused"},
		}},
		{Name: InterestPublished, Options: []Option{
			{"published", "an interest accepts only published course templates, published events and published learning paths, with any dates"},
			{"courses", "an interest accepts only published course templates, but accepts events and learning paths in any lifecycle state"},
		}},
	}
}
