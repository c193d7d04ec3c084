package serializer_test

import (
	"sync"
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/go-execnet/execnet/serializer"
)

// A Codec, and what is remembered about Go types, serve many goroutines at once.
func TestConcurrentUse(t *testing.T) {
	type leaf struct{ Values []int }
	type tree struct {
		Leaf     leaf
		Children []tree
		Parent   *tree
		Named    map[string]*tree
	}
	value := tree{Leaf: leaf{[]int{1, 2}}, Children: []tree{{}, {Leaf: leaf{[]int{3}}}}, Named: map[string]*tree{"x": {}}}
	var codec serializer.Codec
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			for range 50 {
				data, err := codec.Append(nil, value)
				if !assert.NoError(t, err) {
					return
				}
				var out tree
				assert.NoError(t, codec.Unmarshal(data, &out))
				assert.Equal(t, value.Children[1].Leaf, out.Children[1].Leaf)
				v, err := codec.Load(data)
				assert.NoError(t, err)
				again, err := codec.Append(nil, v)
				assert.NoError(t, err)
				assert.Equal(t, data, again)
			}
		})
	}
	wg.Wait()
}
