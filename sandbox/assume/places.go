package assume

// The rows about places on events.
const (
	// ReserveKind says what happens to a reservation of anything but an event.
	ReserveKind Name = "reserve.kind"
	// ReserveState says whether places can be reserved later on an event that takes no registrations.
	ReserveState Name = "reserve.state"
	// ReserveShort says what happens to a reservation of more places than are left.
	ReserveShort Name = "reserve.short"
	// ReserveLength says how long places are held before an expiry is set.
	ReserveLength Name = "reserve.length"
	// ReserveLapsed says what happens to a reservation for an opportunity whose holds have lapsed.
	ReserveLapsed Name = "reserve.lapsed"
	// ReservationNone says the value of isReservationValid for an opportunity that never held a place.
	ReservationNone Name = "isReservationValid.none"
	// ExtendAnswer says what extendReservations returns.
	ExtendAnswer Name = "extend.answer"
	// RegistrationShort says what happens to a registration of more places than are left.
	RegistrationShort Name = "registration.short"
	// EventDisplayID says which display id an event has.
	EventDisplayID Name = "event.displayId"
	// EventStartDate says the format of an event's startDate.
	EventStartDate Name = "event.startDate"
	// EventPrice says whether an event also shows its price as an amount.
	EventPrice Name = "event.price"
	// EventSearch says whether events can be searched by words.
	EventSearch Name = "event.search"
	// EventTouched says which changes set the time of an event's last update.
	EventTouched Name = "event.touched"
	// LearnerReactivate says whether a learner can be reactivated on an event that takes no registrations.
	LearnerReactivate Name = "learner.reactivate"
	// RegistrationOrderDate says what the orderDate of a registration is.
	RegistrationOrderDate Name = "registration.orderDate"
	// RegistrationHold says what happens to the held places of an interest when a trigger registers it.
	RegistrationHold Name = "registration.hold"
)

func places() []Row {
	return []Row{
		{Name: ReserveKind, Values: []Value{
			{"refused", "reserve is refused for anything but an event"},
			{"ignored", "it is ignored"},
		}},
		{Name: ReserveState, Values: []Value{
			{"any", "reservePlacesForInterests holds places on an event that was cancelled since or is a draft again, too"},
			{"published", "it is refused"},
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
			{"silent", "an opportunity whose holds have lapsed holds nothing more: reserving is answered without an error (seen)"},
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
		{Name: EventDisplayID, Values: []Value{
			{"number", "displayId of an event is its number, as in legacyId"},
			{"code", "it is the event's code"},
		}},
		{Name: EventStartDate, Values: []Value{
			{"date", "startDate of an event is a date without a time"},
			{"time", "it is written like start"},
		}},
		{Name: EventPrice, Values: []Value{
			{"amount", "price of an event is the amount of its defaultPrice"},
			{Absent, "there is defaultPrice only"},
		}},
		{Name: EventSearch, Values: []Value{
			{"there", "the filters textSearch and eventOrCourseCodeOrTitle look through code and title of the event and of its course template"},
			{Absent, "there are no such filters"},
		}},
		{Name: EventTouched, Values: []Value{
			{"update", "updatedAt of an event is the time of the last event.update; who is registered does not change it"},
			{"registration", "registering learners changes it, too; cancelling one does not (seen)"},
		}},
		{Name: LearnerReactivate, Values: []Value{
			{"refused", "learner.reactivate is refused on an event that was cancelled or is a draft"},
			{"taken", "it takes a place there, too"},
		}},
		{Name: RegistrationOrderDate, Values: []Value{
			{"given", "orderDate of a registration is the one given with registerContacts, taken for UTC, else the time of registering"},
			{"now", "it is the time of registering"},
		}},
		{Name: RegistrationHold, Values: []Value{
			{"consumed", "the places that an interest holds become the booked ones of its registration"},
			{"kept", "they stay held beside it until they lapse, so that they count twice"},
		}},
	}
}
