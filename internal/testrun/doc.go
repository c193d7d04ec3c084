// Package testrun runs a pytest suite in workers and tells what happens there, event by event.
//
// The far end needs pytest, of a release from 4.6 on, and nothing else: what plugin/ has travels
// as one source and is executed in the main thread of each worker. There it starts pytest with
// itself as a plugin. Every worker collects the suite, or is forked from one that has. This end
// decides which worker runs which tests, as pytest-xdist's names for that promise, and hands what
// the workers report to one function. It prints nothing.
package testrun
