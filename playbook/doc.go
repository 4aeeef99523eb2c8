// Package playbook holds a tenant's rules as data: which side effects go with a move from step to step, and which
// follow-ups a step asks for. The package loads a playbook from YAML and reports all its mistakes at once. It
// explains a playbook in words. It plans what is done about one opportunity at one moment.
//
// The package is pure. A plan is a function of the playbook and the facts: the same facts give the same plan, on
// every machine. The package reads no clock and no file, uses no network and does not know the Temporal SDK. Of
// this module it may import only the room opportunity. Other packages carry the plans out.
package playbook
