package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strconv"
	"time"

	"github.com/spf13/cobra"
	"go.temporal.io/sdk/client"

	"github.com/oppflow/oppflow/lifecycle"
	"github.com/oppflow/oppflow/playbook"
	"github.com/oppflow/oppflow/settings"
	"github.com/oppflow/oppflow/worker/host"
)

// clockMargin is how far this machine's clock may be ahead of the Temporal server's clock.
const clockMargin = 5 * time.Second

func (p *program) deployPlaybook() *cobra.Command {
	var by string
	var above int
	var allowUnknown bool
	api := settings.API{Environment: p.env}
	command := &cobra.Command{
		Use:   "deploy FILE [flags]",
		Short: "Deploy a playbook to a namespace, for all of its workers",
		Long: `deploy checks the playbook and stores the playbook as a new version of the namespace's playbook. deploy returns when the new version
is in force. The new version comes into force after 45 seconds, because every worker must read the version first. As soon as the
version is in force, no worker plans a transition by an earlier version. Effects and transitions that were planned earlier keep
their plan. In a namespace in which no worker has run, the first version is in force at once. If the latest version has the same
text, deploy stores nothing. If FILE is -, deploy reads the playbook from standard input.

With the settings of the API, deploy first compares the names of steps, stages, regions, sending addresses and attributes in the playbook with
those of the tenant. deploy reports each name that the tenant does not have, or has twice, with the line and the column, and stores
nothing. If the API does not respond within 10 seconds, deploy skips the comparison.`,
		Example:           "  oppflow playbook deploy playbook.yaml --by ada\n  oppflow playbook deploy - < playbook.yaml",
		Args:              exactArgs("FILE"),
		ValidArgsFunction: completeYAML,
	}
	form := outputFlag(command)
	command.Flags().StringVar(&by, "by", "", "name of the person who deploys the playbook; oppflow playbook list shows this name")
	command.Flags().IntVar(&above, "above", 0, "the new version has a number above this number; for a namespace that lost its versions")
	command.Flags().BoolVar(&allowUnknown, "allow-unknown-names", false, "deploy the playbook even if the playbook contains names that the tenant does not have")
	connection := p.connection(command.Flags(), updateTimeout)
	readerFlags(command.Flags(), &api)
	command.RunE = func(command *cobra.Command, args []string) error {
		if above < 0 {
			return usagef("--above %d: must be the number of a version", above)
		}
		file, err := readPlaybook(command, args[0])
		if err != nil {
			return err
		}
		loaded, err := p.loadPlaybook(fileName(args[0]), file)
		if err != nil {
			return err
		}
		if err := p.checkNamesBeforeDeploy(command.Context(), &api, namedPlaybook{fileName(args[0]), loaded}, allowUnknown); err != nil {
			return err
		}
		ctx, temporal, done, err := connection.open(command.Context())
		if err != nil {
			return err
		}
		defer done()
		return p.deploy(ctx, command.Context(), temporal, connection, form, lifecycle.Deployment{
			Text: string(file), Digest: loaded.Digest(), DeployedBy: by, NumberAbove: above,
		})
	}
	return command
}

func (p *program) loadPlaybook(name string, file []byte) (*playbook.Playbook, error) {
	loaded, err := playbook.Load(file)
	result := playbookReport{File: name}
	if errors.As(err, &result.Diagnostics) {
		showPlaybook(p.stdout, result)
		return nil, result.asError()
	}
	return loaded, err
}

// ctx limits the time for storing the playbook, and waiting limits the time until the playbook is
// in force.
func (p *program) deploy(ctx, waiting context.Context, temporal client.Client, connection *connection, form *output, d lifecycle.Deployment) error {
	deployed, err := host.DeployPlaybook(ctx, temporal, d)
	if err != nil {
		return connection.explainError(err)
	}
	if err := p.awaitInForce(waiting, deployed); err != nil {
		return err
	}
	return form.show(p.stdout, deployed, func(w io.Writer) {
		v := deployed.Version
		if deployed.Unchanged {
			line(w, fmt.Sprintf("Version %d, deployed %s, already has this text and is in force. deploy stored nothing.", v.Number, deployedText(v)))
			return
		}
		line(w, fmt.Sprintf("Version %d is in force since %s (%s).", v.Number, v.InForceAt.UTC().Format(time.RFC3339), versionText(v)))
	})
}

// For a version that this deployment stored, awaitInForce waits for InForceAt minus StoredAt, which
// does not depend on this machine's clock. For a version that an earlier deployment stored,
// awaitInForce waits until this machine's clock shows InForceAt plus clockMargin, but not longer
// than InForceAt minus StoredAt.
func (p *program) awaitInForce(ctx context.Context, deployed lifecycle.DeployResult) error {
	v := deployed.Version
	wait := v.InForceAt.Sub(v.StoredAt)
	if deployed.Unchanged && wait > 0 {
		wait = min(wait, time.Until(v.InForceAt)+clockMargin)
	}
	if wait <= 0 {
		return nil
	}
	line(p.stderr, fmt.Sprintf("Version %d is stored (%s). The version comes into force in %s.", v.Number, versionText(v), wait.Round(time.Second)))
	select {
	case <-ctx.Done():
		return explainedf("deploy was interrupted; version %d of the playbook is stored and comes into force at %s", v.Number, v.InForceAt.UTC().Format(time.RFC3339))
	case <-time.After(wait):
		return nil
	}
}

func versionText(v lifecycle.PlaybookVersion) string {
	text := fmt.Sprintf("digest %s, %d bytes", v.Digest, v.Bytes)
	if v.Restores > 0 {
		text += fmt.Sprintf(", with the text of version %d", v.Restores)
	}
	return text
}

