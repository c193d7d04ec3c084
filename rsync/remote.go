package rsync

import _ "embed"

// remoteSource is the receiving half for Python workers, executed by a driver as RemoteFile and RemoteFunction.
//
//go:embed remote.py
var remoteSource string
