package e2e_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strings"

	"github.com/oppflow/oppflow/sandbox/fault"
	"github.com/oppflow/oppflow/sandbox/ledger"
)

// admin asks the sandbox something beside the API, and reads its answer into the
// given one unless that is nil.
func (p *parts) admin(method, path string, body, into any) error {
	data, err := json.Marshal(body)
	if err != nil {
		return err
	}
	request, err := http.NewRequestWithContext(p.t.Context(), method, strings.TrimSuffix(p.APIURL(), "/graphql")+"/_sandbox/"+path, bytes.NewReader(data))
	if err != nil {
		return err
	}
	request.Header.Set("Authorization", "Bearer "+p.APIToken())
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return err
	}
	defer func() { _ = response.Body.Close() }()
	answer, err := io.ReadAll(response.Body)
	if err != nil {
		return err
	}
	if response.StatusCode >= http.StatusMultipleChoices {
		return fmt.Errorf("%s %s: %s: %s", method, path, response.Status, answer)
	}
	if into == nil {
		return nil
	}
	return json.Unmarshal(answer, into)
}

// set puts a fault in force and answers its id.
func (p *parts) set(rule fault.Rule) (int, error) {
	var made struct {
		ID int `json:"id"`
	}
	return made.ID, p.admin(http.MethodPost, "faults", rule, &made)
}

// faults are those in force, by their ids.
func (p *parts) faults() (map[int]fault.Status, error) {
	var list struct {
		Faults []fault.Status `json:"faults"`
	}
	err := p.admin(http.MethodGet, "faults", nil, &list)
	found := make(map[int]fault.Status, len(list.Faults))
	for _, one := range list.Faults {
		found[one.ID] = one
	}
	return found, err
}

// ledger is every request the sandbox has got, oldest first.
func (p *parts) ledger() []ledger.Entry {
	p.t.Helper()
	var all []ledger.Entry
	for {
		after := int64(0)
		if len(all) > 0 {
			after = all[len(all)-1].Number
		}
		var page struct {
			Entries []ledger.Entry `json:"entries"`
		}
		if err := p.admin(http.MethodGet, fmt.Sprintf("ledger?after=%d", after), nil, &page); err != nil {
			p.t.Fatal(err)
		}
		if len(page.Entries) == 0 {
			return all
		}
		all = append(all, page.Entries...)
	}
}
