package syncsoak

import (
	"crypto/sha256"
	"errors"
	"fmt"
	"io/fs"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"time"
)

// state is what a tree holds, by path: "dir", "link TARGET", or "file DIGEST".
type state map[string]string

// Trees makes random trees. The names come from a small set, so that trees have many names in
// common, and some are a file in one tree and a directory in another. No two files have the same
// time, as a sync takes files of the same size and time for the same.
type Trees struct {
	Random *rand.Rand
	files  int // made so far
}

// Grow fills a new directory.
func (t *Trees) Grow(path string) error {
	_, err := t.grow(path)
	return err
}

// grow is Grow, and returns the tree's state.
func (t *Trees) grow(path string) (state, error) {
	all := state{}
	err := t.growDir(path, "", 0, all)
	return all, err
}

// Differences are the paths at which two trees differ, with what is there in both. Temporary files
// of rsync are left out.
func Differences(is, want string) ([]string, error) {
	a, _, err1 := look(is)
	b, _, err2 := look(want)
	return differences(a, b), errors.Join(err1, err2)
}

func (t *Trees) growDir(root, dir string, depth int, all state) error {
	full := filepath.Join(root, dir)
	if err := os.MkdirAll(full, 0o755); err != nil {
		return err
	}
	all[dir] = "dir"
	for i := range 8 {
		if t.Random.IntN(3) == 0 {
			continue
		}
		name := fmt.Sprintf("f%d", i)
		at := filepath.Join(dir, name)
		if i == 0 {
			target := fmt.Sprintf("f%d", 1+t.Random.IntN(3))
			if err := os.Symlink(target, filepath.Join(root, at)); err != nil {
				return err
			}
			all[at] = "link " + target
			continue
		}
		if i == 1 && depth < 3 && t.Random.IntN(2) == 0 {
			if err := t.growDir(root, at, depth+1, all); err != nil {
				return err
			}
			continue
		}
		if err := t.growFile(filepath.Join(root, at)); err != nil {
			return err
		}
		digest, err := digestOf(filepath.Join(root, at))
		if err != nil {
			return err
		}
		all[at] = "file " + digest
	}
	for i := range 3 {
		if depth < 3 && t.Random.IntN(2) == 0 {
			if err := t.growDir(root, filepath.Join(dir, fmt.Sprintf("d%d", i)), depth+1, all); err != nil {
				return err
			}
		}
	}
	return nil
}

func (t *Trees) growFile(path string) error {
	// Small files travel together, files of 64 KiB and more as changes, those of more than 256 KiB
	// in pieces; files of 1 MiB and more are copied by a worker on this machine.
	sizes := []int{0, 10, 1000, 4000, 20_000, 70_000, 300_000, 1_200_000}
	size := sizes[min(t.Random.IntN(len(sizes)), t.Random.IntN(len(sizes)))]
	content := make([]byte, size)
	for i := 0; i < size; i += 512 {
		block := content[i:min(i+512, size)]
		fill := byte(t.Random.IntN(3)) // blocks that other versions of the file have too
		for k := range block {
			block[k] = fill
		}
	}
	t.files++
	copy(content, fmt.Sprint("file ", t.files))
	if err := os.WriteFile(path, content, 0o644); err != nil {
		return err
	}
	at := time.Unix(1_500_000_000+int64(t.files), 0)
	return os.Chtimes(path, at, at)
}

// look returns the state of a tree. Temporary files of rsync are counted instead.
func look(root string) (all state, temporaries []string, err error) {
	all = state{}
	err = filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		if errors.Is(err, fs.ErrNotExist) {
			return nil // a sync is still ending
		}
		if err != nil {
			return err
		}
		name, err := filepath.Rel(root, path)
		if err != nil {
			return err
		}
		if name == "." {
			name = ""
		}
		switch {
		case strings.Contains(d.Name(), ".execnet-"):
			temporaries = append(temporaries, name)
		case d.IsDir():
			all[name] = "dir"
		case d.Type()&fs.ModeSymlink != 0:
			target, err := os.Readlink(path)
			if err != nil {
				return err
			}
			all[name] = "link " + target
		default:
			digest, err := digestOf(path)
			if err != nil {
				return err
			}
			all[name] = "file " + digest
		}
		return nil
	})
	return all, temporaries, err
}

func digestOf(path string) (string, error) {
	content, err := os.ReadFile(path)
	return fmt.Sprintf("%x", sha256.Sum256(content)), err
}

// differences are the paths at which two states differ, with both.
func differences(is, want state) []string {
	var all []string
	for path, w := range want {
		if is[path] != w {
			all = append(all, fmt.Sprintf("%q is %q, not %q", path, is[path], w))
		}
	}
	for path, i := range is {
		if _, known := want[path]; !known {
			all = append(all, fmt.Sprintf("%q is %q, and should not be", path, i))
		}
	}
	return all
}

func newRandom(seed uint64) *rand.Rand { return rand.New(rand.NewPCG(seed, 1)) }
