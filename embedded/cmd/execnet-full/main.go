// Execnet-full is the program execnet with a CPython inside: for hosts without Python, where
// python=embedded, and the source that a driver sends to a worker, need one. "execnet help" is its
// documentation. See package embedded.
package main

import (
	_ "github.com/go-execnet/execnet/embedded"
	"github.com/go-execnet/execnet/internal/command"
)

func main() { command.Main() }
