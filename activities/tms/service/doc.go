// Package service sends signed requests to the services of the tenant. The results of package
// service have the types of package activities. The package contains nothing about playbooks and
// effects.
package service
