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

// Credentials returns the source of the API's access tokens from resolved settings. The source is a
// fixed token, or an OAuth client that renews tokens. The source logs problems with the logger; a
// nil logger is slog.Default. Calls of the API also return these problems.
func Credentials(api settings.API, logger *slog.Logger) (oauth.TokenSource, error) {
	return newTokenSource(api, logger, func() {})
}

// newTokenSource does the work of Credentials, and calls replaced before the source uses a refresh
// token that another process wrote to the file.
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

// refreshToken stores each new refresh token in the file that contained the first one, if the first
// one came from a file.
//
// The endpoint returns a new refresh token with every renewal (observed). The support of
// Administrate says that old refresh tokens stay valid (documented), but no document promises this
// for every tenant and without a time limit. After the loss of a refresh token, the application
// must be authorised again. The program therefore writes the new refresh token to the file before
// it uses the new access token. The write replaces the whole token or leaves the file unchanged.
// The program cannot write a token that came from a variable, or from a file that is mounted
// read-only or by itself. The program then keeps the new token in memory and logs one warning.
//
// Other processes may use the same file. The program reads the file before every renewal, and uses
// a token that another process has written.
type refreshToken struct {
	file     string // "" if the refresh token came from a variable
	replaced func() // called when another token is in the file

	mu     sync.Mutex
	inFile string // the token in the file at the last read
	newest string
	warned bool
}

// RefreshToken returns the newest token.
func (r *refreshToken) RefreshToken() (string, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.reload()
	return r.newest, nil
}

// reload uses a token that another process has written to the file. A file that cannot be read changes nothing,
// because another process may be replacing the file.
func (r *refreshToken) reload() {
	if r.file == "" {
		return
	}
	if found, err := settings.ReadSecret(r.file); err == nil && found.Reveal() != r.inFile {
		r.inFile, r.newest = found.Reveal(), found.Reveal()
		r.replaced()
	}
}

// Replaced stores next in memory and in the file. Only the first failure to write is an error.
func (r *refreshToken) Replaced(old, next string) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.reload()
	if r.newest != old {
		return nil // another process or an operator has replaced the token first
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

// replaceSecret replaces the file's content by the secret, in one step. If the path is a link, it
// stays a link. The file keeps its permissions.
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

// fileCause returns a file error without the path of the temporary file.
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
