// Package names finds the objects of the API that names mean. The package reads names in the API and
// caches their ids. It changes nothing in the TMS.
package names
