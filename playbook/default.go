package playbook

import _ "embed" // the default playbook is a file like any other

//go:embed default.yaml
var defaultFile string // never written to; only a variable can be embedded into

// DefaultFile returns the file of the playbook of a typical tenant. The playbook follows what the
// documentation of the TMS calls usual. A tenant uses the playbook only after choosing it.
func DefaultFile() []byte { return []byte(defaultFile) }
