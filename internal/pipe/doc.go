// Package pipe makes the pipes between us and the processes we start, and reads them: large ones,
// with deadlines, and without sleep where answers come at once.
package pipe
