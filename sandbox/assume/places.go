package assume

// The rows about places on events.
const (
	// ReserveKind says what becomes of a reservation of anything but an event.
	ReserveKind Name = "reserve.kind"
	// ReserveShort says what becomes of a reservation of more places than are left.
	ReserveShort Name = "reserve.short"
	// ReserveLength says how long places are held before an expiry is set.
	ReserveLength Name = "reserve.length"
	// ReserveLapsed says what becomes of a reservation for an opportunity whose holds have lapsed.
	ReserveLapsed Name = "reserve.lapsed"
	// ReservationNone says what an opportunity that never held a place answers.
	ReservationNone Name = "isReservationValid.none"
	// ExtendAnswer says what extendReservations answers.
	ExtendAnswer Name = "extend.answer"
	// RegistrationShort says what becomes of a registration of more places than are left.
	RegistrationShort Name = "registration.short"
	// RegistrationHold says what becomes of the held places of an interest that is registered by a trigger.
	RegistrationHold Name = "registration.hold"
)

func places() []Row {
	return []Row{
		{Name: ReserveKind, Values: []Value{
			{"refused", "reserve is refused for anything but an event"},
			{"ignored", "it is ignored"},
		}},
		{Name: ReserveShort, Values: []Value{
			{"held", "places are held even if the event has too few: remainingPlaces is negative then"},
			{"refused", "it is refused"},
			{"nothing", "nothing is held, and nothing says so"},
		}},
		{Name: ReserveLength, Values: []Value{
			{"open", "a hold lasts until the first extension sets its expiry"},
			{"week", "it has an expiry by itself, in seven days"},
		}},
		{Name: ReserveLapsed, Values: []Value{
			{"silent", "an interest that is to reserve on an opportunity whose holds have lapsed is added, without a hold and without an error"},
			{"refused", "it is refused"},
		}},
		{Name: ReservationNone, Values: []Value{
			{"false", "isReservationValid is false for an opportunity that never held a place"},
			{"true", "it is true"},
		}},
		{Name: ExtendAnswer, Values: []Value{
			{"opportunity", "extendReservations answers errors and opportunity"},
			{"errors", "its opportunity is null"},
		}},
		{Name: RegistrationShort, Values: []Value{
			{"booked", "learners are registered even if the event has too few places"},
			{"refused", "it is refused"},
		}},
		{Name: RegistrationHold, Values: []Value{
			{"consumed", "the places that an interest holds become the booked ones of its registration"},
			{"kept", "they stay held beside it until they lapse, so that they count twice"},
		}},
	}
}
