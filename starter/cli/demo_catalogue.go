package cli

import (
	"os"

	"go.yaml.in/yaml/v4"

	"github.com/oppflow/oppflow/sandbox/catalogue"
)

// demoCatalogue creates a file with the catalogue for the commands demo and up. The caller removes
// the file. The catalogue is the sandbox's default catalogue, with one difference: each transition
// to a Won step has triggers that issue training tokens and create the invoice. The demo needs the
// triggers, because the API has no operation that issues tokens or creates an invoice.
func demoCatalogue() (path string, err error) {
	known, err := catalogue.Default()
	if err != nil {
		return "", err
	}
	won := make(map[int64]bool)
	for _, stage := range known.Stages {
		for _, step := range known.Steps {
			won[step.ID] = won[step.ID] || step.Stage == stage.ID && stage.State == "Won"
		}
	}
	for i, move := range known.Transitions {
		if won[move.To] {
			known.Transitions[i].Triggers = []string{"token", "invoice"}
		}
	}
	content, err := yaml.Dump(known)
	if err != nil {
		return "", err
	}
	file, err := os.CreateTemp("", "oppflow-demo-*.yaml")
	if err != nil {
		return "", err
	}
	_, err = file.Write(content)
	if closeErr := file.Close(); err == nil {
		err = closeErr
	}
	return file.Name(), err
}
