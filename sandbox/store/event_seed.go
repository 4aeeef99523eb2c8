package store

import (
	"cmp"
	"context"

	"github.com/oppflow/oppflow/sandbox/catalogue"
)

func (w *seeder) event(ctx context.Context, r catalogue.Event) {
	e := Event{Start: optionalText(r.Start), End: optionalText(r.End), TimeZoneName: optionalText(r.TimeZone)}
	var price any
	if r.Price != "" && w.err == nil {
		price, w.err = parseAmount(r.Price)
	}
	w.exec(ctx, `INSERT INTO events (id, course_template_id, region_id, code, title, lifecycle_state, starts_at, ends_at, time_zone_name, starts, ends,
			max_places, booked_places, type, learning_mode, min_places, registration_deadline, price, currency_code, created_at, updated_at,
			booking_account_id, internal_notes)
		VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17, ?18,
			coalesce(?19, (SELECT currency_code FROM regions WHERE id = ?3)), ?20, ?20, ?21, ?22)
		ON CONFLICT DO UPDATE SET course_template_id = excluded.course_template_id, region_id = excluded.region_id,
			code = excluded.code, booked_places = excluded.booked_places, type = excluded.type, learning_mode = excluded.learning_mode,
			min_places = excluded.min_places, registration_deadline = excluded.registration_deadline, price = excluded.price,
			currency_code = excluded.currency_code, created_at = coalesce(events.created_at, excluded.created_at),
			updated_at = coalesce(events.updated_at, excluded.updated_at), booking_account_id = excluded.booking_account_id,
			internal_notes = excluded.internal_notes`,
		r.ID, nullIfZero(r.Template), nullIfZero(r.Region), r.Code, r.Title, r.State, e.Start, e.End, e.TimeZoneName, micros(e.TimeZonedStart()), micros(e.TimeZonedEnd()),
		r.MaxPlaces, r.BookedPlaces, cmp.Or(r.Type, "public"), cmp.Or(r.LearningMode, "classroom"), r.MinPlaces, nullIfZero(r.RegistrationDeadline), price,
		nullIfZero(r.Currency), w.now, nullIfZero(r.Account), nullIfZero(r.Notes))
	w.exec(ctx, `UPDATE events SET title = ?, lifecycle_state = ?, max_places = ?, starts_at = ?, ends_at = ?, time_zone_name = ?, starts = ?, ends = ?
		WHERE id = ? AND NOT changed`, r.Title, r.State, r.MaxPlaces, e.Start, e.End, e.TimeZoneName, micros(e.TimeZonedStart()), micros(e.TimeZonedEnd()), r.ID)
}

func optionalText(s string) *string {
	if s == "" {
		return nil
	}
	return &s
}
