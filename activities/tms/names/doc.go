// Package names finds the objects of the API to which names refer. The package reads names from the
// API and caches their ids.
package names
