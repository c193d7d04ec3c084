// Package gpython runs Python source in a Go worker, with gpython.
//
// # How an execution is made
//
// Each execution has an interpreter of its own (interp, a py.Context): its modules, its lock, its
// depth of calls. Nothing that a program can change is shared between two of them, so they run in
// parallel.
//
// # The lock
//
// gpython's objects are not safe for two goroutines, and a channel's callback runs in another
// goroutine than the program. So whoever runs Python holds the interpreter's lock, and everything
// that waits (receive, send, sleep, a Go function) lets go of it meanwhile: interp.blocking. A
// program that is busy hands it over at its loops and calls when somebody wants it. Callbacks go on
// after the source has ended, as in execnet.
//
// # What is changed in gpython
//
// Package pyvalue describes how gpython's jump table is reached. Here it is used for loops that can
// be interrupted, for exceptions that know their context, cause and traceback (hooks.go), for
// super() and for generators' values, throw and close. The entry of functions is reached by the
// variables py.VmEvalCode and py.VmRunFrame: they count the depth of calls and turn a panic into a
// SystemError. py.Compile refuses source that is nested too deeply for Go's stack, and corrects how
// gpython numbers the variables of closures (compiler.go). Contexts that are not interp run as
// before.
package gpython
