package testreport

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"

	"github.com/go-execnet/execnet/internal/testrun"
)

// Cache keeps what pytest's options --lf, --ff and --nf go by, in the place and the form that
// pytest itself uses. So the next run knows it, whether it is one of this program or of pytest.
type Cache struct {
	dir    string // pytest's cache_dir; "" if it has none
	passed map[string]bool
	failed map[string]bool
	known  []string
	only   bool // nothing is run, only collected
}

// NewCache returns a report for workers that run where this process does.
func NewCache() *Cache { return &Cache{passed: map[string]bool{}, failed: map[string]bool{}} }

// Event implements Report.
func (c *Cache) Event(event testrun.Event) {
	switch e := event.(type) {
	case *testrun.WorkerUp:
		if c.dir == "" {
			c.dir, c.only = e.Options["cache_dir"], e.Options["collectonly"] != ""
		}
	case *testrun.Collected:
		for _, test := range e.Tests {
			c.known = append(c.known, test.ID)
			c.passed[fileOf(test.ID)] = true // it could be collected
		}
	case *testrun.CollectProblem:
		if e.Outcome.Bad() {
			c.failed[e.ID] = true
		}
	case *testrun.TestDone:
		if e.Outcome.Bad() {
			c.failed[e.Test.ID] = true
		} else {
			c.passed[e.Test.ID] = true
		}
	}
}

// End implements Report.
func (c *Cache) End(End) error {
	if c.dir == "" || c.only {
		return nil
	}
	if err := c.write(); err != nil {
		return fmt.Errorf("cannot write pytest's cache: %w", err)
	}
	return nil
}

func (c *Cache) write() error {
	folder := filepath.Join(c.dir, "v", "cache")
	last, known := map[string]bool{}, []string{}
	if err := errors.Join(readJSON(filepath.Join(folder, "lastfailed"), &last), readJSON(filepath.Join(folder, "nodeids"), &known)); err != nil {
		return err
	}
	before := maps.Clone(last)
	for id := range c.passed {
		delete(last, id)
	}
	maps.Copy(last, c.failed)
	all := append(slices.Clone(known), c.known...)
	slices.Sort(all)
	all = slices.Compact(all)
	if err := makeCache(c.dir); err != nil {
		return err
	}
	if !maps.Equal(before, last) {
		if err := writeJSON(filepath.Join(folder, "lastfailed"), last); err != nil {
			return err
		}
	}
	if slices.Equal(all, known) {
		return nil
	}
	return writeJSON(filepath.Join(folder, "nodeids"), all)
}

// makeCache makes the folder of a cache, as pytest would, with what tells others to leave it alone.
func makeCache(dir string) error {
	_, err := os.Stat(dir)
	fresh := errors.Is(err, fs.ErrNotExist)
	if err := os.MkdirAll(filepath.Join(dir, "v", "cache"), 0o777); err != nil || !fresh {
		return err
	}
	if err := os.WriteFile(filepath.Join(dir, ".gitignore"), []byte("*\n"), 0o666); err != nil {
		return err
	}
	// https://bford.info/cachedir/ says what programs for backups look for.
	tag := "Signature: 8a477f597d28d172789f06886806bc55\n"
	return os.WriteFile(filepath.Join(dir, "CACHEDIR.TAG"), []byte(tag), 0o666)
}

// readJSON reads a file, and leaves the value alone if there is none. What pytest could not read
// either counts as none.
func readJSON(path string, into any) error {
	text, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err == nil && json.Unmarshal(text, into) != nil {
		return nil
	}
	return err
}

func writeJSON(path string, value any) error {
	var text bytes.Buffer
	encoder := json.NewEncoder(&text)
	encoder.SetEscapeHTML(false)
	encoder.SetIndent("", "  ")
	if err := encoder.Encode(value); err != nil {
		return err
	}
	return replaceFile(path, bytes.TrimSuffix(text.Bytes(), []byte("\n")))
}
