package tms

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/oppflow/oppflow/activities"
	"github.com/oppflow/oppflow/activities/tms/runs"
	"github.com/oppflow/oppflow/administrate"
	"github.com/oppflow/oppflow/exchange"
	"github.com/oppflow/oppflow/opportunity"
)

// accountHandler sets an account on a record that has none.
type accountHandler struct{ *Activities }

func (h effectHandlers) Account() effectHandler { return accountHandler{h.activities} }

type accountNotes struct {
	// Creating says that the effect has sent or is about to send the request that creates an account.
	// A later inspection counts the account as created by the effect, even if the response was lost.
	Creating string `note:"making"`
	// Set is the account that the effect set on the record, or requested to set. The undo of the
	// effect removes only the account in Set.
	Set string `note:"set"`
}

func (e accountHandler) inspect(ctx context.Context, in activities.EffectInput) (activities.InspectResult, error) {
	out := activities.InspectResult{UndoEntry: in.UndoEntry, RunID: runs.CurrentID(ctx)}
	name, notes := e.accountName(in), notesOf[accountNotes](in.UndoEntry)
	switch {
	case in.Undo && notes.Set == "": // the effect set no account
		return out, nil
	case !in.Undo && name == "":
		out.Error = opportunity.Invalidf("the settings of the effect contain no account name")
		return out, nil
	}
	links, err := e.api.OpportunityLinks(ctx, string(in.Opportunity))
	if err != nil {
		return out, readError(err)
	}
	switch {
	case in.Undo:
		e.inspectUndo(&out, links)
		return out, nil
	case links.Account != nil:
		account := opportunity.Ref{ID: opportunity.ID(links.Account.ID), Name: links.Account.Name}
		out.UndoEntry = in.UndoEntry.WithObject(opportunity.TouchedObject{Kind: opportunity.ObjectAccount, ID: account.ID})
		out.Details = &opportunity.Details{Account: account}
		return out, nil
	}
	out.UndoEntry.AccountRead = true
	page, err := e.api.AccountsByName(ctx, name)
	if err != nil {
		return out, readError(err)
	}
	// The effect never uses the account of an individual person, even if the account has the wanted
	// name.
	accounts := slices.DeleteFunc(page.Accounts, func(a administrate.Account) bool { return a.Individual })
	switch len(accounts) {
	case 0:
		notes.Creating = "yes"
		out.UndoEntry = withNotes(out.UndoEntry, notes)
		out.Request = &exchange.EffectRequest{Kind: exchange.RequestCreateAccount}
	case 1:
		account := opportunity.ID(accounts[0].ID)
		out.UndoEntry = out.UndoEntry.WithObject(opportunity.TouchedObject{Kind: opportunity.ObjectAccount, ID: account, Created: notes.Creating != ""})
		notes.Set = string(account)
		out.UndoEntry = withNotes(out.UndoEntry, notes)
		out.Request = &exchange.EffectRequest{Kind: exchange.RequestSetAccount, Target: account}
	default:
		var ids []string
		for _, account := range accounts {
			ids = append(ids, account.ID)
		}
		out.Error = opportunity.Failf(opportunity.Conflict, "%s have the account name that the effect uses: %s; merge these accounts, or set one of the accounts on the opportunity",
			plural(len(accounts), "account"), strings.Join(ids[:min(len(ids), 5)], ", "))
	}
	return out, nil
}

// inspectUndo returns the request that removes the account from the record. The handler assumes,
// without any observation, that the API accepts a request that removes an account.
func (e accountHandler) inspectUndo(out *activities.InspectResult, links administrate.OpportunityLinks) {
	ours := opportunity.ID(notesOf[accountNotes](out.UndoEntry).Set)
	if links.Account != nil && opportunity.ID(links.Account.ID) == ours {
		out.Request = &exchange.EffectRequest{Kind: exchange.RequestSetAccount}
		return
	}
	// The record no longer has the account that the effect set.
	out.UndoEntry.Objects = slices.Clone(out.UndoEntry.Objects)
	for i := range out.UndoEntry.Objects {
		if out.UndoEntry.Objects[i].ID == ours {
			out.UndoEntry.Objects[i].Reverted = true
		}
	}
}

func (accountHandler) accountName(in activities.EffectInput) string {
	settings := settingsOf[exchange.EnsureAccount](in)
	if settings == nil {
		return ""
	}
	return strings.TrimSpace(settings.Name)
}

func (e accountHandler) execute(ctx context.Context, in activities.EffectInput) (activities.ExecuteResult, error) {
	if run, other := runs.DetectReset(ctx, in.RunID); other {
		return activities.ExecuteResult{CallResult: runs.ResetResult(run)}, nil
	}
	if in.Request.Kind == exchange.RequestSetAccount {
		_, err := e.api.UpdateOpportunity(e.withSendDeadline(ctx), administrate.UpdateOpportunity{
			ID: string(in.Opportunity), AccountID: string(in.Request.Target), NoAccount: in.Request.Target == "",
		})
		return activities.ExecuteResult{CallResult: callResult(err), UndoEntry: in.UndoEntry}, nil
	}
	made, err := e.api.CreateAccount(e.withSendDeadline(ctx), administrate.NewAccount{Name: e.accountName(in)})
	result := activities.ExecuteResult{CallResult: callResult(err), UndoEntry: in.UndoEntry}
	if err == nil {
		account, notes := opportunity.ID(made.ID), notesOf[accountNotes](in.UndoEntry)
		notes.Set = made.ID
		result.UndoEntry = withNotes(in.UndoEntry.WithObject(opportunity.TouchedObject{Kind: opportunity.ObjectAccount, ID: account, Created: true}), notes)
		result.Next = &exchange.EffectRequest{Kind: exchange.RequestSetAccount, Target: account}
	}
	return result, nil
}

func plural(n int, thing string) string {
	if n == 1 {
		return "1 " + thing
	}
	return fmt.Sprintf("%d %ss", n, thing)
}
