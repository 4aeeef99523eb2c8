// Package service sends signed requests to the services of the tenant. Its results have the types of
// package activities. The package knows no playbook and no effect.
package service
