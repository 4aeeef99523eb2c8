package administrate

import (
	"context"
	"time"

	"github.com/shopspring/decimal"
)

// SideEffectOperations returns the operations that only side effects of transitions and
// follow-ups need. A batch has one entry, because each list of a fakeResponse also has one
// entry.
func SideEffectOperations() []SampleOperation {
	price := &Price{Amount: decimal.RequireFromString("199.90"), Currency: "USD"}
	var all []SampleOperation
	add := func(name string, input any, do func(ctx context.Context, c *Client) error) {
		all = append(all, SampleOperation{Name: name, Input: input, Do: do})
	}

	add("read what an opportunity is tied to", nil, func(ctx context.Context, c *Client) error {
		_, err := c.OpportunityLinks(ctx, "id")
		return err
	})
	for _, m := range []struct {
		name     string
		mutation Mutation
	}{
		{"update the owner", UpdateOpportunity{ID: "id", OwnerID: "id"}},
		{"update the contact", UpdateOpportunity{ID: "id", ContactID: "id"}},
		{"take the account away", UpdateOpportunity{ID: "id", NoAccount: true}},
		{"reserve places", ReservePlaces{InterestIDs: []string{"id"}}},
	} {
		add(m.name, m.mutation, func(ctx context.Context, c *Client) error {
			answers, err := c.Apply(ctx, []Mutation{m.mutation})
			if err == nil {
				err = answers[0].Err
			}
			return err
		})
	}
	hold := Reserve{OpportunityID: "id", InterestIDs: []string{"id"}, Until: time.Unix(0, 0).UTC()}
	add("hold places", hold, func(ctx context.Context, c *Client) error {
		held, err := c.Reserve(ctx, hold)
		for _, each := range []error{held.Reserve, held.Extend} {
			if err == nil {
				err = each
			}
		}
		return err
	})

	add("read an account", nil, func(ctx context.Context, c *Client) error {
		_, err := c.Account(ctx, "id")
		return err
	})
	add("find accounts by name", nil, func(ctx context.Context, c *Client) error {
		_, err := c.AccountsByName(ctx, "name")
		return err
	})
	for _, n := range []struct {
		name    string
		account NewAccount
	}{
		{"create an account", NewAccount{Name: "name"}},
		{"create an account with an e-mail", NewAccount{Name: "name", Email: "e@example.com"}},
	} {
		add(n.name, n.account, func(ctx context.Context, c *Client) error {
			_, err := c.CreateAccount(ctx, n.account)
			return err
		})
	}
	add("read a contact", nil, func(ctx context.Context, c *Client) error {
		_, err := c.Contact(ctx, "id")
		return err
	})
	add("find contacts by e-mail", nil, func(ctx context.Context, c *Client) error {
		_, err := c.ContactsByEmail(ctx, "e@example.com")
		return err
	})
	emails := []string{"e@example.com"}
	add("find contacts by several e-mails", emails, func(ctx context.Context, c *Client) error {
		_, err := c.ContactsByEmails(ctx, emails, "")
		return err
	})
	add("find more contacts by several e-mails", nil, func(ctx context.Context, c *Client) error {
		_, err := c.ContactsByEmails(ctx, emails, "cursor")
		return err
	})
	for _, n := range []struct {
		name     string
		contacts []NewContact
	}{
		{"create a contact", []NewContact{{FirstName: "first", LastName: "last"}}},
		{"create a contact of an account", []NewContact{{FirstName: "first", LastName: "last", AccountID: "id"}}},
		{"create a contact with an e-mail", []NewContact{{FirstName: "first", LastName: "last", Email: "e@example.com"}}},
	} {
		add(n.name, n.contacts, func(ctx context.Context, c *Client) error {
			answers, err := c.CreateContacts(ctx, n.contacts)
			if err == nil {
				err = answers[0].Err
			}
			return err
		})
	}

	add("read an event", nil, func(ctx context.Context, c *Client) error {
		_, err := c.Event(ctx, "id")
		return err
	})
	events := []string{"id"}
	add("read events", events, func(ctx context.Context, c *Client) error {
		_, err := c.Events(ctx, events)
		return err
	})
	add("read the registrations on an event", nil, func(ctx context.Context, c *Client) error {
		_, err := c.EventRegistrations(ctx, "id", "")
		return err
	})
	add("read more registrations on an event", nil, func(ctx context.Context, c *Client) error {
		_, err := c.EventRegistrations(ctx, "id", "cursor")
		return err
	})

	add("check whether a contact is registered on an event", nil, func(ctx context.Context, c *Client) error {
		_, err := c.Enrolment(ctx, "id", "id")
		return err
	})
	for _, r := range []struct {
		name     string
		register RegisterContacts
	}{
		{"register contacts", RegisterContacts{EventID: "id", ContactIDs: []string{"id"}}},
		{"register contacts with notes", RegisterContacts{EventID: "id", ContactIDs: []string{"id"}, Notes: "notes"}},
		{"register contacts at a price", RegisterContacts{EventID: "id", ContactIDs: []string{"id"}, Price: price}},
	} {
		add(r.name, r.register, func(ctx context.Context, c *Client) error {
			_, err := c.RegisterContacts(ctx, r.register)
			return err
		})
	}
	add("cancel a learner", nil, func(ctx context.Context, c *Client) error { return c.CancelLearner(ctx, "id") })
	add("reactivate a learner", nil, func(ctx context.Context, c *Client) error { return c.ReactivateLearner(ctx, "id") })
	people := []string{"id"}
	add("list which contacts are registered on an event", people, func(ctx context.Context, c *Client) error {
		_, err := c.Enrolments(ctx, "id", people, "")
		return err
	})
	add("list which more contacts are registered on an event", nil, func(ctx context.Context, c *Client) error {
		_, err := c.Enrolments(ctx, "id", people, "cursor")
		return err
	})

	add("read what an opportunity is billed by", nil, func(ctx context.Context, c *Client) error {
		_, err := c.Billing(ctx, "id")
		return err
	})
	add("read an opportunity with the time of its last change", nil, func(ctx context.Context, c *Client) error {
		_, err := c.OpportunityWithUpdatedAt(ctx, "id")
		return err
	})
	whole := Search{Full: true}
	add("search whole rows", whole, func(ctx context.Context, c *Client) error {
		_, err := c.Opportunities(ctx, whole)
		return err
	})
	add("read which tokens were issued", nil, func(ctx context.Context, c *Client) error {
		_, err := c.TokenIssues(ctx, "id")
		return err
	})

	for _, u := range []struct {
		name   string
		update UpdateInvoice
	}{
		{"update the comments of an invoice", UpdateInvoice{ID: "id", Comments: "comments"}},
		{"update the reference of an invoice", UpdateInvoice{ID: "id", PurchaseOrderRef: "reference"}},
		{"empty the texts of an invoice", UpdateInvoice{ID: "id", NoComments: true, NoPurchaseOrderRef: true}},
	} {
		add(u.name, u.update, func(ctx context.Context, c *Client) error {
			_, err := c.UpdateInvoice(ctx, u.update)
			return err
		})
	}
	add("finalise an invoice", nil, func(ctx context.Context, c *Client) error {
		_, err := c.FinaliseInvoice(ctx, "id")
		return err
	})

	for _, e := range []struct {
		name string
		mail Email
	}{
		{"send a mail", Email{ContactID: "id", Subject: "subject", Body: "body", SendingAddressID: "id"}},
		{"send a mail with copies", Email{ContactID: "id", Subject: "subject", Body: "body", SendingAddressID: "id", CC: []string{"e@example.com"}}},
	} {
		add(e.name, e.mail, func(ctx context.Context, c *Client) error { return c.SendEmail(ctx, e.mail) })
	}
	add("read sending addresses", nil, func(ctx context.Context, c *Client) error {
		_, err := c.SendingAddresses(ctx, "")
		return err
	})
	add("read more sending addresses", nil, func(ctx context.Context, c *Client) error {
		_, err := c.SendingAddresses(ctx, "cursor")
		return err
	})
	for _, l := range []struct {
		name  string
		entry LogEntry
	}{
		{"log a success", LogEntry{Origin: "origin", NodeID: "id", Message: "message", Status: LogSuccess}},
		{"log a failure", LogEntry{Origin: "origin", NodeID: "id", Message: "message", Status: LogFailed, Payload: "{}"}},
		{"log a part of a success", LogEntry{Origin: "origin", NodeID: "id", Message: "message", Status: LogPartial, Category: "category", Subcategory: "part"}},
	} {
		add(l.name, l.entry, func(ctx context.Context, c *Client) error { return c.WriteLog(ctx, l.entry) })
	}
	add("read users", nil, func(ctx context.Context, c *Client) error {
		_, err := c.Users(ctx, "")
		return err
	})
	add("read more users", nil, func(ctx context.Context, c *Client) error {
		_, err := c.Users(ctx, "cursor")
		return err
	})
	return all
}
