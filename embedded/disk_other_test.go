//go:build !linux

package embedded

// prepareDisk is for Linux alone.
func prepareDisk() error { return nil }
