package assumptions

// The rows about places on events.
const (
	// ReserveKind says what happens to a reservation of an item other than an event.
	ReserveKind Name = "reserve.kind"
	// ReserveState says whether reservePlacesForInterests can reserve places on an event that takes
	// no registrations.
	ReserveState Name = "reserve.state"
	// ReserveOverbooked says what happens to a reservation of more places than are left.
	ReserveOverbooked Name = "reserve.short"
	// ReserveDuration says how long places are reserved before an expiry is set.
	ReserveDuration Name = "reserve.length"
	// ReserveExpired says what happens to a reservation for an opportunity whose reservations have expired.
	ReserveExpired Name = "reserve.lapsed"
	// ReservationNone says the value of isReservationValid for an opportunity that never reserved a place.
	ReservationNone Name = "isReservationValid.none"
	// ExtendResponse says what extendReservations returns.
	ExtendResponse Name = "extend.response"
	// RegistrationOverbooked says what happens to a registration of more places than are left.
	RegistrationOverbooked Name = "registration.short"
	// EventDisplayID says which display id an event has.
	EventDisplayID Name = "event.displayId"
	// EventStartDate says the format of an event's startDate.
	EventStartDate Name = "event.startDate"
	// EventPrice says whether an event also shows its price as an amount.
	EventPrice Name = "event.price"
	// EventSearch says whether events can be searched by words.
	EventSearch Name = "event.search"
	// EventUpdated says which changes set an event's updatedAt.
	EventUpdated Name = "event.touched"
	// LearnerReactivate says whether a learner can be reactivated on an event that takes no registrations.
	LearnerReactivate Name = "learner.reactivate"
	// RegistrationOrderDate says what the orderDate of a registration is.
	RegistrationOrderDate Name = "registration.orderDate"
	// RegistrationReservation says what happens to the reserved places of an interest when a trigger registers it.
	RegistrationReservation Name = "registration.hold"
)

func reservations() []Assumption {
	return []Assumption{
		{Name: ReserveKind, Options: []Option{
			{"refused", "reserve is refused for anything but an event"},
			{"ignored", "it is ignored"},
		}},
		{Name: ReserveState, Options: []Option{
			{"any", "reservePlacesForInterests holds places on an event that was cancelled since or is a draft again, too"},
			{"published", "it is refused"},
		}},
		{Name: ReserveOverbooked, Options: []Option{
			{"held", "places are held even if the event has too few: remainingPlaces is negative then"},
			{"refused", "it is refused"},
			{"nothing", "nothing is held, and nothing says so"},
		}},
		{Name: ReserveDuration, Options: []Option{
			{"open", "a hold lasts until the first extension sets its expiry"},
			{"week", "it has an expiry by itself, in seven days"},
		}},
		{Name: ReserveExpired, Options: []Option{
			{"silent", "an opportunity whose holds have expired holds nothing more: reserving is answered without an error (seen)"},
			{"refused", "it is refused"},
		}},
		{Name: ReservationNone, Options: []Option{
			{"false", "isReservationValid is false for an opportunity that never held a place"},
			{"true", "it is true"},
		}},
		{Name: ExtendResponse, Options: []Option{
			{"opportunity", "extendReservations answers errors and opportunity"},
			{"errors", "its opportunity is null"},
		}},
		{Name: RegistrationOverbooked, Options: []Option{
			{"booked", "learners are registered even if the event has too few places"},
			{"refused", "it is refused"},
		}},
		{Name: EventDisplayID, Options: []Option{
			{"number", "displayId of an event is its number, as in legacyId"},
			{"code", "it is the event's code"},
		}},
		{Name: EventStartDate, Options: []Option{
			{"date", "startDate of an event is a date without a time"},
			{"time", "it is written like start"},
		}},
		{Name: EventPrice, Options: []Option{
			{"amount", "price of an event is the amount of its defaultPrice"},
			{Absent, "there is defaultPrice only"},
		}},
		{Name: EventSearch, Options: []Option{
			{"there", "the filters textSearch and eventOrCourseCodeOrTitle look through code and title of the event and of its course template"},
			{Absent, "there are no such filters"},
		}},
		{Name: EventUpdated, Options: []Option{
			{"update", "updatedAt of an event is the time of the last event.update; who is registered does not change it"},
			{"registration", "registering learners changes it, too; cancelling one does not (seen)"},
		}},
		{Name: LearnerReactivate, Options: []Option{
			{"refused", "learner.reactivate is refused on an event that was cancelled or is a draft"},
			{"taken", "it takes a place there, too"},
		}},
		{Name: RegistrationOrderDate, Options: []Option{
			{"given", "orderDate of a registration is the one given with registerContacts, taken for UTC, else the time of registering"},
			{"now", "it is the time of registering"},
		}},
		{Name: RegistrationReservation, Options: []Option{
			{"consumed", "the places that an interest holds become the booked ones of its registration"},
			{"kept", "they stay held beside it until they expire, so that they count twice"},
		}},
	}
}
