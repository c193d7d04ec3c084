// Package gatewayio makes the byte pipes that gateways run on: each value here implements gatewaybase.IO for one way of
// reaching a Python interpreter.
//
// A local interpreter is a [Process]: [Popen] starts the one that a specification asks for, [Start] runs any command
// whose stdin and stdout are to be the pipe.
package gatewayio
