package assumptions

const (
	// ReserveKind says what happens to a reservation of an item other than an event.
	ReserveKind Name = "reserve.kind"
	// ReserveState says whether reservePlacesForInterests can reserve places on a cancelled event
	// or a draft event.
	ReserveState Name = "reserve.state"
	// ReserveOverbooked says what happens to a reservation of more places than the event has free.
	ReserveOverbooked Name = "reserve.short"
	// ReserveDuration says how long places stay reserved if no client sets an expiry time.
	ReserveDuration Name = "reserve.length"
	// ReserveExpired says what happens to a new reservation for an opportunity whose earlier
	// reservations have expired.
	ReserveExpired Name = "reserve.lapsed"
	// ReservationNone says which value isReservationValid has for an opportunity that never
	// reserved a place.
	ReservationNone Name = "isReservationValid.none"
	// ExtendResponse says what extendReservations returns.
	ExtendResponse Name = "extend.response"
	// RegistrationOverbooked says what happens to a registration of more places than the event has
	// free.
	RegistrationOverbooked Name = "registration.short"
	// EventDisplayID says whether the displayId of an event is the event's number or the event's
	// code.
	EventDisplayID Name = "event.displayId"
	// EventStartDate says whether the startDate of an event contains a time.
	EventStartDate Name = "event.startDate"
	// EventPrice says whether an event has the field price in addition to the field defaultPrice.
	EventPrice Name = "event.price"
	// EventSearch says whether filters can search events for words of a text.
	EventSearch Name = "event.search"
	// EventUpdated says which mutations change the updatedAt of an event.
	EventUpdated Name = "event.touched"
	// LearnerReactivate says whether learner.reactivate can book a place on a cancelled event or a
	// draft event.
	LearnerReactivate Name = "learner.reactivate"
	// RegistrationOrderDate says which time is the orderDate of a registration.
	RegistrationOrderDate Name = "registration.orderDate"
	// RegistrationReservation says what happens to the reserved places of an interest when a
	// trigger registers the learners of the interest.
	RegistrationReservation Name = "registration.hold"
)

func reservations() []Assumption {
	return []Assumption{
		{Name: ReserveKind, Options: []Option{
			{"refused", "an interest that requests a reservation (reserve) is refused if the item of the interest is not an event"},
			{"ignored", "the member reserve of an interest is ignored if the item of the interest is not an event"},
		}},
		{Name: ReserveState, Options: []Option{
			{"any", "reservePlacesForInterests also reserves places on an event that was cancelled or is a draft"},
			{"published", "reservePlacesForInterests is refused for an event that was cancelled or is a draft"},
		}},
		{Name: ReserveOverbooked, Options: []Option{
			{"held", "places are reserved even if the event has too few places; remainingPlaces of such an event is negative"},
			{"refused", "a reservation is refused if the event has too few places"},
			{"nothing", "if the event has too few places, no places are reserved and no error is returned"},
		}},
		{Name: ReserveDuration, Options: []Option{
			{"open", "a reservation has no expiry time until the first extension sets an expiry time"},
			{"week", "a reservation expires after seven days unless it is extended"},
		}},
		{Name: ReserveExpired, Options: []Option{
			{"silent", "after the reservations of an opportunity expired, a new reservation reserves no places and returns no error (observed)"},
			{"refused", "after the reservations of an opportunity expired, a new reservation is refused"},
		}},
		{Name: ReservationNone, Options: []Option{
			{"false", "isReservationValid is false for an opportunity that never reserved a place"},
			{"true", "isReservationValid is true for an opportunity that never reserved a place"},
		}},
		{Name: ExtendResponse, Options: []Option{
			{"opportunity", "extendReservations returns the fields errors and opportunity"},
			{"errors", "extendReservations returns the field errors, and the field opportunity is null"},
		}},
		{Name: RegistrationOverbooked, Options: []Option{
			{"booked", "learners are registered even if the event has too few places"},
			{"refused", "a registration is refused if the event has too few places"},
		}},
		{Name: EventDisplayID, Options: []Option{
			{"number", "displayId of an event is the event's number, like legacyId"},
			{"code", "displayId of an event is the event's code"},
		}},
		{Name: EventStartDate, Options: []Option{
			{"date", "startDate of an event is a date without a time"},
			{"time", "startDate of an event is a date with a time, like the field start"},
		}},
		{Name: EventPrice, Options: []Option{
			{"amount", "the field price of an event is the amount of the event's defaultPrice"},
			{Absent, "an event has the field defaultPrice but no field price"},
		}},
		{Name: EventSearch, Options: []Option{
			{"there", "the filters textSearch and eventOrCourseCodeOrTitle search code and title of the event and of its course template"},
			{Absent, "the filters textSearch and eventOrCourseCodeOrTitle do not exist"},
		}},
		{Name: EventUpdated, Options: []Option{
			{"update", "updatedAt of an event is the time of the last event.update; registrations do not change updatedAt"},
			{"registration", "updatedAt of an event changes at each event.update and when learners are registered, but not when a learner is cancelled (observed)"},
		}},
		{Name: LearnerReactivate, Options: []Option{
			{"refused", "learner.reactivate is refused on an event that was cancelled or is a draft"},
			{"taken", "learner.reactivate books a place even on an event that was cancelled or is a draft"},
		}},
		{Name: RegistrationOrderDate, Options: []Option{
			{"given", "orderDate of a registration is the orderDate in the input of registerContacts, read as UTC; without orderDate in the input, orderDate is the time of registration"},
			{"now", "orderDate of a registration is always the time of registration"},
		}},
		{Name: RegistrationReservation, Options: []Option{
			{"consumed", "the reserved places of an interest become booked places of the registration"},
			{"kept", "the reserved places of an interest stay reserved until the reservation expires, in addition to the booked places, so the places count twice"},
		}},
	}
}
