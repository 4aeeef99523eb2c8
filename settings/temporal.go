package settings

import (
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"github.com/spf13/pflag"
	"go.temporal.io/sdk/client"
	"go.temporal.io/sdk/contrib/envconfig"
)

// Temporal contains the settings for the connection to the Temporal service. Values without a flag
// come from the standard TEMPORAL_* variables (TEMPORAL_ADDRESS, TEMPORAL_NAMESPACE,
// TEMPORAL_API_KEY, the TEMPORAL_TLS variables) or from a profile of the standard configuration
// file. Oppflow reads the variables and the file in the same way as Temporal's own command line.
type Temporal struct {
	// Address is the service's host:port: --temporal-address, TEMPORAL_ADDRESS. The default is localhost:7233.
	Address string
	// Namespace is the Temporal namespace: --temporal-namespace, TEMPORAL_NAMESPACE. The default is
	// "default".
	Namespace string
	// Profile is the name of a section of the configuration file: --temporal-profile,
	// TEMPORAL_PROFILE. The default profile is "default", and the configuration file need not
	// contain the section "default". If the flag or the variable names a section, the configuration
	// file must contain this section.
	Profile string
	// ConfigFile is the path of the configuration file: --temporal-config-file, TEMPORAL_CONFIG_FILE.
	// The default of ConfigFile is temporalio/temporal.toml in the user's configuration directory.
	ConfigFile string
	// EncryptionKeys is the path of the file with the keys that encrypt and decrypt payloads:
	// --encryption-keys, OPPFLOW_ENCRYPTION_KEYS. Without a path, payloads are not encrypted.
	EncryptionKeys string
	// Environment contains the variables that ClientOptions reads; nil means the environment of the
	// process.
	Environment Environment
}

// AddFlags binds the fields to flags.
func (t *Temporal) AddFlags(fs *pflag.FlagSet) {
	fs.StringVar(&t.Address, "temporal-address", t.Address, "host:port of the Temporal service (default localhost:7233) [TEMPORAL_ADDRESS]")
	fs.StringVar(&t.Namespace, "temporal-namespace", t.Namespace, "Temporal namespace (default \"default\") [TEMPORAL_NAMESPACE]")
	fs.StringVar(&t.Profile, "temporal-profile", t.Profile, "name of a profile in Temporal's configuration file [TEMPORAL_PROFILE]")
	fs.StringVar(&t.ConfigFile, "temporal-config-file", t.ConfigFile, "path of Temporal's configuration file [TEMPORAL_CONFIG_FILE]")
	fs.StringVar(&t.EncryptionKeys, "encryption-keys", t.EncryptionKeys, "path of the file with the keys that encrypt payloads; oppflow keys creates the file (default: payloads are not encrypted) [OPPFLOW_ENCRYPTION_KEYS]")
}

// KeyFile returns the path of the file with the encryption keys, or "" when payloads are not
// encrypted.
func (t *Temporal) KeyFile() string {
	if t.EncryptionKeys != "" {
		return t.EncryptionKeys
	}
	return t.Environment.Get("OPPFLOW_ENCRYPTION_KEYS")
}

// ClientOptions returns the options of a Temporal client: address, namespace, credentials, TLS and
// headers. The caller adds the logger, the identity, the interceptors and the data converter.
// ClientOptions ignores a codec that the profile names.
func (t *Temporal) ClientOptions() (client.Options, error) {
	profile, err := envconfig.LoadClientConfigProfile(envconfig.LoadClientConfigProfileOptions{
		ConfigFilePath:    t.configFile(),
		ConfigFileProfile: t.Profile,
		EnvLookup:         t.Environment,
	})
	if err != nil {
		return client.Options{}, fmt.Errorf("Temporal settings (--temporal-config-file or TEMPORAL_CONFIG_FILE, --temporal-profile or TEMPORAL_PROFILE): %w", err)
	}
	if t.Address != "" {
		profile.Address = t.Address
	}
	if t.Namespace != "" {
		profile.Namespace = t.Namespace
	}
	if profile.Address == "" {
		profile.Address = client.DefaultHostPort
	}
	if profile.Namespace == "" {
		profile.Namespace = client.DefaultNamespace
	}
	if err := checkAddress(profile.Address); err != nil {
		return client.Options{}, fmt.Errorf("Temporal address %q (--temporal-address or TEMPORAL_ADDRESS): %w", profile.Address, err)
	}
	// Without this check, Temporal's library would ignore a wrong value of TEMPORAL_TLS and connect
	// without TLS.
	if text, ok := t.Environment.LookupEnv("TEMPORAL_TLS"); ok {
		if _, err := strconv.ParseBool(text); err != nil {
			return client.Options{}, fmt.Errorf("TEMPORAL_TLS %q: must be true or false", text)
		}
	}
	options, err := profile.ToClientOptions(envconfig.ToClientOptionsRequest{})
	if err != nil {
		return client.Options{}, fmt.Errorf("Temporal settings (TEMPORAL_TLS_* or the profile): %w", err)
	}
	return options, nil
}

// If Environment is given, the default configuration file is in the user's configuration directory
// of Environment. Without a path, Temporal's library would use the default configuration file of
// the environment of the process. A configuration file that does not exist counts as an empty file.
func (t *Temporal) configFile() string {
	switch file, ok := t.Environment.LookupEnv("TEMPORAL_CONFIG_FILE"); {
	case t.ConfigFile != "":
		return t.ConfigFile
	case ok:
		return file
	case t.Environment == nil:
		return envconfig.DefaultConfigFilePath()
	}
	dir := t.Environment.userConfigDir()
	if dir == "" {
		return os.DevNull
	}
	return filepath.Join(dir, "temporalio", "temporal.toml")
}

// checkAddress requires host:port. checkAddress does not check an address with a resolver's scheme
// (dns:///name:port), because the resolver checks the address.
func checkAddress(address string) error {
	if scheme, _, ok := strings.Cut(address, "://"); ok {
		if scheme == "http" || scheme == "https" {
			return errors.New("must be host:port without http://, such as localhost:7233")
		}
		return nil
	}
	host, port, err := net.SplitHostPort(address)
	if err != nil || host == "" {
		return errors.New("must be host:port, such as localhost:7233")
	}
	if n, err := strconv.ParseUint(port, 10, 16); err != nil || n == 0 {
		return errors.New("the port must be a number from 1 to 65535")
	}
	return nil
}
