// Package gatewaybase implements execnet's protocol: messages, gateways and channels, with the same
// code at both ends.
//
// A [Gateway] owns a byte pipe, an [IO], to another interpreter. One goroutine reads the pipe and
// gives each message to the channel that it is for; a goroutine that sends writes its message
// itself if nobody else writes. A [Channel] carries Python values both ways: Send serializes a Go
// value, Receive returns what has come, in order. [protocol.md] specifies every byte.
//
// The package corresponds to execnet's gateway_base.py and to the class Gateway of gateway.py.
//
// [protocol.md]: https://github.com/go-execnet/execnet/blob/main/docs/protocol.md
package gatewaybase
