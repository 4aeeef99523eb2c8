package assume

// AddInterestAnswer says which interests addInterest answers.
const AddInterestAnswer Name = "addInterest.answer"

func interests() []Row {
	return []Row{
		{AddInterestAnswer, []Value{
			{"new", "addInterest answers the new interest only"},
			{"all", "addInterest answers all interests of the opportunity"},
		}},
	}
}
