// Package names finds the objects of the API to which names refer.
package names
