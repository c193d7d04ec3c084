package cpython

import (
	"context"
	"testing"

	"github.com/stretchr/testify/assert"
)

func TestLazyContext(t *testing.T) {
	type key struct{}
	parent, endParent := context.WithCancel(context.WithValue(context.Background(), key{}, 1))
	defer endParent()

	// It is asked before and after its end.
	asked := &lazyContext{parent: parent}
	derived, stop := context.WithCancel(asked)
	defer stop()
	assert.NoError(t, asked.Err())
	assert.Equal(t, 1, derived.Value(key{}))
	asked.cancel()
	assert.Equal(t, context.Canceled, derived.Err(), "what is derived from it ends at once")
	assert.Equal(t, context.Canceled, context.Cause(asked))

	// It has ended before anybody asks.
	ended := &lazyContext{parent: parent}
	ended.cancel()
	<-ended.Done()
	assert.Equal(t, context.Canceled, ended.Err())

	// Its parent has ended.
	child := &lazyContext{parent: parent}
	endParent()
	<-child.Done()
	assert.Equal(t, context.Canceled, child.Err())
	child.cancel()
	_, has := child.Deadline()
	assert.False(t, has)
}
