package harness

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"

	"github.com/oppflow/oppflow/administrate"
	"github.com/oppflow/oppflow/opportunity"
	"github.com/oppflow/oppflow/sandbox/adminclient"
	"github.com/oppflow/oppflow/sandbox/requestlog"
)

// Records returns what the sandbox stores of an opportunity. Records sends its own API request
// instead of using the client under test.
func (p *Parts) Records(id opportunity.ID) string {
	p.T.Helper()
	answer, err := p.RecordsOf(id)
	if err != nil {
		p.T.Fatal(err)
	}
	return answer
}

// RecordsOf is Records for goroutines that must not fail the test: RecordsOf returns an error.
func (p *Parts) RecordsOf(id opportunity.ID) (string, error) {
	return p.Query(`query($id: ID!) { node(id: $id) { ... on Opportunity { id name step { name stage { name state } } account { id name }
		financialUnit { name } value { grandTotal } isReservationValid attributes { definitionKey value }
		interests { pageInfo { totalRecords } edges { node { id totalAmount item { id __typename } learners { edges { node { __typename } } } } } } } } }`,
		map[string]any{"id": id})
}

// Query sends a GraphQL request and returns the data of the response as indented JSON.
func (p *Parts) Query(query string, variables map[string]any) (string, error) {
	body, err := json.Marshal(map[string]any{"query": query, "variables": variables})
	if err != nil {
		return "", err
	}
	request, err := http.NewRequestWithContext(p.T.Context(), http.MethodPost, p.APIURL(), bytes.NewReader(body))
	if err != nil {
		return "", err
	}
	request.Header.Set("Content-Type", "application/json")
	request.Header.Set("Authorization", "Bearer "+p.APIToken())
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return "", err
	}
	defer func() { _ = response.Body.Close() }()
	raw, err := io.ReadAll(response.Body)
	if err != nil {
		return "", err
	}
	var answer struct {
		Data   json.RawMessage   `json:"data"`
		Errors []json.RawMessage `json:"errors"`
	}
	if err := json.Unmarshal(raw, &answer); err != nil || len(answer.Errors) > 0 {
		return "", errors.Join(err, fmt.Errorf("the response of the sandbox contains errors or is not valid JSON: %s", raw))
	}
	var out bytes.Buffer
	if err := json.Indent(&out, answer.Data, "", " "); err != nil {
		return "", err
	}
	return out.String(), nil
}

// Opportunity returns the record.
func (p *Parts) Opportunity(id opportunity.ID) administrate.Opportunity {
	p.T.Helper()
	record, err := p.API.Opportunity(p.T.Context(), string(id))
	if err != nil {
		p.T.Fatal(err)
	}
	return record
}

// SandboxAdmin returns a client for the sandbox's controls that are not part of the API.
func (p *Parts) SandboxAdmin() adminclient.Client {
	return adminclient.Client{APIURL: p.APIURL(), Token: p.APIToken()}
}

// RequestLog returns every request that the sandbox has received, oldest first.
func (p *Parts) RequestLog() []requestlog.Entry {
	p.T.Helper()
	entries, err := p.SandboxAdmin().RequestLog(p.T.Context(), 0)
	if err != nil {
		p.T.Fatal(err)
	}
	return entries
}
