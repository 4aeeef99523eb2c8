package administrate

import (
	"context"
)

// Account is an organisation, or with Individual one person's own account.
// Its fields are documented and observed (5.1).
type Account struct {
	ID         string
	Name       string
	Email      string // empty when there is none
	Individual bool
	OwnerID    string // of a User; empty when there is none
}

// AccountPage contains the matching accounts: none, one or several. A tenant can have an
// account twice (documented, 5.1).
type AccountPage struct {
	Accounts []Account // the first 100
	Count    int       // of all that match
}

const (
	selectAccount     = "id name emailAddress isIndividual owner { id }"
	recordKindAccount = "account"
)

// Account reads one account, and fails with NotFoundError when no account has that id.
func (c *Client) Account(ctx context.Context, id string) (Account, error) {
	return findOne(ctx, c, newBuilder(&c.assumed), "Account", "accounts", recordKindAccount, id, selectAccount, accountDTO.account)
}

// AccountsByName finds accounts by their name. The API compares the names (operation eq,
// observed, 5.1), so whether case matters depends on the tenant's database.
func (c *Client) AccountsByName(ctx context.Context, name string) (AccountPage, error) {
	return c.accounts(ctx, "AccountsByName", "name", name)
}

// AccountsByEmail finds accounts by their e-mail address (observed, 5.1), like
// AccountsByName.
func (c *Client) AccountsByEmail(ctx context.Context, email string) (AccountPage, error) {
	return c.accounts(ctx, "AccountsByEmail", "emailAddress", email)
}

func (c *Client) accounts(ctx context.Context, name, field, text string) (AccountPage, error) {
	b := newBuilder(&c.assumed)
	b.location = name
	arguments := "filters: [{field: " + field + ", operation: eq, value: " + b.bindRequired(field, "text", "String", text) + "}], first: 100"
	page, err := findRows(ctx, c, b, name, "accounts", arguments, selectAccount, accountDTO.account)
	return AccountPage{Accounts: page.rows, Count: page.count}, err
}

// NewAccount describes an account to create.
type NewAccount struct {
	Name  string // documented (5.1)
	Email string // optional (assumed: see Assumptions.CreateAccountEmail)
}

// CreateAccount creates an account (documented, 5.1) and returns the new account.
func (c *Client) CreateAccount(ctx context.Context, n NewAccount) (Account, error) {
	return c.changeAccount(ctx, "CreateAccount", n.build)
}

func (n NewAccount) build(b *builder) standaloneMutation {
	var in object
	in.set("name", b.bindRequired("Name", "name", "String", n.Name))
	if n.Email != "" {
		if b.assumed.CreateAccountEmail == Off {
			b.invalid("Email", "cannot be given: the assumption CreateAccountEmail is switched off")
		}
		in.set(string(b.assumed.CreateAccountEmail), b.bindText("Email", "email", "String", n.Email))
	}
	return standaloneMutation{namespace: "account", field: "create", arguments: "input: " + in.String()}
}

// UpdateAccount changes the members that are not empty.
type UpdateAccount struct {
	ID    string
	Name  string // assumed: see Assumptions.UpdateAccountName
	Email string // documented (5.1)
	// Addresses, if there are any, replace all addresses of the account (observed, 5.1). To
	// keep an address, include it; Addresses need the assumption UpdateAccountInput.
	Addresses []Address
}

// UpdateAccount changes an account and returns the changed account.
func (c *Client) UpdateAccount(ctx context.Context, u UpdateAccount) (Account, error) {
	return c.changeAccount(ctx, "UpdateAccount", u.build)
}

func (u UpdateAccount) build(b *builder) standaloneMutation {
	if u.Name == "" && u.Email == "" && len(u.Addresses) == 0 {
		b.invalid("ID", "is all there is; give at least one member to change")
	}
	if u.Name != "" && b.assumed.UpdateAccountName == Off {
		b.invalid("Name", "cannot be changed: the assumption UpdateAccountName is switched off")
	}
	e := standaloneMutation{namespace: "account", field: "update"}
	if len(u.Addresses) > 0 {
		e.arguments = "input: " + u.withAddresses(b)
		return e
	}
	var in object
	in.set("accountId", b.bindRequired("ID", "accountId", "ID", u.ID))
	if u.Name != "" {
		in.set(string(b.assumed.UpdateAccountName), b.bindText("Name", "name", "String", u.Name))
	}
	if u.Email != "" {
		in.set("emailAddress", b.bindText("Email", "email", "String", u.Email))
	}
	e.arguments = "input: " + in.String()
	return e
}

// withAddresses binds the whole input as one variable, because the usage of an address is an
// enum (observed) and the name of the enum is not known.
func (u UpdateAccount) withAddresses(b *builder) string {
	if b.assumed.UpdateAccountInput == Off {
		b.invalid("Addresses", "cannot be changed: the assumption UpdateAccountInput is switched off")
		return "{}"
	}
	addresses := make([]any, len(u.Addresses))
	for i, a := range u.Addresses {
		addresses[i] = a.write(b, i)
	}
	in := map[string]any{"accountId": b.requiredText("ID", u.ID), "postalAddresses": addresses}
	if u.Name != "" {
		in[string(b.assumed.UpdateAccountName)] = b.utf8Text("Name", u.Name)
	}
	if u.Email != "" {
		in["emailAddress"] = b.utf8Text("Email", u.Email)
	}
	return b.bindObject(string(b.assumed.UpdateAccountInput), in)
}

func (c *Client) changeAccount(ctx context.Context, name string, build func(*builder) standaloneMutation) (Account, error) {
	r, err := c.sendStandalone(ctx, name, func(b *builder) standaloneMutation {
		e := build(b)
		e.selection = "account { " + selectAccount + " }"
		return e
	})
	if err != nil {
		return Account{}, err
	}
	var payload struct {
		Account *accountDTO `json:"account"`
	}
	if err := r.decodePayload(&payload); err != nil {
		return Account{}, err
	}
	if payload.Account == nil {
		return Account{}, r.outcomeUnknown("the answer has neither errors nor the account")
	}
	a, err := payload.Account.account()
	if err != nil {
		return Account{}, r.outcomeUnknown("the answer is not of the expected form")
	}
	return a, nil
}

type accountDTO struct {
	ID           string `json:"id"`
	Name         string `json:"name"`
	EmailAddress string `json:"emailAddress"`
	IsIndividual bool   `json:"isIndividual"`
	Owner        *idRef `json:"owner"`
}

func (a accountDTO) account() (Account, error) {
	out := Account{ID: a.ID, Name: a.Name, Email: a.EmailAddress, Individual: a.IsIndividual, OwnerID: a.Owner.id()}
	return out, requireID(a.ID)
}
