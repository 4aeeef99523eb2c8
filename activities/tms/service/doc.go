// Package service sends signed requests to the services of the tenant. The package contains nothing
// about playbooks and effects.
package service
