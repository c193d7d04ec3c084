package bootstrap

import "github.com/go-execnet/execnet/internal/pystring"

func pyString(s string) string { return pystring.ASCII(s) }
func pyBytes(p []byte) string  { return pystring.Bytes(p) }
