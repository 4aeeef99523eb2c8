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

// keptMaking is a key of Trace.Values: the records that the effect is about to make. A
// later inspection counts such a record as made by the effect, even when the answer was
// lost.
const keptMaking = "making"

// keptSet is a key of Trace.Values: the account that the effect gave to the record, or
// asked to give. An undo removes no other account.
const keptSet = "set"

func (e ensureAccount) inspect(ctx context.Context, in activities.EffectInput) (activities.InspectResult, error) {
	out := activities.InspectResult{Trace: in.Trace, Run: runOf(ctx)}
	name := e.called(in)
	switch {
	case in.Undo && in.Trace.Values[keptSet] == "": // the effect gave the record no account
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
	// A person's own account does not count, even when an organisation has the same name.
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

// undo removes the account from the record. Such a request is assumed and was never
// observed. Where the assumption does not hold, the next inspection finds the account
// still there.
func (e ensureAccount) undo(out *activities.InspectResult, ties administrate.Ties) {
	ours := opportunity.ID(out.Trace.Values[keptSet])
	if ties.Account != nil && opportunity.ID(ties.Account.ID) == ours {
		out.Act = &opportunity.Act{Kind: opportunity.ActSetAccount}
		return
	}
	// The record has no account again, or an account that somebody else gave it.
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

func counted(n int, thing string) string {
	if n == 1 {
		return "1 " + thing
	}
	return fmt.Sprintf("%d %ss", n, thing)
}
