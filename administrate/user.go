package administrate

import (
	"context"
)

// User is a person who works with the TMS. The TMS sends a user's mail to the user's contact, so a
// user without a contact cannot receive mail (observed, API notes 5.6).
type User struct {
	ID        string
	FullName  string // set only by Client.Users
	FirstName string // set only in the owner of an opportunity or an account
	ContactID string // the id of the user's contact; empty when the user has no contact
}

// UserPage is one page of the tenant's users.
type UserPage struct {
	Users      []User
	Count      int    // the number of all users
	NextCursor string // the cursor of the next page, empty on the last one
}

// Users reads one page of up to 100 users (observed, API notes 5.5). The page follows the cursor
// after; an empty cursor selects the first page. Users always lists all users, because no filter
// for users was observed.
func (c *Client) Users(ctx context.Context, after string) (UserPage, error) {
	b := newBuilder(&c.assumed)
	page, err := findRows(ctx, c, b, "Users", "users", b.pageArguments(after), "id fullName contact { id }", userDTO.user)
	return UserPage{Users: page.rows, Count: page.count, NextCursor: page.nextCursor}, err
}

type userDTO struct {
	ID        string `json:"id"`
	FullName  string `json:"fullName"`
	FirstName string `json:"firstName"`
	Contact   *idRef `json:"contact"`
}

func (u userDTO) user() (User, error) {
	return User{ID: u.ID, FullName: u.FullName, FirstName: u.FirstName, ContactID: u.Contact.id()}, requireID(u.ID)
}

func (u *userDTO) owner() (*User, error) {
	if u == nil {
		return nil, nil //nolint:nilnil // a record need not have an owner
	}
	owner, err := u.user()
	return &owner, err
}
