package gpython

import (
	"os/exec"
	"reflect"
	"strings"
	"testing"

	"github.com/go-python/gpython/vm"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// TestPatchIsForThisRelease reminds whoever takes another release of gpython that patch.go was made
// for this one: its table, its structures and its private functions have to be compared again.
func TestPatchIsForThisRelease(t *testing.T) {
	version, err := exec.Command("go", "list", "-m", "-f", "{{.Version}}", "github.com/go-python/gpython").Output()
	require.NoError(t, err)
	assert.Equal(t, "v0.2.0", strings.TrimSpace(string(version)))
}

func TestMachineIsGpythons(t *testing.T) {
	ours, theirs := reflect.TypeFor[machine](), reflect.TypeFor[vm.Vm]()
	require.Equal(t, theirs.Size(), ours.Size())
	require.Equal(t, theirs.NumField(), ours.NumField())
	for i := range ours.NumField() {
		a, b := ours.Field(i), theirs.Field(i)
		assert.Equal(t, b.Name, a.Name)
		assert.Equal(t, b.Offset, a.Offset, a.Name)
		if a.Name != "why" {
			assert.Equal(t, b.Type, a.Type, a.Name)
		}
	}
	why, ok := theirs.FieldByName("why")
	require.True(t, ok)
	for value, name := range map[uint64]string{whyException: "whyException", whyContinue: "whyContinue", whyYield: "whyYield"} {
		v := reflect.New(why.Type).Elem()
		v.SetUint(value)
		assert.Equal(t, name, v.Interface().(interface{ String() string }).String())
	}
}

func TestReplacedInstructionsExist(t *testing.T) {
	illegal := reflect.ValueOf(original[255]).Pointer()
	for op, run := range replacement {
		if run != nil && op != throwHere {
			assert.NotEqual(t, illegal, reflect.ValueOf(original[op]).Pointer(), "gpython has no opcode %d", op)
		}
	}
	assert.Equal(t, illegal, reflect.ValueOf(original[throwHere]).Pointer(), "throwHere is free")
}
