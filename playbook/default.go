package playbook

import _ "embed" // the default playbook is a file like any other

//go:embed default.yaml
var defaultFile string // never written to: nothing else can be embedded into

// DefaultFile is the playbook of a typical tenant, as a file: what the documentation
// of the TMS says is usual. Nobody follows it who does not ask for it.
func DefaultFile() []byte { return []byte(defaultFile) }
