package administrate

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strconv"

	"github.com/oppflow/oppflow/administrate/transport"
)

// PageRequest selects the page of a list that follows the cursor After. The zero value selects the
// first page.
type PageRequest struct{ After string }

// LookupRequest says which lists and names Lookup reads. The API compares each text of the request
// with the filter operation eq. Whether the operation eq distinguishes upper and lower case depends
// on the tenant's database. Compare the names in the result with the texts of the request, because
// they may differ in upper and lower case.
type LookupRequest struct {
	Steps      *PageRequest
	Regions    *PageRequest // assumed: see Assumptions.Regions
	Currencies *PageRequest
	Accounts   []string // names
	Items      []ItemName
}

// ItemName is a code, title or name of an item. With a Kind, Lookup looks up only items of this
// Kind; without a Kind, Lookup looks up items of all four kinds.
type ItemName struct {
	Text string
	Kind Kind
}

// LookupResult is the result of Lookup. For each list, LookupResult contains one page of at most
// 100 rows. Next is the request for the next pages of the lists that have another page; Next is nil
// if no list has another page.
type LookupResult struct {
	Steps      []Step
	Regions    []Ref
	Currencies []Currency
	Accounts   map[string][]Ref  // by the requested text; at most 10 for each text
	Items      map[string][]Item // by the requested text; at most 10 for each kind and field
	// Starts maps the id of each event in Items to the start time of the event. An event without a
	// start time is not in Starts.
	Starts map[string]LocalTime
	Next   *LookupRequest
}

// The limit is low, because the API may have to search the items of four kinds for each text.
const maxLookupTexts = 20

// Lookup resolves names to ids in one query, which has one root field for each name. Lookup accepts
// at most 20 texts in total: names of accounts and texts of items. If Assumptions sets the root
// field of a kind to Off, Lookup does not search for items of this kind. A request for regions
// fails with InvalidError if Assumptions.Regions is Off.
func (c *Client) Lookup(ctx context.Context, w LookupRequest) (LookupResult, error) {
	doc, err := c.lookupDocument(w)
	if err != nil {
		return LookupResult{}, err
	}
	var roots map[string]json.RawMessage
	if err := c.Read(ctx, doc, &roots); err != nil {
		return LookupResult{}, err
	}
	found, err := w.resultOf(roots, c.itemRoots())
	if err != nil {
		return LookupResult{}, transport.MalformedResponse(doc.Name)
	}
	return found, nil
}

type itemRoot struct {
	alias      string
	field      SchemaName
	kind       string
	itemKind   Kind
	textFields []string
	selection  string
}

func (c *Client) itemRoots() []itemRoot {
	var all []itemRoot
	for _, k := range kinds() {
		all = append(all, itemRoot{k.rootAlias, k.root(&c.assumed), k.schemaType, k.kind, k.textFields(), k.selection()})
	}
	return slices.DeleteFunc(all, func(r itemRoot) bool { return r.field == Off })
}

// CanLookUp reports whether Lookup can find items of the kind by code or title.
func (c *Client) CanLookUp(kind Kind) bool { return len(ItemName{Kind: kind}.roots(c.itemRoots())) > 0 }

func (item ItemName) roots(all []itemRoot) []itemRoot {
	return slices.DeleteFunc(slices.Clone(all), func(r itemRoot) bool { return item.Kind != "" && item.Kind != r.itemKind })
}

func (c *Client) lookupDocument(w LookupRequest) (transport.Document, error) {
	b := newBuilder(&c.assumed)
	b.location = "LookupRequest"
	lists := []struct {
		member string
		list   *PageRequest
		alias  string
		root   SchemaName
		fields string
	}{
		{"Steps", w.Steps, "steps", "opportunitySteps", selectStep}, // the root field opportunitySteps is observed
		{"Regions", w.Regions, "regions", c.assumed.Regions, selectRef},
		{"Currencies", w.Currencies, "currencies", "currencies", "name code symbol"}, // the root field currencies is observed
	}
	for _, l := range lists {
		if l.list == nil {
			continue
		}
		if l.root == Off {
			b.invalid(l.member, "names cannot be searched, because the assumption "+l.member+" is switched off; give ids instead of names")
		}
		after := ""
		if l.list.After != "" {
			after = ", after: " + b.bindText(l.member+".After", "after", "String", l.list.After)
		}
		b.root("%s: %s(first: 100%s) { edges { node { %s } } %s }", l.alias, l.root, after, l.fields, selectPageInfo)
	}
	if len(w.Accounts)+len(w.Items) > maxLookupTexts {
		b.invalid("Items", fmt.Sprintf("Items and Accounts contain more than %d texts in total; split the request", maxLookupTexts))
	}
	for i, name := range w.Accounts {
		b.root("%s: accounts(filters: [{field: name, operation: eq, value: %s}], first: 10) { edges { node { %s } } }",
			accountAlias(i), b.bindRequired(fmt.Sprintf("Accounts[%d]", i), "account", "String", name), selectRef)
	}
	for i, item := range w.Items {
		roots := item.roots(c.itemRoots())
		if len(roots) == 0 {
			continue
		}
		value := b.bindRequired(fmt.Sprintf("Items[%d]", i), "item", "String", item.Text)
		for _, r := range roots {
			for _, field := range r.textFields {
				b.root("%s: %s(filters: [{field: %s, operation: eq, value: %s}], first: 10) { edges { node { %s } } }",
					r.key(i, field), r.field, field, value, r.selection)
			}
		}
	}
	if len(b.roots) == 0 && b.err == nil {
		b.invalid("Steps", "the request looks up nothing; give at least one list, account or item")
	}
	return b.document("query", "Lookup")
}

