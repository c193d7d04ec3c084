package embedded

import (
	"encoding/hex"
	"io/fs"
	"slices"
	"sync"
)

// sites are the file systems that Site was given.
var sites struct {
	mu  sync.Mutex // guards all
	all []fs.FS
}

// Site adds packages to the embedded interpreter, as an installation would: wheels, which are
// unpacked, and files as they are to lie in site-packages. A wheel is a file whose name ends in
// .whl, in whatever folder; all other files are copied with their folders. Site belongs into an
// init function, or at the top of main: it holds for the starts that follow.
//
//	//go:embed wheels/*.whl
//	var wheels embed.FS
//
//	func init() { embedded.Site(wheels) }
//
// The first start unpacks them into a virtual environment in the user's cache folder, named by a
// hash of what is in it. The interpreter is that environment's, so programs that remote code starts
// by sys.executable find the packages, and no other Python does. Dependencies are not looked up,
// and no commands are made: use python -m.
//
// If a wheel is for another Python, system or processor, a name leads out of the folder, or two
// wheels have the same file, the start fails and the error says which.
func Site(packages fs.FS) {
	sites.mu.Lock()
	defer sites.mu.Unlock()
	sites.all = append(sites.all, packages)
}

// withSite returns the path of the interpreter that has the packages of Site: the one in home, if
// there are none.
func withSite(home string) (string, error) {
	sites.mu.Lock()
	all := slices.Clone(sites.all)
	sites.mu.Unlock()
	if len(all) == 0 {
		return program(home), nil
	}
	s, err := readSite(all)
	if err != nil {
		return "", err
	}
	defer s.close()
	environment, err := s.environment(home)
	return programIn(environment), err
}

// shortHash is what names of folders contain of a hash.
func shortHash(sum [32]byte) string { return hex.EncodeToString(sum[:8]) }
