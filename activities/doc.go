// Package activities is the contract between workflows and the code that touches the
// outside: the registered names of the activities, their inputs and results, and the
// options they run with, named by intent. It holds no implementation and does no I/O.
//
// A result proves itself: the result names its subject. A result that is empty, or has
// another subject, proves nothing.
//
// An activity that changes something makes at most one request to the Administrate API,
// has a single attempt and returns its fate as a result. An activity that reads makes one
// request, and further requests only where names have to be looked up. A read may be
// repeated freely and fails with an error.
package activities
