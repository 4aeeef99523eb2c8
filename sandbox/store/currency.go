package store

import (
	"context"

	"github.com/oppflow/oppflow/sandbox/connection"
	"github.com/oppflow/oppflow/sandbox/globalid"
)

// FinancialUnit is the unit in which an amount is expressed.
type FinancialUnit interface{ isFinancialUnit() }

// Currency is a currency. The sandbox has no other kind of financial unit.
type Currency struct {
	Code   string
	Name   string
	Symbol string
}

func (Currency) isFinancialUnit() {}

// GlobalID returns the API's id of the currency. The inputs of mutations contain the currency code,
// not the id of the currency.
func (c Currency) GlobalID() string { return globalid.Encode(globalid.Currency, c.Code) }

// CurrencyPage is a page of currencies.
type CurrencyPage = connection.Page[Currency]

// CurrencyEdge is a currency with its cursor.
type CurrencyEdge = connection.Edge[Currency]

var currencies = listing[Currency]{
	from:    "currencies c",
	columns: "c.code, c.name, c.symbol",
	key:     "c.code",
	fields: map[string]column{
		"code": {sql: "c.code"},
		"name": {sql: "c.name"},
	},
	scan: func(row scanner) (Currency, error) {
		var c Currency
		err := row.Scan(&c.Code, &c.Name, &c.Symbol)
		return c, err
	},
}

// Currencies searches the currencies.
func (s *Store) Currencies(ctx context.Context, q Search) (*CurrencyPage, error) {
	return currencies.page(ctx, s, q)
}