func accountAlias(i int) string { return "account" + strconv.Itoa(i) }

func (r itemRoot) key(i int, field string) string {
	return fmt.Sprintf("item%d_%s_%s", i, r.alias, field)
}

func (w LookupRequest) resultOf(answers map[string]json.RawMessage, kinds []itemRoot) (LookupResult, error) {
	var found LookupResult
	var next LookupRequest
	var err error
	if w.Steps != nil {
		if found.Steps, next.Steps, err = decodeRows(answers, "steps", stepDTO.step); err != nil {
			return LookupResult{}, err
		}
	}
	if w.Regions != nil {
		if found.Regions, next.Regions, err = decodeRows(answers, "regions", refDTO.ref); err != nil {
			return LookupResult{}, err
		}
	}
	if w.Currencies != nil {
		if found.Currencies, next.Currencies, err = decodeRows(answers, "currencies", financialUnitDTO.currency); err != nil {
			return LookupResult{}, err
		}
	}
	if next.Steps != nil || next.Regions != nil || next.Currencies != nil {
		found.Next = &next
	}
	if len(w.Accounts) > 0 {
		found.Accounts = make(map[string][]Ref, len(w.Accounts))
	}
	for i, name := range w.Accounts {
		if found.Accounts[name], _, err = decodeRows(answers, accountAlias(i), refDTO.ref); err != nil {
			return LookupResult{}, err
		}
	}
	if len(w.Items) > 0 {
		found.Items = make(map[string][]Item, len(w.Items))
	}
	for i, item := range w.Items {
		roots := item.roots(kinds)
		if len(roots) == 0 {
			continue
		}
		items := found.Items[item.Text]
		for _, r := range roots {
			for _, field := range r.textFields {
				rows, _, err := decodeRows(answers, r.key(i, field), func(s sellableDTO) sellableDTO { return s })
				if err != nil {
					return LookupResult{}, err
				}
				for _, row := range rows {
					found.addStart(row)
					item := Item{ID: row.ID, Type: r.kind, Code: row.Code, Title: row.Title}
					if !slices.Contains(items, item) { // an item whose code and title are equal is found twice
						items = append(items, item)
					}
				}
			}
		}
		found.Items[item.Text] = items
	}
	return found, nil
}

type sellableDTO struct {
	ID    string          `json:"id"`
	Code  string          `json:"code"`
	Title string          `json:"title"`
	Start json.RawMessage `json:"start"`
}

// addStart ignores a start time that cannot be read, because a look-up does not need start times.
func (r *LookupResult) addStart(s sellableDTO) {
	var start localTime
	if len(s.Start) == 0 || start.UnmarshalJSON(s.Start) != nil || start == "" {
		return
	}
	if r.Starts == nil {
		r.Starts = make(map[string]LocalTime)
	}
	r.Starts[s.ID] = LocalTime(start)
}

func decodeRows[A, T any](roots map[string]json.RawMessage, key string, turn func(A) T) ([]T, *PageRequest, error) {
	var got *connection[A]
	if err := json.Unmarshal(roots[key], &got); err != nil || got == nil {
		return nil, nil, transport.ErrMalformedValue
	}
	answers, err := got.nodes()
	if err != nil {
		return nil, nil, err
	}
	var rows []T
	for _, a := range answers {
		rows = append(rows, turn(a))
	}
	if more := got.PageInfo.nextCursor(); more != "" {
		return rows, &PageRequest{After: more}, nil
	}
	return rows, nil, nil
}
