package txspec_test

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/go-execnet/execnet/internal/txspec"
)

func TestParse(t *testing.T) {
	specs, err := txspec.Parse([]string{"2*popen", "popen//id=gw2", "popen//python=python3.12", " 2 *popen//chdir=a*b"})
	require.NoError(t, err)
	var got []string
	for _, s := range specs {
		got = append(got, s.ID+" "+s.String())
	}
	assert.Equal(t, []string{
		"gw0 popen", "gw1 popen", "gw2 popen//id=gw2", "gw3 popen//python=python3.12",
		"gw4 popen//chdir=a*b", "gw5 popen//chdir=a*b",
	}, got)
}

// A launch stands for its workers.
func TestParseLaunch(t *testing.T) {
	specs, err := txspec.Parse([]string{"2*launch=x//n=2", "launch=y//n=2//id=rank", "launch=z"})
	require.NoError(t, err)
	var ids []string
	for _, s := range specs {
		ids = append(ids, s.ID)
	}
	assert.Equal(t, []string{"gw0", "gw1", "gw2", "gw3", "rank-0", "rank-1", "gw4"}, ids)
	assert.Same(t, specs[0].Launched, specs[1].Launched)
	assert.NotSame(t, specs[1].Launched, specs[2].Launched)
	assert.Equal(t, []int{0, 1, 0, 1, 0, 1, 0}, []int{specs[0].Rank, specs[1].Rank, specs[2].Rank, specs[3].Rank, specs[4].Rank, specs[5].Rank, specs[6].Rank})
	_, err = txspec.Parse([]string{"popen//id=x-1", "launch=y//n=2//id=x"})
	assert.ErrorContains(t, err, `another spec has the id "x-1" already`)
}

// What stands before a * and is no number belongs to the spec, as with pytest-xdist.
func TestParseStarInSpec(t *testing.T) {
	specs, err := txspec.Parse([]string{"popen//chdir=3*4"})
	require.NoError(t, err)
	require.Len(t, specs, 1)
	assert.Equal(t, "3*4", specs[0].ChDir)
}

func TestParseErrors(t *testing.T) {
	for _, c := range []struct {
		texts []string
		want  string
	}{
		{[]string{"0*popen"}, `"0*popen" asks for no gateway: the number before * must be 1 or more`},
		{[]string{"-1*popen"}, `"-1*popen" asks for no gateway`},
		{[]string{"1001*popen"}, "more than 1000 gateways"},
		{[]string{"99999999999999999999*popen"}, "more than 1000 gateways"},
		{[]string{"3*popen//id=x"}, `asks for 3 gateways of the same id "x": leave id= away`},
		{[]string{"popen//id=x", "popen//id=x"}, `another spec has the id "x" already`},
		{[]string{"3*"}, "it is empty"},
		{[]string{"popn"}, `did you mean "popen"?`},
		{[]string{"x-popen"}, "no gateway type"},
		{[]string{"popen//pyton=python2.7"}, `did you mean "python"?`},
		{[]string{"popen//popen"}, `"popen"`},
		{[]string{"3*2*popen"}, `key "2*popen": it is unknown; did you mean "popen"?`},
		{[]string{""}, "it is empty"},
	} {
		_, err := txspec.Parse(c.texts)
		assert.ErrorContains(t, err, c.want, c.texts)
	}
}

func TestSetEnv(t *testing.T) {
	specs, err := txspec.Parse([]string{"2*popen", "popen//env:A=mine"})
	require.NoError(t, err)
	require.NoError(t, txspec.SetEnv(specs, []string{"A=x=y", "B=http://h:1", "C="}))
	assert.Equal(t, map[string]string{"A": "x=y", "B": "http://h:1", "C": ""}, specs[1].Env)
	assert.Equal(t, map[string]string{"A": "mine", "B": "http://h:1", "C": ""}, specs[2].Env)
	specs[0].Env["D"] = "1"
	assert.Len(t, specs[1].Env, 3)
	for variable, want := range map[string]string{"A": "it must be NAME=VALUE", "=x": "it must be NAME=VALUE", "": "it must be NAME=VALUE", "A=\x00": "NUL"} {
		assert.ErrorContains(t, txspec.SetEnv(specs, []string{variable}), want)
	}
	assert.ErrorContains(t, txspec.SetEnv(specs, []string{"A=1", "A=2"}), "A has another value already")
}
