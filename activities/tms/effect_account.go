package tms

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/oppflow/oppflow/activities"
	"github.com/oppflow/oppflow/administrate"
	"github.com/oppflow/oppflow/opportunity"
)

// ensureAccount gives the record an account where it has none.
type ensureAccount struct{ *Activities }

func (e ensureAccount) inspect(ctx context.Context, in activities.EffectInput) (activities.InspectResult, error) {
	out := activities.InspectResult{Trace: in.Trace, Run: runOf(ctx)}
	if in.Undo {
		return out, nil // nobody has seen a way to take an account off a record again
	}
	if in.Effect.Account == nil || in.Effect.Account.Name == "" {
		out.Error = opportunity.Invalidf("the effect does not say what the account is called")
		return out, nil
	}
	ties, err := e.api.Ties(ctx, string(in.Opportunity))
	if err != nil {
		return out, reading(err)
	}
	if ties.Account != nil {
		out.Trace = in.Trace.Adding(opportunity.Record{Kind: opportunity.RecordAccount, ID: opportunity.ID(ties.Account.ID)})
		return out, nil
	}
	out.Trace.HadAccount = true
	page, err := e.api.AccountsByName(ctx, in.Effect.Account.Name)
	if err != nil {
		return out, reading(err)
	}
	// One person's own account is no organisation's that happens to be called so.
	accounts := slices.DeleteFunc(page.Accounts, func(a administrate.Account) bool { return a.Individual })
	switch len(accounts) {
	case 0:
		out.Act = &opportunity.Act{Kind: opportunity.ActCreateAccount}
	case 1:
		out.Trace = out.Trace.Adding(opportunity.Record{Kind: opportunity.RecordAccount, ID: opportunity.ID(accounts[0].ID)})
		out.Act = &opportunity.Act{Kind: opportunity.ActSetAccount, On: opportunity.ID(accounts[0].ID)}
	default:
		var ids []string
		for _, account := range accounts {
			ids = append(ids, account.ID)
		}
		out.Error = opportunity.Failf(opportunity.Conflict, "%s have the name that the account is to have: %s; merge them, or give the opportunity one of them",
			counted(page.Count, "account"), strings.Join(ids[:min(len(ids), 5)], ", "))
	}
	return out, nil
}

func (e ensureAccount) carryOut(ctx context.Context, in activities.EffectInput) (activities.CarryOutResult, error) {
	if run, other := anotherRun(ctx, in.Run); other {
		return activities.CarryOutResult{Sending: reset(run)}, nil
	}
	if in.Act.Kind == opportunity.ActSetAccount {
		_, err := e.api.UpdateOpportunity(inTime(ctx), administrate.UpdateOpportunity{ID: string(in.Opportunity), AccountID: string(in.Act.On)})
		return activities.CarryOutResult{Sending: sending(err), Trace: in.Trace}, nil
	}
	made, err := e.api.CreateAccount(inTime(ctx), administrate.NewAccount{Name: in.Effect.Account.Name})
	result := activities.CarryOutResult{Sending: sending(err), Trace: in.Trace}
	if err == nil {
		result.Trace = in.Trace.Adding(opportunity.Record{Kind: opportunity.RecordAccount, ID: opportunity.ID(made.ID), Made: true})
	}
	return result, nil
}

// counted writes how many there are of a thing.
func counted(n int, thing string) string {
	if n == 1 {
		return "1 " + thing
	}
	return fmt.Sprintf("%d %ss", n, thing)
}
