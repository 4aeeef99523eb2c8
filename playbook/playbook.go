package playbook

import (
	"crypto/sha256"
	_ "embed" // for the default playbook
	"encoding/hex"
	"encoding/json"
	"slices"
	"time"
)

// Playbook contains a tenant's rules, checked and ready for planning. The zero value has no rules and plans nothing. A
// Playbook does not change, so any number of goroutines may use it.
type Playbook struct {
	rules    Rules
	calendar businessCalendar
	// conditions contains the conditions, by their paths in the rules.
	conditions map[string]condition
	digest     string
	secrets    []secret
	// tenantNames are the names in the rules that refer to objects of the tenant.
	tenantNames []tenantName
}

// Load reads a playbook from YAML. An empty file is a playbook without rules. The returned error has the type
// diagnostic.List and contains all mistakes.
func Load(file []byte) (*Playbook, error) {
	c := checker{conditions: make(map[string]condition)}
	c.read(file, &c.rules)
	c.check()
	if mistakes := c.diagnostics.Sorted(); len(mistakes) > 0 {
		return nil, mistakes
	}
	loaded := &Playbook{
		rules: c.rules, calendar: c.rules.Calendar.compile(c.zone), conditions: c.conditions, digest: c.rules.digest(),
		tenantNames: c.collectTenantNames(),
	}
	for _, name := range sortedNames(c.rules.Services) {
		line, column := c.position("services." + name + ".secret")
		loaded.secrets = append(loaded.secrets, secret{c.rules.Services[name].Secret, line, column})
	}
	return loaded, nil
}

// Digest returns the digest of the rules: 16 bytes in hexadecimal digits. The digest does not
// depend on comments, formatting and the order of members.
func (p *Playbook) Digest() string {
	if p == nil || p.digest == "" {
		return Rules{}.digest()
	}
	return p.digest
}

// digest expects that the conditions of the rules are in their canonical form.
func (r Rules) digest() string {
	canonical := r
	canonical.Calendar.Holidays = slices.Clone(canonical.Calendar.Holidays)
	slices.SortFunc(canonical.Calendar.Holidays, func(a, b Date) int {
		return time.Date(a.Year, a.Month, a.Day, 0, 0, 0, 0, time.UTC).Compare(time.Date(b.Year, b.Month, b.Day, 0, 0, 0, 0, time.UTC))
	})
	data, err := json.Marshal(canonical)
	if err != nil {
		return "" // cannot happen for plain data
	}
	sum := sha256.Sum256(data)
	return hex.EncodeToString(sum[:16])
}

//go:embed default.yaml
var defaultFile string // no code writes to the variable; go:embed needs a variable

// DefaultFile returns the file of a playbook for a typical tenant. The default playbook does what
// the documentation of the TMS describes as usual.
func DefaultFile() []byte { return []byte(defaultFile) }
