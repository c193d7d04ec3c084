//go:build !unix

package main

import "os"

// alive reports whether there is a process of the id.
func alive(pid int) bool {
	process, err := os.FindProcess(pid)
	if err != nil {
		return false
	}
	_ = process.Release()
	return true
}

// memory is the most that a process that has ended had in memory, in bytes; 0 if that is not known.
func memory(*os.ProcessState) int64 { return 0 }
