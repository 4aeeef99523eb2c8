// Package activities is the contract between the workflows and the code that makes requests to
// other systems: the registered names of the activities, their inputs and results, and their
// options.
//
// Each result names its subject, such as the record that the activity read or changed. A result
// that is empty or names another subject proves nothing about the request.
//
// An activity that changes something makes at most one request to the Administrate API, has a
// single attempt, and reports in its result whether the change was made.
package activities
