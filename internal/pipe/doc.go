// Package pipe makes the pipes between this process and those it starts, and reads them. The pipes
// are large and have deadlines, and a Reader does not sleep where answers come at once.
package pipe
