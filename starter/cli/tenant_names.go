package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"time"

	"github.com/spf13/cobra"

	"github.com/oppflow/oppflow/activities/tms/names"
	"github.com/oppflow/oppflow/administrate"
	"github.com/oppflow/oppflow/opportunity"
	"github.com/oppflow/oppflow/playbook"
	"github.com/oppflow/oppflow/playbook/diagnostic"
	"github.com/oppflow/oppflow/settings"
)

// namesTimeout limits how long the comparison of a playbook with the tenant may take before a
// deployment.
const namesTimeout = 10 * time.Second

// namesReport is the comparison of the names in a playbook with the tenant's names in JSON.
type namesReport struct {
	File        string          `json:"file"`
	Diagnostics diagnostic.List `json:"mistakes"`
	// NotCompared has one line for each kind of names that was not compared, with the reason.
	NotCompared []string `json:"notCompared"`
}

// namedPlaybook is a playbook with the name of its file.
type namedPlaybook struct {
	name   string
	loaded *playbook.Playbook
}

// openPlaybook reads, parses and checks a playbook, and prints the mistakes in the playbook. The
// name "default" means the built-in playbook.
func (p *program) openPlaybook(command *cobra.Command, name string) (namedPlaybook, error) {
	file, opened := playbook.DefaultFile(), namedPlaybook{name: "the default playbook"}
	var err error
	if name != settings.DefaultPlaybook {
		if file, err = readPlaybook(command, name); err != nil {
			return opened, err
		}
		opened.name = fileName(name)
	}
	opened.loaded, err = p.loadPlaybook(opened.name, file)
	return opened, err
}

// compareNames compares the names of steps, stages, regions and sending addresses in the playbook
// with the names that the tenant has. compareNames reads only the tenant's lists that the
// comparison needs. If the API refuses to return a list, compareNames does not compare the names of
// the list.
func compareNames(ctx context.Context, client *administrate.Client, book namedPlaybook) (namesReport, error) {
	report := namesReport{File: book.name, Diagnostics: diagnostic.List{}, NotCompared: []string{}}
	var tenant playbook.TenantObjects
	kinds := book.loaded.NameKinds()
	for _, list := range []struct {
		names string
		kinds []playbook.NameKind
		read  func() error
	}{
		{"steps and stages", []playbook.NameKind{playbook.NamedStep, playbook.NamedStage}, func() (err error) {
			tenant.Steps, err = tenantSteps(ctx, client)
			return err
		}},
		{"regions", []playbook.NameKind{playbook.NamedRegion}, func() (err error) {
			tenant.Regions, err = tenantRegions(ctx, client)
			return err
		}},
		{"sending addresses", []playbook.NameKind{playbook.NamedSendingAddress}, func() (err error) {
			tenant.SendingAddresses, err = tenantSendingAddresses(ctx, client)
			return err
		}},
	} {
		if !slices.ContainsFunc(list.kinds, func(kind playbook.NameKind) bool { return slices.Contains(kinds, kind) }) {
			continue
		}
		err := list.read()
		var refused *administrate.RefusedError
		var invalid *administrate.InvalidError
		switch {
		case errors.As(err, &refused), errors.As(err, &invalid):
			report.NotCompared = append(report.NotCompared, fmt.Sprintf("the %s: %v", list.names, err))
		case err != nil:
			return report, err
		}
	}
	report.Diagnostics = append(report.Diagnostics, book.loaded.CompareNames(tenant)...)
	return report, nil
}

func tenantSteps(ctx context.Context, client *administrate.Client) ([]opportunity.Step, error) {
	steps := []opportunity.Step{}
	for wanted := (&administrate.LookupRequest{Steps: &administrate.PageRequest{}}); wanted != nil; {
		found, err := client.Lookup(ctx, *wanted)
		if err != nil {
			return nil, err
		}
		for _, step := range found.Steps {
			steps = append(steps, names.StepOf(step))
		}
		wanted = found.Next
	}
	return steps, nil
}

func tenantRegions(ctx context.Context, client *administrate.Client) ([]opportunity.Ref, error) {
	regions := []opportunity.Ref{}
	for wanted := (&administrate.LookupRequest{Regions: &administrate.PageRequest{}}); wanted != nil; {
		found, err := client.Lookup(ctx, *wanted)
		if err != nil {
			return nil, err
		}
		for _, region := range found.Regions {
			regions = append(regions, opportunity.Ref{ID: opportunity.ID(region.ID), Name: region.Name})
		}
		wanted = found.Next
	}
	return regions, nil
}

func tenantSendingAddresses(ctx context.Context, client *administrate.Client) ([]playbook.SendingAddress, error) {
	addresses := []playbook.SendingAddress{}
	for after := ""; ; {
		page, err := client.SendingAddresses(ctx, after)
		if err != nil {
			return nil, err
		}
		for _, address := range page.Addresses {
			addresses = append(addresses, playbook.SendingAddress{ID: opportunity.ID(address.ID), Name: address.Name, Verified: address.Verified})
		}
		if after = page.NextCursor; after == "" {
			return addresses, nil
		}
	}
}

// asError returns one error for all wrong names, or nil if no name is wrong.
func (n namesReport) asError() error {
	if len(n.Diagnostics) == 0 {
		return nil
	}
	return explainedf("%s has %s", n.File, countText(len(n.Diagnostics), "name that does not fit the tenant", "names that do not fit the tenant"))
}

func showNames(w io.Writer, n namesReport) {
	for _, mistake := range n.Diagnostics {
		line(w, fmt.Sprintf("%s:%s", n.File, mistake))
	}
	for _, text := range n.NotCompared {
		line(w, "These names are not compared with the tenant: "+text)
	}
}

// checkNamesBeforeDeploy compares the names in the playbook with the tenant's names, if the API
// settings are given. checkNamesBeforeDeploy prints the differences on standard error, because
// standard output is for the result of the deployment. If the TMS does not respond, the command
// deploys the playbook without the comparison of names.
func (p *program) checkNamesBeforeDeploy(ctx context.Context, api *settings.API, book namedPlaybook, allow bool) error {
	if len(book.loaded.NameKinds()) == 0 {
		return nil
	}
	notCompared := func(why string) {
		line(p.stderr, "oppflow: the names in the playbook are not compared with the tenant: "+oneLine(why))
	}
	if api.URL == "" && p.env.Get("ADMINISTRATE_URL") == "" {
		notCompared("set --api-url or ADMINISTRATE_URL, and the credentials of the API")
		return nil
	}
	var report namesReport
	err := p.withAPI(ctx, api, namesTimeout, func(ctx context.Context, client *administrate.Client) (err error) {
		report, err = compareNames(ctx, client, book)
		return err
	})
	if ctx.Err() != nil {
		return err
	}
	if err != nil {
		notCompared(err.Error())
		return nil
	}
	showNames(p.stderr, report)
	if allow {
		return nil
	}
	if wrong := report.asError(); wrong != nil {
		return explainedf("%v; the playbook is not stored; correct the names, or deploy with --allow-unknown-names", wrong)
	}
	return nil
}
