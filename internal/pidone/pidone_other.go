//go:build !linux

// Package pidone is process 1 of a container for a program that is started as that.
package pidone

// Main does nothing: only Linux has containers whose process 1 is any program.
func Main() {}
