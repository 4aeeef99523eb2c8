package opportunity

// EffectKind names what an effect does.
type EffectKind string

// The kinds of effects. Each ensures a state: it inspects first, and does only the
// missing part.
const (
	// EffectAccount: the opportunity has an account.
	EffectAccount EffectKind = "account"
	// EffectContacts: the learners of the interests are contacts.
	EffectContacts EffectKind = "contacts"
	// EffectAttributes: attributes of the record have the given values.
	EffectAttributes EffectKind = "attributes"
	// EffectReserve: places are held for the interests in events, until a time.
	EffectReserve EffectKind = "reserve"
	// EffectExtend: places that are already held are held until another time.
	EffectExtend EffectKind = "extend"
	// EffectRelease: the opportunity holds no places any more, for good.
	EffectRelease EffectKind = "release"
	// EffectRegister: the learners are registered on their events.
	EffectRegister EffectKind = "register"
	// EffectCancelRegistrations: the learners of the opportunity are cancelled.
	EffectCancelRegistrations EffectKind = "cancelRegistrations"
	// EffectInvoice: the TMS's draft is there, filled in, and final in time.
	EffectInvoice EffectKind = "invoice"
	// EffectTokens: the training tokens were issued.
	EffectTokens EffectKind = "tokens"
	// EffectEmail: a mail was sent.
	EffectEmail EffectKind = "email"
	// EffectLog: the external integration log of the record has an entry.
	EffectLog EffectKind = "log"
	// EffectCall: a service of the tenant was called.
	EffectCall EffectKind = "call"
)
