package e2e_test

import (
	"github.com/oppflow/oppflow/sandbox/ledger"
	"github.com/oppflow/oppflow/sandbox/remote"
)

// remote asks the sandbox something beside the API.
func (p *parts) remote() remote.Sandbox {
	return remote.Sandbox{APIURL: p.APIURL(), Token: p.APIToken()}
}

// ledger is every request the sandbox has got, oldest first.
func (p *parts) ledger() []ledger.Entry {
	p.t.Helper()
	entries, err := p.remote().Ledger(p.t.Context(), 0)
	if err != nil {
		p.t.Fatal(err)
	}
	return entries
}
