package assumptions

// These assumptions are about reservations, registrations and events.
const (
	ReserveKind             Name = "reserve.kind"
	ReserveState            Name = "reserve.state"
	ReserveOverbooked       Name = "reserve.short"
	ReserveDuration         Name = "reserve.length"
	ReserveExpired          Name = "reserve.lapsed"
	ReservationNone         Name = "isReservationValid.none"
	ExtendResponse          Name = "extend.response"
	RegistrationOverbooked  Name = "registration.short"
	EventDisplayID          Name = "event.displayId"
	EventStartDate          Name = "event.startDate"
	EventPrice              Name = "event.price"
	EventSearch             Name = "event.search"
	EventUpdated            Name = "event.touched"
	LearnerReactivate       Name = "learner.reactivate"
	RegistrationOrderDate   Name = "registration.orderDate"
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
