package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"strings"

	"github.com/spf13/cobra"

	"github.com/oppflow/oppflow/payload"
)

func (p *program) keys() *cobra.Command {
	command := &cobra.Command{
		Use:   "keys create|list|add|promote|remove",
		Short: "Create a file with encryption keys, or change its keys",
		Long: `A key file contains the keys that encrypt and decrypt the payloads in Temporal. The primary key encrypts, and every key decrypts.
Workers read the file again every ten seconds.

To change the primary key, run keys add, copy the file to every worker, caller and codec server, run keys promote, and copy the
file again. Keep the former key as long as the namespace keeps histories. docs/encryption.md explains the keys and the format.`,
		Example: "  oppflow keys create keys.json\n  oppflow keys add keys.json\n  oppflow keys promote keys.json 3291537540",
		RunE: func(command *cobra.Command, args []string) error {
			if len(args) > 0 {
				return unknownCommand(command, args[0])
			}
			return usagef("the subcommand create, list, add, promote or remove is missing; usage: %s", command.UseLine())
		},
		ValidArgsFunction: completeNothing,
	}
	add := func(keys *payload.KeySet, _ payload.KeyID) (*payload.KeySet, error) {
		changed, _, err := keys.WithNewKey()
		return changed, err
	}
	for _, c := range []*cobra.Command{
		p.keysCommand("create FILE", "Create a key file with one new key, for its owner only", createKeyFile),
		p.keysCommand("list FILE", "List the ids of the keys", readKeyFile),
		p.keysCommand("add FILE", "Add a new key that only decrypts until it is promoted", changeKeyFile(add)),
		p.keysCommand("promote FILE KEY", "Make another key of the file the primary key", changeKeyFile((*payload.KeySet).WithPrimary)),
		p.keysCommand("remove FILE KEY", "Remove a key; what is encrypted with the key cannot be read any more", changeKeyFile((*payload.KeySet).Without)),
	} {
		c.DisableFlagsInUseLine = true
		c.Flags().SortFlags = false
		command.AddCommand(c)
	}
	return command
}

type keyFileWork func(context.Context, payload.FileSource, payload.KeyID) (*payload.KeySet, error)

// use is the command's name with its arguments.
func (p *program) keysCommand(use, short string, work keyFileWork) *cobra.Command {
	command := &cobra.Command{Use: use + " [flags]", Short: short, Args: exactArgs(strings.Fields(use)[1:]...)}
	form := outputFlag(command)
	command.RunE = func(command *cobra.Command, args []string) error {
		file := payload.FileSource{Path: args[0]}
		var id payload.KeyID
		if len(args) > 1 {
			var err error
			if id, err = payload.ParseKeyID(args[1]); err != nil {
				return usagef("%v", err)
			}
		}
		keys, err := work(command.Context(), file, id)
		if err != nil {
			return err
		}
		return form.show(p.stdout, keyList{File: file.Path, Primary: keys.Primary(), Keys: keys.IDs()}, func(w io.Writer) { showKeys(w, keys) })
	}
	return command
}

// keyList is the output of the commands for key files, and contains no secret.
type keyList struct {
	File    string          `json:"file"`
	Primary payload.KeyID   `json:"primary"`
	Keys    []payload.KeyID `json:"keys"`
}

func showKeys(w io.Writer, keys *payload.KeySet) {
	for _, id := range keys.IDs() {
		use := "decrypts"
		if id == keys.Primary() {
			use = "encrypts and decrypts (primary)"
		}
		line(w, fmt.Sprintf("%v  %s", id, use))
	}
}

func createKeyFile(_ context.Context, file payload.FileSource, _ payload.KeyID) (*payload.KeySet, error) {
	keys, err := payload.GenerateKeySet()
	if err != nil {
		return nil, err
	}
	err = file.Create(keys)
	if errors.Is(err, fs.ErrExist) {
		return nil, usagef("%s exists; give the path of a new file, or run oppflow keys add", file.Path)
	}
	return keys, err
}

func readKeyFile(ctx context.Context, file payload.FileSource, _ payload.KeyID) (*payload.KeySet, error) {
	return file.ReadKeys(ctx)
}

func changeKeyFile(change func(*payload.KeySet, payload.KeyID) (*payload.KeySet, error)) keyFileWork {
	return func(ctx context.Context, file payload.FileSource, id payload.KeyID) (*payload.KeySet, error) {
		keys, err := file.ReadKeys(ctx)
		if err != nil {
			return nil, err
		}
		changed, err := change(keys, id)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", file.Path, err)
		}
		return changed, file.Replace(changed)
	}
}
