package administrate

import (
	"context"
	"time"

	"github.com/shopspring/decimal"
)

// SideEffectOperations returns the sample operations that only the effects and the follow-ups of a
// playbook need. Each list in a sample mutation has one entry, because the responses that package
// schemacheck invents have one entry in each list.
func SideEffectOperations() []SampleOperation {
	var s samples
	s.useLinks()
	s.useAccounts()
	s.useContacts()
	s.useEvents()
	s.useLearners()
	s.useInvoices()
	s.useMail()
	s.useLog()
	s.readUsers()
	return s
}

func (s *samples) useLinks() {
	s.add("read the account, contact, owner and invoice of an opportunity", nil, func(ctx context.Context, c *Client) error {
		_, err := c.OpportunityLinks(ctx, "id")
		return err
	})
	for _, m := range []struct {
		name     string
		mutation Mutation
	}{
		{"update the owner of an opportunity", UpdateOpportunity{ID: "id", OwnerID: "id"}},
		{"update the contact of an opportunity", UpdateOpportunity{ID: "id", ContactID: "id"}},
		{"clear the account of an opportunity", UpdateOpportunity{ID: "id", NoAccount: true}},
		{"reserve places", ReservePlaces{InterestIDs: []string{"id"}}},
	} {
		s.mutate(m.name, m.mutation)
	}
	hold := Reserve{OpportunityID: "id", InterestIDs: []string{"id"}, Until: time.Unix(0, 0).UTC()}
	s.add("reserve places until a given time", hold, func(ctx context.Context, c *Client) error {
		held, err := c.Reserve(ctx, hold)
		for _, each := range []error{held.Reserve, held.Extend} {
			if err == nil {
				err = each
			}
		}
		return err
	})
	s.add("read the invoice of an opportunity", nil, func(ctx context.Context, c *Client) error {
		_, err := c.Billing(ctx, "id")
		return err
	})
	s.add("read an opportunity with the time of its last change", nil, func(ctx context.Context, c *Client) error {
		_, err := c.OpportunityWithUpdatedAt(ctx, "id")
		return err
	})
	whole := Search{Full: true}
	s.add("search opportunities and read all members", whole, func(ctx context.Context, c *Client) error {
		_, err := c.Opportunities(ctx, whole)
		return err
	})
	s.add("read the training tokens that were issued for an opportunity", nil, func(ctx context.Context, c *Client) error {
		_, err := c.TokenIssues(ctx, "id")
		return err
	})
}

func (s *samples) useAccounts() {
	s.add("read an account", nil, func(ctx context.Context, c *Client) error {
		_, err := c.Account(ctx, "id")
		return err
	})
	s.add("read the owner of an account", nil, func(ctx context.Context, c *Client) error {
		_, err := c.AccountOwner(ctx, "id")
		return err
	})
	s.add("find accounts by name", nil, func(ctx context.Context, c *Client) error {
		_, err := c.AccountsByName(ctx, "name")
		return err
	})
	for _, n := range []struct {
		name    string
		account NewAccount
	}{
		{"create an account", NewAccount{Name: "name"}},
		{"create an account with an e-mail address", NewAccount{Name: "name", Email: "e@example.com"}},
	} {
		s.add(n.name, n.account, func(ctx context.Context, c *Client) error {
			_, err := c.CreateAccount(ctx, n.account)
			return err
		})
	}
}

func (s *samples) useContacts() {
	s.add("read a contact", nil, func(ctx context.Context, c *Client) error {
		_, err := c.Contact(ctx, "id")
		return err
	})
	s.add("find contacts by e-mail address", nil, func(ctx context.Context, c *Client) error {
		_, err := c.ContactsByEmail(ctx, "e@example.com")
		return err
	})
	emails := []string{"e@example.com"}
	s.add("find contacts by several e-mail addresses", emails, func(ctx context.Context, c *Client) error {
		_, err := c.ContactsByEmails(ctx, emails, "")
		return err
	})
	s.add("find more contacts by several e-mail addresses", nil, func(ctx context.Context, c *Client) error {
		_, err := c.ContactsByEmails(ctx, emails, "cursor")
		return err
	})
	for _, n := range []struct {
		name     string
		contacts []NewContact
	}{
		{"create a contact", []NewContact{{FirstName: "first", LastName: "last"}}},
		{"create a contact of an account", []NewContact{{FirstName: "first", LastName: "last", AccountID: "id"}}},
		{"create a contact with an e-mail address", []NewContact{{FirstName: "first", LastName: "last", Email: "e@example.com"}}},
	} {
		s.add(n.name, n.contacts, func(ctx context.Context, c *Client) error {
			answers, err := c.CreateContacts(ctx, n.contacts)
			if err == nil {
				err = answers[0].Err
			}
			return err
		})
	}
}

