// Package rsync sends a directory tree to any number of gateways and makes the trees there the
// same. It is execnet's RSync.
//
//	r := rsync.New("src")
//	err := r.AddTarget(gw, "/tmp/dest", rsync.TargetOptions{Delete: true})
//	...
//	err = r.Send(ctx)
//
// What is sent are the files, directories and symbolic links that differ, with permissions and
// times of modification. A file is taken to be the same when size and time are, as in rsync(1);
// when only the size is, digests decide. Owners, hard links, sparseness and extended attributes are
// not kept; sockets, pipes and devices are not sent.
//
// A worker in Python runs the source in remote/, which is sent to it; a worker in Go runs its own
// receiving half. The two halves talk as [protocol.md section 11.5] says: files travel in pieces,
// small ones together, changes in large ones as deltas, and each is written under a temporary name
// and then renamed; a worker on the same machine copies large files by itself. With Python's own
// execnet at the other end either half speaks its protocol ([protocol.md section 11.1] to 11.4),
// with what that allows: whole files, in memory.
//
// Neither end trusts the other: a receiver writes nowhere but below its directory, and a sender
// reads nothing but what it announced.
//
// [protocol.md section 11.1]: https://github.com/go-execnet/execnet/blob/main/docs/protocol.md#111-start
// [protocol.md section 11.5]: https://github.com/go-execnet/execnet/blob/main/docs/protocol.md#115-this-modules-halves
package rsync
