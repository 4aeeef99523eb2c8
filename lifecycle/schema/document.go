package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"reflect"

	"github.com/invopop/jsonschema"

	"github.com/oppflow/oppflow/lifecycle"
	"github.com/oppflow/oppflow/opportunity"
)

// schemaIDPrefix is the beginning of the ids of the schemas. An id is only the name of a schema:
// there is no file at the URL that the id contains.
const schemaIDPrefix = "https://github.com/oppflow/oppflow/docs/schemas/"

type document struct {
	name, title string
	value       any
	// isResponse says that Oppflow writes the document; later versions of Oppflow may add members to a
	// response.
	isResponse bool
}

func documents() []document {
	all := []document{{name: "start", title: "Input of the workflow " + lifecycle.WorkflowType, value: opportunity.Start{}}}
	for _, m := range opportunity.MessageTypes() {
		all = append(all, document{name: string(m.Name), title: "Payload of the signal and the update " + string(m.Name), value: m.Empty})
	}
	return append(all, []document{
		{name: lifecycle.CreateOutcome.Name, title: "Payload of the update " + lifecycle.CreateOutcome.Name, value: lifecycle.CreateOutcomeInput{}},
		{name: lifecycle.OutcomeOf.Name, title: "Payload of the query " + lifecycle.OutcomeOf.Name, value: lifecycle.OutcomeInput{}},
		{name: lifecycle.CreateOutcome.Name + "-result", title: "Response of the update " + lifecycle.CreateOutcome.Name, value: opportunity.CreateOutcome{}, isResponse: true},
		{name: lifecycle.OutcomeOf.Name + "-result", title: "Response of every update except " + lifecycle.CreateOutcome.Name + ", and of the query " + lifecycle.OutcomeOf.Name, value: opportunity.Outcome{}, isResponse: true},
		{name: lifecycle.View.Name, title: "Response of the query " + lifecycle.View.Name, value: opportunity.View{}, isResponse: true},
		{name: "ended", title: "Result of the workflow " + lifecycle.WorkflowType, value: opportunity.RunResult{}, isResponse: true},
		{name: "error", title: "Error of Oppflow, in the details of a Temporal failure and in the member error of an outcome", value: opportunity.Error{}, isResponse: true},
	}...)
}

func schemas(checkout string) (map[string][]byte, error) {
	source, err := readSource(checkout)
	if err != nil {
		return nil, err
	}
	files := make(map[string][]byte)
	for _, d := range documents() {
		schema, err := d.schema(source)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", d.name, err)
		}
		raw, err := json.Marshal(schema)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", d.name, err)
		}
		var file bytes.Buffer
		if err := json.Indent(&file, raw, "", "  "); err != nil {
			return nil, fmt.Errorf("%s: %w", d.name, err)
		}
		file.WriteByte('\n')
		text := file.Bytes()
		for _, c := range []string{"<", ">", "&"} { // json.Marshal escapes these characters only for HTML
			text = bytes.ReplaceAll(text, fmt.Appendf(nil, `\u%04x`, c[0]), []byte(c))
		}
		files[d.name+".json"] = text
	}
	return files, nil
}

func (d document) schema(source *sourceInfo) (*jsonschema.Schema, error) {
	rules := constraints{source: source, isResponse: d.isResponse}
	reflector := jsonschema.Reflector{
		Anonymous: true, ExpandedStruct: true, AllowAdditionalProperties: d.isResponse,
		Mapper: rules.scalar, LookupComment: source.comment,
	}
	schema := reflector.Reflect(d.value)
	schema.ID, schema.Title = jsonschema.ID(schemaIDPrefix+d.name+".json"), d.title
	if !d.isResponse {
		for name, definition := range schema.Definitions {
			rules.apply(name, definition)
		}
		rules.applyTextRules(reflect.TypeOf(d.value), schema)
		rules.apply(reflect.TypeOf(d.value).Name(), schema)
	}
	return schema, rules.err
}
