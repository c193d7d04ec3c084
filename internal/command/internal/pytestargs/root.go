package pytestargs

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
)

// Root is the folder that pytest takes for the root of a suite: the folder of its ini file. here is
// the current folder.
func Root(args []string, here string) string {
	if folder, ok := Value(args, "--rootdir"); ok {
		return absolute(folder, here)
	}
	if file, ok := Value(args, "-c", "--config-file"); ok {
		return filepath.Dir(absolute(file, here))
	}
	start := ancestor(args, here)
	for _, isRoot := range []func(folder string) bool{hasIni, func(folder string) bool { return exists(filepath.Join(folder, "setup.py")) }} {
		for folder := start; ; folder = filepath.Dir(folder) {
			if isRoot(folder) {
				return folder
			}
			if filepath.Dir(folder) == folder {
				break
			}
		}
	}
	return start
}

// ancestor is the folder that everything is in that the arguments name, or here if they name
// nothing.
func ancestor(args []string, here string) (common string) {
	for _, arg := range args {
		file, _, _ := strings.Cut(arg, "::")
		if strings.HasPrefix(arg, "-") || file == "" {
			continue
		}
		path := absolute(file, here)
		info, err := os.Stat(path)
		if err != nil {
			continue
		}
		if !info.IsDir() {
			path = filepath.Dir(path)
		}
		if common == "" {
			common = path
		}
		for !within(path, common) {
			common = filepath.Dir(common)
		}
	}
	if common == "" {
		return here
	}
	return common
}

// within reports whether a path is a folder or in it.
func within(path, folder string) bool {
	relative, err := filepath.Rel(folder, path)
	return err != nil || filepath.IsLocal(relative)
}

// iniFiles are where pytest looks for its settings, and what such a file must contain to be one.
var iniFiles = []struct{ name, section string }{
	{"pytest.toml", ""}, {".pytest.toml", ""}, {"pytest.ini", ""}, {".pytest.ini", ""},
	{"pyproject.toml", "[tool.pytest"}, {"tox.ini", "[pytest]"}, {"setup.cfg", "[tool:pytest]"},
}

func hasIni(folder string) bool {
	for _, ini := range iniFiles {
		text, err := os.ReadFile(filepath.Join(folder, ini.name))
		if err == nil && bytes.Contains(text, []byte(ini.section)) {
			return true
		}
	}
	return false
}

func exists(path string) bool {
	_, err := os.Stat(path)
	return err == nil
}

func absolute(path, here string) string {
	if filepath.IsAbs(path) {
		return filepath.Clean(path)
	}
	return filepath.Join(here, path)
}
