// Package gpython is an engine for Go workers: it runs Python source with gpython v0.2.0
// (github.com/go-python/gpython), a Python 3.4 written in Go. A program adds it by importing it:
//
//	import _ "github.com/go-execnet/execnet/gpython"
//
// gpython is used as its release comes, and is far from CPython by itself: dicts take only str as
// keys and have no order, most methods of str, list and dict are missing, and endless recursion
// ends the process. This package and internal/pyvalue put that right from outside. docs/gpython.md
// says what programs can rely on.
//
// # Where things are
//
//   - patch.go is the one place where gpython itself is changed: a table of instructions, and why;
//   - internal/syntax reads the source; compiler.go, named.go and operations.go make it run;
//   - release.go refuses another release than the one that patch.go is written for;
//   - internal/pyvalue has values: types, operators, methods, builtins, and their conversion to Go;
//   - engine.go, interp.go and exceptions.go are an execution: start, lock, interruption, end;
//   - instructions.go, call.go, functions.go, generators.go, super.go and raise.go are the changed
//     instructions of patch.go;
//   - channel.go, gateway.go and channelfile.go are what execnet gives a program;
//   - the files that end in module.go, the os files and file.go are modules of CPython's library.
//
// # An execution
//
// Each execution has an interpreter of its own (interp, a py.Context): its modules, its lock, its
// depth of calls. Nothing that a program can change is shared between two of them, so they run in
// parallel.
//
// # The lock
//
// gpython's objects are not safe for two goroutines, and a channel's callback runs in another
// goroutine than the program. So whoever runs Python holds the interpreter's lock, and everything
// that waits (receive, send, sleep, a Go function) releases it meanwhile: interp.blocking. A
// program that is busy hands it over at its loops and calls when another goroutine wants it.
// Callbacks go on after the source has ended, as in execnet.
package gpython
