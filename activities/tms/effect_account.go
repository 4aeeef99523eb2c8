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

// keptMaking says which records are about to be made, under a key of Trace.Values: what
// is found there afterwards was made by the effect, even when no answer said so.
const keptMaking = "making"

// keptSet is the account that the record was asked to be given, under a key of
// Trace.Values. No other is taken off it again.
const keptSet = "set"

func (e ensureAccount) inspect(ctx context.Context, in activities.EffectInput) (activities.InspectResult, error) {
	out := activities.InspectResult{Trace: in.Trace, Run: runOf(ctx)}
	name := e.called(in)
	switch {
	case in.Undo && in.Trace.Values[keptSet] == "": // it was given none
		return out, nil
	case !in.Undo && name == "":
		out.Error = opportunity.Invalidf("the effect does not say what the account is called")
		return out, nil
	}
	ties, err := e.api.Ties(ctx, string(in.Opportunity))
	if err != nil {
		return out, reading(err)
	}
	switch {
	case in.Undo:
		e.undo(&out, ties)
		return out, nil
	case ties.Account != nil:
		out.Trace = in.Trace.Adding(opportunity.Record{Kind: opportunity.RecordAccount, ID: opportunity.ID(ties.Account.ID)})
		return out, nil
	}
	out.Trace.HadAccount = true
	page, err := e.api.AccountsByName(ctx, name)
	if err != nil {
		return out, reading(err)
	}
	// One person's own account is no organisation's that happens to be called so.
	accounts := slices.DeleteFunc(page.Accounts, func(a administrate.Account) bool { return a.Individual })
	switch len(accounts) {
	case 0:
		out.Trace = keep(out.Trace, keptMaking, "yes")
		out.Act = &opportunity.Act{Kind: opportunity.ActCreateAccount}
	case 1:
		account := opportunity.ID(accounts[0].ID)
		out.Trace = out.Trace.Adding(opportunity.Record{Kind: opportunity.RecordAccount, ID: account, Made: in.Trace.Values[keptMaking] != ""})
		out.Trace = keep(out.Trace, keptSet, string(account))
		out.Act = &opportunity.Act{Kind: opportunity.ActSetAccount, On: account}
	default:
		var ids []string
		for _, account := range accounts {
			ids = append(ids, account.ID)
		}
		out.Error = opportunity.Failf(opportunity.Conflict, "%s have the name that the account is to have: %s; merge them, or give the opportunity one of them",
			counted(len(accounts), "account"), strings.Join(ids[:min(len(ids), 5)], ", "))
	}
	return out, nil
}

// undo takes the account off the record. Nobody has seen a request that does: where
// what is assumed has no effect, looking again tells.
func (e ensureAccount) undo(out *activities.InspectResult, ties administrate.Ties) {
	ours := opportunity.ID(out.Trace.Values[keptSet])
	if ties.Account != nil && opportunity.ID(ties.Account.ID) == ours {
		out.Act = &opportunity.Act{Kind: opportunity.ActSetAccount}
		return
	}
	// It has none again, or one that somebody else gave it.
	out.Trace.Records = slices.Clone(out.Trace.Records)
	for i := range out.Trace.Records {
		if out.Trace.Records[i].ID == ours {
			out.Trace.Records[i].Gone = true
		}
	}
}

func (ensureAccount) called(in activities.EffectInput) string {
	if in.Effect.Account == nil {
		return ""
	}
	return strings.TrimSpace(in.Effect.Account.Name)
}

func (e ensureAccount) carryOut(ctx context.Context, in activities.EffectInput) (activities.CarryOutResult, error) {
	if run, other := anotherRun(ctx, in.Run); other {
		return activities.CarryOutResult{Sending: reset(run)}, nil
	}
	if in.Act.Kind == opportunity.ActSetAccount {
		_, err := e.api.UpdateOpportunity(e.inTime(ctx), administrate.UpdateOpportunity{
			ID: string(in.Opportunity), AccountID: string(in.Act.On), NoAccount: in.Act.On == "",
		})
		return activities.CarryOutResult{Sending: sending(err), Trace: in.Trace}, nil
	}
	made, err := e.api.CreateAccount(e.inTime(ctx), administrate.NewAccount{Name: e.called(in)})
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
