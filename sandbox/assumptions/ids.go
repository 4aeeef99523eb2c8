package assumptions

// These assumptions are about unobserved prefixes of global ids. A prefix is the part of a global
// id before the colon.
const (
	InvoiceID      Name = "id.invoice"
	UserID         Name = "id.user"
	CurrencyPrefix Name = "id.currency"
	LogPrefix      Name = "id.externalLog"
)

func ids() []Assumption {
	prefix := func(row Name, thing, one, other string) Assumption {
		return Assumption{Name: row, AnyName: true, Options: []Option{
			{one, "the id of " + thing + " is " + one + ":<key>"},
			{other, "the id of " + thing + " is " + other + ":<key>"},
		}}
	}
	return []Assumption{
		prefix(InvoiceID, "an invoice", "Invoice", "SalesInvoice"),
		prefix(UserID, "a user", "User", "SystemUser"),
		prefix(CurrencyPrefix, "a currency", "Currency", "FinancialUnit"),
		prefix(LogPrefix, "an entry of the integration log", "ExternalIntegrationLog", "ExternalLog"),
	}
}
