// Package embedded puts a CPython into a Go program, for machines that have none. A program adds it
// by importing it for its side effect:
//
//	import _ "github.com/go-execnet/execnet/embedded"
//
// It then is what a driver's spec popen//python=embedded starts, and what runs the Python source
// that a worker with package cpython is sent where no other interpreter is named or on PATH
// (EXECNET_PYTHON=embedded prefers it). [Site] adds packages to it.
//
// It is CPython 3.14 for Linux (amd64 and arm64, with the GNU C library 2.17 or newer), macOS
// (amd64 and arm64) and Windows (amd64), as github.com/kluctl/go-embed-python carries it: the build
// of the project python-build-standalone, with the standard library except its tests, idlelib,
// turtledemo and ensurepip, and without pip. A program grows by up to 36 MB. For other systems a
// program can be built, too; python=embedded is an error there.
//
// This package is a module of its own, since that library is a download of 109 MB. Both modules are
// released together and are used in the same version:
//
//	go get github.com/go-execnet/execnet@latest github.com/go-execnet/execnet/embedded@latest
//
// With a clone in place of a release, go.mod has a replace directive for each of the two:
//
//	replace (
//		github.com/go-execnet/execnet => /path/to/clone
//		github.com/go-execnet/execnet/embedded => /path/to/clone/embedded
//	)
//
// # Where it is
//
// The first start unpacks it into the folder go-execnet/python-HASH of the user's cache folder (see
// [os.UserCacheDir]; up to 69 MB), which takes a second or two. Later starts look whether the files
// are there with their sizes, which takes some milliseconds, and unpack them anew if they are not.
// If there is no room or no such folder, or it is not this user's alone, the start fails, and the
// error names the variable that puts the folder elsewhere. The folder can be removed at any time
// when no interpreter runs from it; those of other releases are not removed by themselves.
//
// CPython's licence is in each program, and is unpacked as LICENSE.txt in that folder. It has to be
// passed on with such a program. The interpreter also contains libraries with licences of their own
// (OpenSSL, SQLite, zlib and others), which python-build-standalone lists.
package embedded

import (
	"fmt"
	"sync"

	"github.com/go-execnet/execnet/embedded/internal/tree"
	"github.com/go-execnet/execnet/internal/cmdline"
)

func init() { cmdline.RegisterEmbedded(interpreter) }

// starting makes the starts of this process unpack one after another.
var starting sync.Mutex

// interpreter returns the interpreter's path, and unpacks what is not there.
func interpreter() (string, error) {
	starting.Lock()
	defer starting.Unlock()
	home, err := unpackPython()
	if err != nil {
		return "", err
	}
	if err := mayRun(program(home)); err != nil {
		return "", &tree.Error{Folder: home, Err: fmt.Errorf("a program there cannot be started, as where a file system is mounted with noexec (%w)", err)}
	}
	return withSite(home)
}
