package exchange_test

import (
	"testing"

	"github.com/oppflow/oppflow/exchange"
)

func requestKinds() []exchange.EffectRequestKind {
	return []exchange.EffectRequestKind{
		exchange.RequestCreateAccount, exchange.RequestSetAccount, exchange.RequestCreateContacts, exchange.RequestSetAttributes,
		exchange.RequestReserve, exchange.RequestExtend, exchange.RequestRelease, exchange.RequestRegister, exchange.RequestCancelLearner,
		exchange.RequestReinstateLearner, exchange.RequestFillInvoice, exchange.RequestFinaliseInvoice, exchange.RequestEmail,
		exchange.RequestLog, exchange.RequestCall, "a kind of a later version", "",
	}
}

// The table contains all pairs of kinds that may be sent together. The order of two requests does
// not matter.
func TestIsIndependent(t *testing.T) {
	t.Parallel()
	together := make(map[[2]exchange.EffectRequestKind]bool)
	for a, others := range map[exchange.EffectRequestKind][]exchange.EffectRequestKind{
		exchange.RequestCreateAccount:  {exchange.RequestSetAttributes, exchange.RequestRegister, exchange.RequestFillInvoice},
		exchange.RequestSetAccount:     {exchange.RequestCreateContacts, exchange.RequestSetAttributes, exchange.RequestRegister, exchange.RequestFillInvoice},
		exchange.RequestCreateContacts: {exchange.RequestSetAttributes, exchange.RequestFillInvoice},
		exchange.RequestSetAttributes:  {exchange.RequestRegister, exchange.RequestFillInvoice},
		exchange.RequestRegister:       {exchange.RequestFillInvoice},
	} {
		for _, b := range others {
			together[[2]exchange.EffectRequestKind{a, b}], together[[2]exchange.EffectRequestKind{b, a}] = true, true
		}
	}
	for _, a := range requestKinds() {
		for _, b := range requestKinds() {
			if got, want := exchange.IsIndependent(a, b), together[[2]exchange.EffectRequestKind{a, b}]; got != want {
				t.Errorf("%q with %q: %v, want %v", a, b, got, want)
			}
		}
	}
}
