// Package tms implements the activities over the Administrate API. It is the
// only code of the worker that touches the outside. It keeps nothing but a
// cache of names, decides nothing about the course of an opportunity, and sends
// at most one request that changes something in one activity.
package tms
