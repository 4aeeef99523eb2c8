// Package service sends signed requests to the services of the tenant.
package service
