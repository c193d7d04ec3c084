package main

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestDocsShowTheResults(t *testing.T) {
	docs := filepath.Join("..", "docs")
	r, err := readResults(docs)
	require.NoError(t, err)
	require.NotEmpty(t, r.Rows)
	files, err := r.files(docs)
	require.NoError(t, err)
	for name, want := range files {
		got, err := os.ReadFile(filepath.Join(docs, name))
		require.NoError(t, err)
		assert.Equal(t, string(want), string(got), "%s: write it with go run . -draw ../docs", name)
	}
}

func TestEveryMeasurementHasASection(t *testing.T) {
	b := &bench{pip: &pip{}, goTasks: tasks{}}
	var err error
	b.workloads, err = workloads()
	require.NoError(t, err)
	for _, m := range b.all() {
		_, err := sectionOf(m.title())
		assert.NoError(t, err)
	}
}

func TestResultsAreReplaced(t *testing.T) {
	r := results{Rows: []row{{Name: "a", Figure: "1"}, {Name: "b", Figure: "1"}, {Name: "b", Figure: "2"}, {Name: "c", Figure: "1"}}}
	r.merge("now", [][]row{{{Name: "b", Figure: "3"}}, {{Name: "d", Figure: "1"}}})
	assert.Equal(t, results{"now", []row{
		{Name: "a", Figure: "1"}, {Name: "b", Figure: "3"}, {Name: "c", Figure: "1"}, {Name: "d", Figure: "1"},
	}}, r)
}

func TestChart(t *testing.T) {
	picture := newChart("Walks", "Time.", []row{
		{Name: "to <town>", Side: "ours", Figure: "1 s", Value: 1, Against: "execnet", TheirFigure: "2 s", TheirValue: 2},
		{Name: "to <town>", Side: "ours", Figure: "1 s", Value: 1, Against: "bare", TheirFigure: "0.5 s", TheirValue: 0.5},
		{Name: "not measured", Figure: "for lack of shoes"},
	}).svg()
	assert.Contains(t, picture, ">to &lt;town&gt;<")
	assert.Contains(t, picture, `width="430.0" height="16" rx="2" class="execnet"`)
	assert.Contains(t, picture, `width="215.0" height="16" rx="2" class="ours"`)
	assert.Contains(t, picture, `width="107.5" height="16" rx="2" class="other"`)
	assert.NotContains(t, picture, "not measured")
}
