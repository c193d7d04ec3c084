package native

// Renice does nothing: Windows has no niceness, and execnet ignores nice there.
func Renice(int) error { return nil }
