package docs

import (
	"encoding/json"
	"os"
	"os/exec"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

const module = "github.com/go-execnet/execnet"

// folders are the folders of the table in architecture.md, from the top down.
func folders(t *testing.T) (all []string) {
	t.Helper()
	text, err := os.ReadFile("architecture.md")
	require.NoError(t, err)
	for _, row := range regexp.MustCompile("(?m)^\\| `([a-z_./]+)` \\|").FindAllSubmatch(text, -1) {
		folder := strings.TrimSuffix(string(row[1]), "/")
		if folder == "execnet.go" {
			folder = ""
		}
		all = append(all, folder)
	}
	require.Greater(t, len(all), 20)
	return all
}

// rowOf is the row of the table that a package belongs to: that of the longest folder it is in; -1
// if none is.
func rowOf(folders []string, pkg string) int {
	row, length := -1, -1
	path := strings.TrimPrefix(strings.TrimPrefix(pkg, module), "/")
	for i, folder := range folders {
		inside := path == folder || folder != "" && strings.HasPrefix(path, folder+"/")
		if inside && len(folder) > length {
			row, length = i, len(folder)
		}
	}
	return row
}

// TestImportsPointDown compares the table of architecture.md with the imports.
func TestImportsPointDown(t *testing.T) {
	all := folders(t)
	list := exec.Command("go", "list", "-json=ImportPath,Imports", "../...")
	list.Stderr = t.Output()
	out, err := list.Output()
	require.NoError(t, err)
	checked := 0
	for decoder := json.NewDecoder(strings.NewReader(string(out))); decoder.More(); {
		var pkg struct {
			ImportPath string
			Imports    []string
		}
		require.NoError(t, decoder.Decode(&pkg))
		if strings.Contains(pkg.ImportPath, "/internal/testsupport/") || strings.Contains(pkg.ImportPath, "/compat_tests") ||
			strings.HasSuffix(pkg.ImportPath, "/docs") {
			continue
		}
		row := rowOf(all, pkg.ImportPath)
		if !assert.NotEqual(t, -1, row, "%s is in no row of the table", pkg.ImportPath) {
			continue
		}
		for _, imported := range pkg.Imports {
			if !strings.HasPrefix(imported, module) {
				continue
			}
			assert.NotContains(t, imported, "/internal/testsupport/", "%s is no test", pkg.ImportPath)
			if below := rowOf(all, imported); below != row {
				assert.Greater(t, below, row, "%s imports %s, which stands above it", pkg.ImportPath, imported)
			}
			checked++
		}
	}
	assert.Greater(t, checked, 100)
}
