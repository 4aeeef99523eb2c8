package playbook

import (
	"github.com/oppflow/oppflow/exchange"
	"github.com/oppflow/oppflow/playbook/diagnostic"
)

// EmailRule says which mail Oppflow sends, and to whom.
type EmailRule struct {
	// To is the recipient: the owner or the contact of the record, or the learners who are named in the interests of
	// the record.
	To string `json:"to" jsonschema:"enum=owner,enum=contact,enum=learners"`
	// Use is the name of a mail in the playbook's member "emails".
	Use string `json:"use"`
}

func (r *EmailRule) undo() (exchange.UndoLevel, string) {
	return exchange.UndoNone, "a sent mail cannot be recalled"
}

func (r *EmailRule) describe() string { return "mail " + r.Use + " goes to the " + r.To }

func (r *EmailRule) check(c *checker, path string) {
	at := path + ".use"
	if !c.isGiven(at) {
		return
	}
	if _, known := c.rules.Emails[r.Use]; !known {
		c.report(at, "there is no mail %q under emails; %s", diagnostic.Quote(r.Use), diagnostic.Suggest(r.Use, sortedNames(c.rules.Emails)))
	}
}

func (r *EmailRule) plan(_ *planner, _ string) any { return r.settings() }

func (r *EmailRule) settings() exchange.SendEmail {
	return exchange.SendEmail{To: exchange.Recipient(r.To), Template: r.Use}
}

func (r *EmailRule) isRepeatable() bool { return true }

func (r *EmailRule) isAboutLearners() bool { return r.To == string(exchange.ToLearners) }
