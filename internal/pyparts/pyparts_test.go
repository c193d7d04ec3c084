package pyparts_test

import (
	"testing"
	"testing/fstest"

	"github.com/stretchr/testify/assert"

	"github.com/go-execnet/execnet/internal/pyparts"
)

func TestJoin(t *testing.T) {
	files := fstest.MapFS{"far/02_b.py": {Data: []byte("b = a\n")}, "far/01_a.py": {Data: []byte("a = 1\n")}, "far/notes.txt": {Data: []byte("no")}}
	assert.Equal(t, "a = 1\n\n\nb = a\n", pyparts.Join(files, "far"))
	assert.Panics(t, func() { pyparts.Join(files, "none") })
}
