package cli

import (
	"context"
	"fmt"
	"io"
	"time"

	"github.com/spf13/cobra"

	"github.com/oppflow/oppflow/administrate"
	"github.com/oppflow/oppflow/playbook"
	"github.com/oppflow/oppflow/playbook/diagnostic"
	"github.com/oppflow/oppflow/settings"
	"github.com/oppflow/oppflow/worker/host"
)

// namesTimeout limits how long the comparison of a playbook with the tenant may take before a
// deployment.
const namesTimeout = 10 * time.Second

type namesReport struct {
	File        string          `json:"file"`
	Diagnostics diagnostic.List `json:"mistakes"`
	// NotCompared has one line for each kind of names that was not compared, with the reason.
	NotCompared []string `json:"notCompared"`
}

type namedPlaybook struct {
	name   string
	loaded *playbook.Playbook
}

// openPlaybook loads a playbook and prints its mistakes. The name "default" means the built-in
// playbook.
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

// If the API refuses to return a list, compareNames does not compare the names of the list.
func compareNames(ctx context.Context, client *administrate.Client, book namedPlaybook) (namesReport, error) {
	report := namesReport{File: book.name, Diagnostics: diagnostic.List{}, NotCompared: []string{}}
	tenant, refused, err := host.ReadTenantObjects(ctx, client, book.loaded.NameKinds())
	report.NotCompared = append(report.NotCompared, refused...)
	if err != nil {
		return report, err
	}
	report.Diagnostics = append(report.Diagnostics, book.loaded.CompareNames(tenant)...)
	return report, nil
}

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
// standard output is for the result of the deployment. If the API does not respond, the command
// deploys the playbook without a comparison.
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
