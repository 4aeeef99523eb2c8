package opportunity

// EffectKind is the kind of an effect.
type EffectKind string

// The kinds of effects. An effect ensures a state: the effect inspects the state first, and does
// only the missing part.
const (
	// EffectAccount: the opportunity has an account.
	EffectAccount EffectKind = "account"
	// EffectContacts: each learner of the interests exists as a contact in the TMS.
	EffectContacts EffectKind = "contacts"
	// EffectAttributes: attributes of the record have the given values.
	EffectAttributes EffectKind = "attributes"
	// EffectReserve: places are reserved until a given time for the interests in events.
	EffectReserve EffectKind = "reserve"
	// EffectExtend: the places that are already reserved have another expiry time.
	EffectExtend EffectKind = "extend"
	// EffectRelease: the opportunity has no reserved places, and cannot reserve places again.
	EffectRelease EffectKind = "release"
	// EffectRegister: the learners are registered on their events.
	EffectRegister EffectKind = "register"
	// EffectCancelRegistrations: the registrations of the opportunity's learners are cancelled.
	EffectCancelRegistrations EffectKind = "cancelRegistrations"
	// EffectInvoice: the draft invoice of the TMS exists, is filled in, and becomes final at the
	// planned time.
	EffectInvoice EffectKind = "invoice"
	// EffectTokens: the training tokens were issued.
	EffectTokens EffectKind = "tokens"
	// EffectEmail: a mail was sent.
	EffectEmail EffectKind = "email"
	// EffectLog: the record has an entry in its external integration log.
	EffectLog EffectKind = "log"
	// EffectCall: a service of the tenant was called.
	EffectCall EffectKind = "call"
)

// IsVerifiable reports whether a later read of the TMS can show that the effect was done. The TMS
// does not show mails, entries of the integration log, and calls of services.
func (k EffectKind) IsVerifiable() bool {
	return k != EffectEmail && k != EffectLog && k != EffectCall
}
