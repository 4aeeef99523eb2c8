// Package playbook contains a tenant's rules as data: which effects a transition has, which effects
// follow an external change, and which follow-ups a step has.
//
// The same playbook and the same facts give the same plan on every machine. The package reads no
// clock and no file, uses no network and does not depend on the Temporal SDK. The package may
// import only the packages opportunity and exchange of this module. Other packages execute the
// plans.
package playbook
