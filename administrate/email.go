package administrate

import (
	"context"
	"fmt"
)

// SendingAddress is an address that the tenant sends mail from.
type SendingAddress struct {
	ID       string
	Name     string
	Address  string
	Verified bool // mail can be sent only from a verified address (observed, 5.6)
}

// SendingAddressPage is a part of a tenant's sending addresses.
type SendingAddressPage struct {
	Addresses []SendingAddress
	Count     int    // of all addresses, verified or not
	More      string // the cursor of the next page, empty on the last one
}

// SendingAddresses reads up to 100 of them (observed, 5.6) after a cursor, and without a
// cursor from the beginning. A filter for verified addresses was never observed.
func (c *Client) SendingAddresses(ctx context.Context, after string) (SendingAddressPage, error) {
	b := newBuilder(&c.assumed)
	page, err := find(ctx, c, b, "SendingAddresses", "sendingEmailAddresses", b.page(after), "id name address verified",
		sendingAddressAnswer.sendingAddress)
	return SendingAddressPage{Addresses: page.rows, Count: page.count, More: page.more}, err
}

type sendingAddressAnswer struct {
	ID       string `json:"id"`
	Name     string `json:"name"`
	Address  string `json:"address"`
	Verified bool   `json:"verified"`
}

func (s sendingAddressAnswer) sendingAddress() (SendingAddress, error) {
	return SendingAddress(s), identified(s.ID)
}

// Email is a mail to one contact. Its members are observed (5.6).
type Email struct {
	ContactID        string
	Subject          string
	Body             string // HTML (observed)
	SendingAddressID string
	CC               []string // addresses; optional
}

// SendEmail sends a mail. The API does not show sent mails, so reading cannot decide a
// mail of unknown fate.
func (c *Client) SendEmail(ctx context.Context, e Email) error {
	r, err := c.run(ctx, "SendEmail", e.build)
	if err != nil {
		return err
	}
	var payload struct{}
	return r.payload(&payload)
}

func (e Email) build(b *builder) errand {
	in := map[string]any{
		"contactId":        b.needed("ContactID", e.ContactID),
		"subject":          b.needed("Subject", e.Subject),
		"body":             b.needed("Body", e.Body),
		"sendingAddressId": b.needed("SendingAddressID", e.SendingAddressID),
	}
	if len(e.CC) > 0 {
		copies := make([]any, len(e.CC))
		for i, address := range e.CC {
			copies[i] = b.needed(fmt.Sprintf("CC[%d]", i), address)
		}
		in["ccList"] = copies
	}
	return errand{
		namespace: "contactAdhocEmails", field: "sendContactAdhocEmail",
		arguments: "input: " + b.whole("ContactAdhocEmailInput", in), // the type is observed
	}
}
