package administrate

import (
	"context"
)

// Account is an organisation. The fields of Account are documented and observed (API notes 5.1).
type Account struct {
	ID         string
	Name       string
	Email      string // empty when there is none
	Individual bool
	OwnerID    string // the id of a User; empty when the account has no owner
}

// AccountPage contains the accounts that match. A tenant can have two accounts with the same name
// (documented, API notes 5.1).
type AccountPage struct {
	Accounts []Account // the first 100
	Count    int       // the number of all matching accounts
}

const selectAccount = "id name emailAddress isIndividual owner { id }"

// Account reads one account, and fails with NotFoundError when no account has the given id.
func (c *Client) Account(ctx context.Context, id string) (Account, error) {
	return findOne(ctx, c, newBuilder(&c.assumed), "Account", "accounts", "account", id, selectAccount, accountDTO.account)
}

// AccountsByName finds accounts by their name. The API compares the names with the operation eq
// (observed, API notes 5.1). Whether the API distinguishes upper and lower case in this comparison
// depends on the tenant's database.
func (c *Client) AccountsByName(ctx context.Context, accountName string) (AccountPage, error) {
	const name = "AccountsByName"
	b := newBuilder(&c.assumed)
	b.location = name
	arguments := "filters: [{field: name, operation: eq, value: " + b.bindRequired("name", "text", "String", accountName) + "}], first: 100"
	page, err := findRows(ctx, c, b, name, "accounts", arguments, selectAccount, accountDTO.account)
	return AccountPage{Accounts: page.rows, Count: page.count}, err
}

// AccountOwner reads the id, first name and contact of the user who owns an account (observed, API
// notes 5.1 and 5.6). AccountOwner returns nil when the account has no owner, and fails with
// NotFoundError when no account has the id accountID.
func (c *Client) AccountOwner(ctx context.Context, accountID string) (*User, error) {
	owned, err := findOne(ctx, c, newBuilder(&c.assumed), "AccountOwner", "accounts", "account", accountID,
		"id owner { id firstName contact { id } }", ownedDTO.owned)
	return owned.owner, err
}

type owned struct{ owner *User }

type ownedDTO struct {
	ID    string   `json:"id"`
	Owner *userDTO `json:"owner"`
}

func (o ownedDTO) owned() (owned, error) {
	owner, err := o.Owner.owner()
	if err != nil {
		return owned{}, err
	}
	return owned{owner}, requireID(o.ID)
}

// NewAccount describes an account to create.
type NewAccount struct {
	Name  string // documented (API notes 5.1)
	Email string // optional (assumed: see Assumptions.CreateAccountEmail)
}

// CreateAccount creates an account (documented, API notes 5.1) and returns the new account.
func (c *Client) CreateAccount(ctx context.Context, n NewAccount) (Account, error) {
	r, err := c.sendStandalone(ctx, "CreateAccount", n.build)
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
		return Account{}, r.outcomeUnknown("the response contains neither errors nor the account")
	}
	a, err := payload.Account.account()
	if err != nil {
		return Account{}, r.outcomeUnknown("the response does not have the expected form")
	}
	return a, nil
}

func (n NewAccount) build(b *builder) standaloneMutation {
	var in object
	in.set("name", b.bindRequired("Name", "name", "String", n.Name))
	if n.Email != "" {
		if b.assumed.CreateAccountEmail == Off {
			b.invalid("Email", "an account cannot be created with an e-mail address, because the assumption CreateAccountEmail is switched off")
		}
		in.set(string(b.assumed.CreateAccountEmail), b.bindText("Email", "email", "String", n.Email))
	}
	return standaloneMutation{
		namespace: "account", field: "create", arguments: "input: " + in.String(), selection: "account { " + selectAccount + " }",
	}
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
