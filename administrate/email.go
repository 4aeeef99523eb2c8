package administrate

import (
	"context"
	"fmt"
)

// SendingAddress is an e-mail address from which the tenant sends mail.
type SendingAddress struct {
	ID       string
	Name     string
	Address  string
	Verified bool // mail can be sent only from a verified address (observed, API notes 5.6)
}

// SendingAddressPage is one page of a tenant's sending addresses.
type SendingAddressPage struct {
	Addresses  []SendingAddress
	Count      int    // the number of all addresses, verified or not
	NextCursor string // the cursor of the next page, empty on the last one
}

// SendingAddresses reads up to 100 sending addresses after a cursor (observed, API notes 5.6). An
// empty cursor selects the first page. No filter for verified addresses was observed.
func (c *Client) SendingAddresses(ctx context.Context, after string) (SendingAddressPage, error) {
	b := newBuilder(&c.assumed)
	page, err := findRows(ctx, c, b, "SendingAddresses", "sendingEmailAddresses", b.pageArguments(after), "id name address verified",
		sendingAddressDTO.sendingAddress)
	return SendingAddressPage{Addresses: page.rows, Count: page.count, NextCursor: page.nextCursor}, err
}

type sendingAddressDTO struct {
	ID       string `json:"id"`
	Name     string `json:"name"`
	Address  string `json:"address"`
	Verified bool   `json:"verified"`
}

func (s sendingAddressDTO) sendingAddress() (SendingAddress, error) {
	return SendingAddress(s), requireID(s.ID)
}

// Email is a mail to one contact. The members of Email are observed (API notes 5.6).
type Email struct {
	ContactID        string
	Subject          string
	Body             string // the body of the mail as HTML (observed)
	SendingAddressID string
	CC               []string // e-mail addresses that get a copy; optional
}

// SendEmail sends a mail. The API has no query for sent mails, so a caller cannot find out later
// whether a mail was sent.
func (c *Client) SendEmail(ctx context.Context, e Email) error {
	r, err := c.sendStandalone(ctx, "SendEmail", e.build)
	if err != nil {
		return err
	}
	var payload struct{}
	return r.decodePayload(&payload)
}

func (e Email) build(b *builder) standaloneMutation {
	in := map[string]any{
		"contactId":        b.requiredText("ContactID", e.ContactID),
		"subject":          b.requiredText("Subject", e.Subject),
		"body":             b.requiredText("Body", e.Body),
		"sendingAddressId": b.requiredText("SendingAddressID", e.SendingAddressID),
	}
	if len(e.CC) > 0 {
		copies := make([]any, len(e.CC))
		for i, address := range e.CC {
			copies[i] = b.requiredText(fmt.Sprintf("CC[%d]", i), address)
		}
		in["ccList"] = copies
	}
	return standaloneMutation{
		namespace: "contactAdhocEmails", field: "sendContactAdhocEmail",
		arguments: "input: " + b.bindObject("ContactAdhocEmailInput", in), // the type ContactAdhocEmailInput is observed
	}
}

// BulkEmail is a mail to 1 to MaxEntries contacts; each contact gets one mail. The members of
// BulkEmail and their types are observed (API notes 5.6).
type BulkEmail struct {
	ContactIDs       []string
	Subject          string
	Body             string // the body of the mail as HTML (observed)
	SendingAddressID string
}

// SendBulkEmail sends a mail to each contact in one API request.
func (c *Client) SendBulkEmail(ctx context.Context, e BulkEmail) error {
	r, err := c.sendStandalone(ctx, "SendBulkEmail", e.build)
	if err != nil {
		return err
	}
	var payload struct{}
	return r.decodePayload(&payload)
}

func (e BulkEmail) build(b *builder) standaloneMutation {
	b.checkEntryCount("ContactIDs", len(e.ContactIDs))
	for i, id := range e.ContactIDs {
		b.requiredText(fmt.Sprintf("ContactIDs[%d]", i), id)
	}
	var in object
	in.set("contactIds", b.bind("contactIds", "[String]", e.ContactIDs))
	in.set("subject", b.bindRequired("Subject", "subject", "String", e.Subject))
	in.set("body", b.bindRequired("Body", "body", "String", e.Body))
	in.set("sendingAddressId", b.bindRequired("SendingAddressID", "sendingAddressId", "ID", e.SendingAddressID))
	return standaloneMutation{namespace: "bulkAdhocEmails", field: "sendBulkContactAdhocEmail", arguments: "input: " + in.String()}
}
