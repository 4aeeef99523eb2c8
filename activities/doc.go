// Package activities is the contract between workflows and the code that
// touches the outside: the registered names of the activities, their inputs and
// results, and the options they run with, named by intent. It holds no
// implementation and does no I/O.
//
// One activity is at most one request to the Administrate API. One that changes
// something has a single attempt and answers its fate as a result; one that
// reads may be repeated freely and fails with an error.
package activities
