// Package server gives whatever connects to it, over a socket or an ssh session, a worker process
// of its own.
//
// A [Command] says how a worker is started; it speaks the bootstrap on its stdin and stdout
// (protocol.md section 7). A process each, because the folder, the niceness, the environment and
// the crashes of remote code are a process's. [Socket] serves plain or TLS connections, as
// execnet's socketserver script does for one connection at a time; [SSH] serves ssh sessions that
// ask for an interpreter with the bootstrap line, and nothing else.
package server
