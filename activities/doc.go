// Package activities is the contract between workflows and the code that
// touches the outside: the registered names of the activities, their inputs and
// results, and the options they run with, named by intent. It holds no
// implementation and does no I/O.
//
// A result proves itself: it says what it is about, and one that is empty, or about
// something else, says nothing.
//
// An activity that changes something makes at most one request to the
// Administrate API, has a single attempt and answers its fate as a result. One
// that reads makes one request, and further ones only where names have to be
// looked up; it may be repeated freely and fails with an error.
package activities