func (s *samples) useEvents() {
	s.add("read an event", nil, func(ctx context.Context, c *Client) error {
		_, err := c.Event(ctx, "id")
		return err
	})
	events := []string{"id"}
	s.add("read events", events, func(ctx context.Context, c *Client) error {
		_, err := c.Events(ctx, events)
		return err
	})
	s.add("read the registrations on an event", nil, func(ctx context.Context, c *Client) error {
		_, err := c.EventRegistrations(ctx, "id", "")
		return err
	})
	s.add("read more registrations on an event", nil, func(ctx context.Context, c *Client) error {
		_, err := c.EventRegistrations(ctx, "id", "cursor")
		return err
	})
}

func (s *samples) useLearners() {
	price := &Price{Amount: decimal.RequireFromString("199.90"), Currency: "USD"}
	s.add("check whether a contact is registered on an event", nil, func(ctx context.Context, c *Client) error {
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
		s.add(r.name, r.register, func(ctx context.Context, c *Client) error {
			_, err := c.RegisterContacts(ctx, r.register)
			return err
		})
	}
	s.add("cancel a learner", nil, func(ctx context.Context, c *Client) error { return c.CancelLearner(ctx, "id") })
	s.add("reactivate a learner", nil, func(ctx context.Context, c *Client) error { return c.ReactivateLearner(ctx, "id") })
	people := []string{"id"}
	s.add("list the contacts that are registered on an event", people, func(ctx context.Context, c *Client) error {
		_, err := c.Enrolments(ctx, "id", people, "")
		return err
	})
	s.add("list the opportunities that registered contacts on an event", people, func(ctx context.Context, c *Client) error {
		_, err := c.EnrolmentSources(ctx, "id", people, "")
		return err
	})
	s.add("list more contacts that are registered on an event", nil, func(ctx context.Context, c *Client) error {
		_, err := c.Enrolments(ctx, "id", people, "cursor")
		return err
	})
}

func (s *samples) useInvoices() {
	for _, u := range []struct {
		name   string
		update UpdateInvoice
	}{
		{"update the comments of an invoice", UpdateInvoice{ID: "id", Comments: "comments"}},
		{"update the purchase order of an invoice", UpdateInvoice{ID: "id", PurchaseOrderRef: "reference"}},
		{"clear the comments and the purchase order of an invoice", UpdateInvoice{ID: "id", NoComments: true, NoPurchaseOrderRef: true}},
	} {
		s.add(u.name, u.update, func(ctx context.Context, c *Client) error {
			_, err := c.UpdateInvoice(ctx, u.update)
			return err
		})
	}
	s.add("finalise an invoice", nil, func(ctx context.Context, c *Client) error {
		_, err := c.FinaliseInvoice(ctx, "id")
		return err
	})
}

func (s *samples) useMail() {
	for _, e := range []struct {
		name string
		mail Email
	}{
		{"send a mail", Email{ContactID: "id", Subject: "subject", Body: "body", SendingAddressID: "id"}},
		{"send a mail with copies", Email{ContactID: "id", Subject: "subject", Body: "body", SendingAddressID: "id", CC: []string{"e@example.com"}}},
	} {
		s.add(e.name, e.mail, func(ctx context.Context, c *Client) error { return c.SendEmail(ctx, e.mail) })
	}
	bulk := BulkEmail{ContactIDs: []string{"id"}, Subject: "subject", Body: "body", SendingAddressID: "id"}
	s.add("send a mail to several contacts", bulk, func(ctx context.Context, c *Client) error { return c.SendBulkEmail(ctx, bulk) })
	s.add("read sending addresses", nil, func(ctx context.Context, c *Client) error {
		_, err := c.SendingAddresses(ctx, "")
		return err
	})
	s.add("read more sending addresses", nil, func(ctx context.Context, c *Client) error {
		_, err := c.SendingAddresses(ctx, "cursor")
		return err
	})
}

func (s *samples) useLog() {
	for _, l := range []struct {
		name  string
		entry LogEntry
	}{
		{"write a success to the integration log", LogEntry{Origin: "origin", NodeID: "id", Message: "message", Status: LogSuccess}},
		{"write a failure to the integration log", LogEntry{Origin: "origin", NodeID: "id", Message: "message", Status: LogFailed, Payload: "{}"}},
		{"write a partial success to the integration log", LogEntry{Origin: "origin", NodeID: "id", Message: "message", Status: LogPartial, Category: "category", Subcategory: "part"}},
	} {
		s.add(l.name, l.entry, func(ctx context.Context, c *Client) error { return c.WriteLog(ctx, l.entry) })
	}
}

func (s *samples) readUsers() {
	s.add("read the custom fields of opportunities", nil, func(ctx context.Context, c *Client) error {
		_, err := c.OpportunityFields(ctx)
		return err
	})
	s.add("read users", nil, func(ctx context.Context, c *Client) error {
		_, err := c.Users(ctx, "")
		return err
	})
	s.add("read more users", nil, func(ctx context.Context, c *Client) error {
		_, err := c.Users(ctx, "cursor")
		return err
	})
}
