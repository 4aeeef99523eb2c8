package host

import (
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"sync"

	"github.com/moby/sys/atomicwriter"

	"github.com/oppflow/oppflow/administrate/oauth"
	"github.com/oppflow/oppflow/settings"
)

// Credentials returns the source of the access tokens for the API, for settings that were resolved
// before. The returned source is a fixed token, or an OAuth client that renews access tokens. The
// returned source logs problems with the logger; a nil logger is slog.Default.
func Credentials(api settings.API, logger *slog.Logger) (oauth.TokenSource, error) {
	return newTokenSource(api, logger, func() {})
}

// The returned source calls replaced before the source uses a refresh token that another process
// wrote to the file.
func newTokenSource(api settings.API, logger *slog.Logger, replaced func()) (oauth.TokenSource, error) {
	if !api.OAuth.Given() {
		return oauth.StaticToken(api.Token.Reveal()), nil
	}
	if logger == nil {
		logger = slog.Default()
	}
	options := oauth.Options{
		TokenURL: api.OAuth.TokenURL, ClientID: api.OAuth.ClientID, ClientSecret: api.OAuth.ClientSecret.Reveal(),
		OnFailure: func(err error) {
			logger.Warn("the worker has a problem with the credentials of the API", "problem", err.Error())
		},
	}
	if !api.OAuth.RefreshToken.Empty() {
		options.RefreshTokens = &refreshToken{
			file: api.OAuth.RefreshTokenFile, inFile: api.OAuth.RefreshToken.Reveal(), newest: api.OAuth.RefreshToken.Reveal(), replaced: replaced,
		}
	}
	source, err := oauth.NewEndpoint(options)
	if err != nil {
		return nil, err
	}
	return source, nil
}

// refreshToken stores the newest refresh token. If the first refresh token came from a file,
// refreshToken writes every new refresh token to this file.
//
// The OAuth endpoint returns a new refresh token with every renewal of the access token (observed).
// Administrate's support says that old refresh tokens stay valid (documented). No document promises
// this validity for every tenant or for an unlimited time. If the newest refresh token is lost, an
// operator must authorise the application again. To prevent the loss, the program writes a new
// refresh token to the file before the program uses the new access token. The write either replaces
// the whole refresh token in the file or leaves the file unchanged. The program cannot store a
// refresh token that came from an environment variable, from a read-only mount, or from a file that
// is itself a mount. If the program cannot write a new refresh token to a file, the program stores
// the token only in memory and logs one warning.
//
// Several processes may use the same file for the refresh token. Before every renewal, the program
// reads the file, and uses the refresh token in the file if another process has written the token.
type refreshToken struct {
	file     string // "" if the refresh token came from an environment variable
	replaced func() // called when the file contains a refresh token of another process

	mu     sync.Mutex
	inFile string // the refresh token that was in the file at the last read
	newest string
	warned bool
}

func (r *refreshToken) RefreshToken() (string, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.reload()
	return r.newest, nil
}

// If reload cannot read the file, reload changes nothing, because another process may be replacing
// the file at the moment.
func (r *refreshToken) reload() {
	if r.file == "" {
		return
	}
	if found, err := settings.ReadSecret(r.file); err == nil && found.Reveal() != r.inFile {
		r.inFile, r.newest = found.Reveal(), found.Reveal()
		r.replaced()
	}
}

// Replaced stores the new refresh token next in memory and in the file. Replaced returns an error
// only for the first failed write to the file.
func (r *refreshToken) Replaced(old, next string) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.reload()
	if r.newest != old {
		return nil // another process or an operator has already replaced the token
	}
	r.newest = next
	var problem error
	if r.file == "" {
		problem = errors.New("the OAuth endpoint replaced the refresh token, but after a restart the worker would use the old refresh token in ADMINISTRATE_REFRESH_TOKEN; put the refresh token into a file that the worker can write, and set ADMINISTRATE_REFRESH_TOKEN_FILE")
	} else if err := replaceSecret(r.file, next); err != nil {
		problem = fmt.Errorf("the OAuth endpoint replaced the refresh token, but the worker cannot write the new refresh token to %s: %w; after a restart the worker would use the old refresh token; give the worker write access to the file's directory", r.file, err)
	} else {
		r.inFile = next
	}
	if r.warned {
		return nil
	}
	r.warned = problem != nil
	return problem
}

// replaceSecret replaces the content of the file by the secret, in one step. If the path is a
// symbolic link, replaceSecret writes to the target of the link. The file keeps its permissions.
func replaceSecret(path, secret string) error {
	target, err := filepath.EvalSymlinks(path)
	if err != nil {
		return fileCause(err)
	}
	info, err := os.Stat(target)
	if err != nil {
		return fileCause(err)
	}
	return fileCause(atomicwriter.WriteFile(target, []byte(secret+"\n"), info.Mode().Perm()))
}

func fileCause(err error) error {
	var path *os.PathError
	var link *os.LinkError
	switch {
	case errors.As(err, &path):
		return path.Err
	case errors.As(err, &link):
		return link.Err
	}
	return err
}
