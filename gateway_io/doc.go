// Package gatewayio makes the byte pipes that gateways run on: each value here implements
// gatewaybase.IO for one way of reaching a Python interpreter.
//
//   - A local interpreter is a [Process]: [Popen] starts the one that a specification asks for, [Start] runs any command
//     whose stdin and stdout are to be the pipe.
//   - An interpreter on another host is reached by a built-in ssh client: an [SSHPool] holds the connections, one for all
//     gateways of a host, and starts interpreters over them. With sshclient=openssh it runs the ssh command.
//   - A [Socket] is a connection to a socket server, with TLS if the spec says so ([OpenSocket]); [InstallSocket] starts one through another gateway.
//   - A [Proxy] is an interpreter that another gateway's worker starts or connects to ([StartVia]).
//
// The package corresponds to execnet's gateway_io.py and gateway_socket.py.
package gatewayio
