// Package gatewaybase is execnet's protocol itself: messages, gateways and channels, the same code
// at both ends.
//
// A Gateway owns one byte pipe (an IO) to another interpreter. One goroutine reads it and hands
// each message to the channel it is for; whoever sends writes. A Channel carries Python values both
// ways: Send serializes a Go value, Receive hands out what came, in order. docs/protocol.md
// specifies every byte of it.
//
// The package corresponds to execnet's gateway_base.py and to the Gateway class of gateway.py.
package gatewaybase
