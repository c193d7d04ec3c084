package testrun

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"time"
)

// memory is what is known of earlier runs.
type memory struct {
	Version int                 `json:"version"`
	Tests   map[string]remember `json:"tests"` // by node id
}

// remember is what is known of a test.
type remember struct {
	Seconds float64 `json:"seconds"`
	Failed  bool    `json:"failed,omitempty"`
}

const (
	memoryFile    = "last-run.json"
	memoryVersion = 1
	mostMemory    = 64 << 20 // bytes of the file
)

// readMemory reads what the last run has left in a folder. It returns an empty memory if there is
// nothing, and besides a problem if what there is cannot be used.
func readMemory(folder string) (*memory, error) {
	m := &memory{Version: memoryVersion, Tests: map[string]remember{}}
	name := filepath.Join(folder, memoryFile)
	info, err := os.Stat(name)
	if errors.Is(err, fs.ErrNotExist) {
		return m, nil
	}
	var data []byte
	if err == nil && (!info.Mode().IsRegular() || info.Size() > mostMemory) {
		err = fmt.Errorf("%s is not a file of this program", name)
	}
	if err == nil {
		data, err = os.ReadFile(name)
	}
	var read memory
	if err == nil {
		if err = json.Unmarshal(data, &read); err != nil {
			err = fmt.Errorf("%s: %w", name, err)
		}
	}
	if err == nil && read.Version != memoryVersion {
		err = fmt.Errorf("%s is of version %d, and this program knows version %d", name, read.Version, memoryVersion)
	}
	if err != nil {
		return m, fmt.Errorf("execnet: durations of the last run are not used: %w", err)
	}
	if read.Tests != nil {
		m.Tests = read.Tests
	}
	return m, nil
}

// write keeps it in a folder, which is made if there is none.
func (m *memory) write(folder string) error {
	if err := os.MkdirAll(folder, 0o777); err != nil {
		return fmt.Errorf("execnet: durations cannot be kept: %w", err)
	}
	ignore := filepath.Join(folder, ".gitignore")
	if _, err := os.Stat(ignore); errors.Is(err, fs.ErrNotExist) {
		// It is of no use to others. If it cannot be written, the file below tells why.
		_ = os.WriteFile(ignore, []byte("*\n"), 0o666)
	}
	data, err := json.Marshal(m)
	if err != nil {
		return fmt.Errorf("execnet: durations cannot be kept: %w", err)
	}
	temporary, err := os.CreateTemp(folder, memoryFile+"-*")
	if err == nil {
		_, err = temporary.Write(data)
		err = errors.Join(err, temporary.Close())
		if err == nil {
			err = os.Rename(temporary.Name(), filepath.Join(folder, memoryFile))
		}
		if err != nil {
			_ = os.Remove(temporary.Name())
		}
	}
	if err != nil {
		return fmt.Errorf("execnet: durations cannot be kept: %w", err)
	}
	return nil
}

// note keeps how a test has ended.
func (m *memory) note(d *TestDone) {
	m.Tests[d.Test.ID] = remember{d.Took.Seconds(), d.Outcome.Bad()}
}

// expected is how long tests will take together, and whether all of them are known.
func (m *memory) expected(tests []Test) (time.Duration, bool) {
	total, known := 0.0, true
	for _, t := range tests {
		r, found := m.Tests[t.ID]
		total += r.Seconds
		known = known && found
	}
	return time.Duration(total * float64(time.Second)), known
}

// weights are how long each test will probably take. The unit is of no importance. Tests of which
// nothing is known are taken for average.
func (m *memory) weights(tests []Test) []float64 {
	sum, known := 0.0, 0
	for _, t := range tests {
		if r, found := m.Tests[t.ID]; found {
			sum, known = sum+r.Seconds, known+1
		}
	}
	mean := 1.0
	if known > 0 {
		mean = max(sum/float64(known), 1e-4)
	}
	all := make([]float64, len(tests))
	for i, t := range tests {
		all[i] = mean
		if r, found := m.Tests[t.ID]; found {
			all[i] = max(r.Seconds, 1e-4)
		}
	}
	return all
}