func deployedText(v lifecycle.PlaybookVersion) string {
	text := v.StoredAt.UTC().Format(time.RFC3339)
	if v.DeployedBy != "" {
		text += " by " + v.DeployedBy
	}
	return text
}

func (p *program) listPlaybooks() *cobra.Command {
	command := &cobra.Command{
		Use:   "list [flags]",
		Short: "List the versions of a namespace's playbook",
		Long: `list shows the last 20 versions of the namespace's playbook, latest first: who deployed each version, when, and since when the
version is in force. Oppflow keeps up to 768 KiB of texts and drops the oldest texts first. A version without its text cannot be
restored.`,
		Example:           "  oppflow playbook list\n  oppflow playbook list --output json",
		Args:              exactArgs(),
		ValidArgsFunction: completeNothing,
	}
	form := outputFlag(command)
	connection := p.connection(command.Flags(), updateTimeout)
	command.RunE = func(command *cobra.Command, _ []string) error {
		ctx, temporal, done, err := connection.open(command.Context())
		if err != nil {
			return err
		}
		defer done()
		versions, err := host.PlaybookVersions(ctx, temporal)
		if err != nil {
			return connection.explainError(err)
		}
		if versions == nil {
			versions = lifecycle.PlaybookVersions{}
		}
		return form.show(p.stdout, versions, func(w io.Writer) { showVersions(w, versions, time.Now()) })
	}
	return command
}

func showVersions(w io.Writer, versions lifecycle.PlaybookVersions, now time.Time) {
	if len(versions) == 0 {
		line(w, "The namespace has no playbook; deploy one with: oppflow playbook deploy FILE")
		return
	}
	inForce, _ := versions.InForce(now)
	line(w, "VERSION", "STATE", "STORED", "IN FORCE SINCE", "BY", "DIGEST", "BYTES", "NOTE")
	for n := range versions {
		v := versions[len(versions)-1-n]
		state := "replaced"
		switch {
		case v.Number == inForce.Number:
			state = "in force"
		case v.Number > inForce.Number:
			state = "stored"
		}
		note := ""
		if v.Restores > 0 {
			note = fmt.Sprintf("has the text of version %d", v.Restores)
		}
		if v.TextDropped {
			note = "the text was dropped"
		}
		line(w, strconv.Itoa(v.Number), state, v.StoredAt.UTC().Format(time.RFC3339), v.InForceAt.UTC().Format(time.RFC3339),
			orDash(v.DeployedBy), orDash(v.Digest), strconv.Itoa(v.Bytes), orDash(note))
	}
}

func (p *program) rollBackPlaybook() *cobra.Command {
	var by string
	command := &cobra.Command{
		Use:   "rollback [NUMBER] [flags]",
		Short: "Deploy an older version of a namespace's playbook again",
		Long: `rollback stores a new version of the namespace's playbook with the text of an older version: version NUMBER, or the version before
the latest. rollback returns when the new version is in force.`,
		Example: "  oppflow playbook rollback\n  oppflow playbook rollback 3 --by ada",
		Args: func(command *cobra.Command, args []string) error {
			if len(args) > 1 {
				return usagef("unexpected argument %q; usage: %s", args[1], command.UseLine())
			}
			return nil
		},
		ValidArgsFunction: completeNothing,
	}
	form := outputFlag(command)
	command.Flags().StringVar(&by, "by", "", "name of the person who deploys the playbook; oppflow playbook list shows this name")
	connection := p.connection(command.Flags(), updateTimeout)
	command.RunE = func(command *cobra.Command, args []string) error {
		number := 0
		if len(args) == 1 {
			var err error
			if number, err = strconv.Atoi(args[0]); err != nil || number < 1 {
				return usagef("NUMBER: %q: must be the number of a version; oppflow playbook list shows the numbers", args[0])
			}
		}
		ctx, temporal, done, err := connection.open(command.Context())
		if err != nil {
			return err
		}
		defer done()
		versions, err := host.PlaybookVersions(ctx, temporal)
		if err != nil {
			return connection.explainError(err)
		}
		old, err := earlierVersion(versions, number)
		if err != nil {
			return err
		}
		if versions, err = host.PlaybookVersions(ctx, temporal, old.Number); err != nil {
			return connection.explainError(err)
		}
		old, _ = versions.ByNumber(old.Number)
		loaded, err := p.loadPlaybook(fmt.Sprintf("version %d", old.Number), []byte(old.Text))
		if err != nil {
			return err
		}
		return p.deploy(ctx, command.Context(), temporal, connection, form, lifecycle.Deployment{
			Text: old.Text, Digest: loaded.Digest(), DeployedBy: by, Restores: old.Number,
		})
	}
	return command
}

func earlierVersion(versions lifecycle.PlaybookVersions, number int) (lifecycle.PlaybookVersion, error) {
	var old lifecycle.PlaybookVersion
	found := true
	switch latest, some := versions.Latest(); {
	case !some:
		return old, explainedf("the namespace has no playbook; deploy one with: oppflow playbook deploy FILE")
	case number == 0 && len(versions) == 1:
		return old, explainedf("the playbook has no version before version %d", latest.Number)
	case number == 0:
		old = versions[len(versions)-2]
	default:
		old, found = versions.ByNumber(number)
	}
	switch {
	case !found:
		return old, explainedf("version %d of the playbook does not exist or is no longer stored; oppflow playbook list shows the stored versions", number)
	case old.TextDropped:
		return old, explainedf("the text of version %d is no longer stored; deploy the file of this version with: oppflow playbook deploy FILE", old.Number)
	}
	return old, nil
}
