// Execnet runs Python source in any number of interpreters from the command line. "execnet help" is
// its documentation.
package main

import "github.com/go-execnet/execnet/internal/command"

func main() { command.Main() }
