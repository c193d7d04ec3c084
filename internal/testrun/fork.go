package testrun

import (
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"

	"github.com/go-execnet/execnet/internal/pycache"
	"github.com/go-execnet/execnet/internal/pystring"
	"github.com/go-execnet/execnet/xspec"
)

// forkModule is the name of the module that a fork server imports, and forkSource its source: it
// takes the plugin from the user's cache folder, where the compiled form is, and collects.
const (
	forkModule = "_execnet_testrun"
	forkSource = pycache.Load + `
def _begin(cache, module):
    here = os.path.dirname(os.path.abspath(__file__))
    def source():
        with open(os.path.join(here, module + ".py"), "rb") as file:
            return file.read()
    return load(cache, module, source, "collect_here")(here)
go_on = _begin(%s, %s)
`
)

// forks is what workers are forked from that collect once: a folder with that module, with the
// plugin and with its settings. A worker whose spec has that module in preload is forked from a
// process that has imported it, and so has collected the suite.
type forks struct {
	folder string
	off    bool   // whether it has turned out that nothing can be forked
	reason string // why, as long as that has not been told, or ""
}

// canFork reports whether a worker can be forked beside others of the same interpreter.
func canFork(spec *xspec.Spec, all []*xspec.Spec) bool {
	if runtime.GOOS == "windows" || !spec.Local() || spec.Self || spec.Bootstrap != "" || spec.Engine != "" ||
		spec.ExecModel != "" && spec.ExecModel != xspec.ExecModelMainThreadOnly {
		return false
	}
	same := 0
	for _, other := range all {
		if sameProcess(other, spec) {
			same++
		}
	}
	return same > 1
}

// sameProcess reports whether two workers can be forked from the same process.
func sameProcess(a, b *xspec.Spec) bool {
	return a.Local() && b.Local() && a.Python == b.Python && a.ChDir == b.ChDir && a.Nice == b.Nice && a.ExecModel == b.ExecModel &&
		a.Preload == b.Preload && a.DontWriteBytecode == b.DontWriteBytecode && maps.Equal(a.Env, b.Env)
}

// prepare lets the worker of spec be forked.
func (f *forks) prepare(spec *xspec.Spec, settings map[string]any) error {
	if f.folder == "" {
		folder, err := os.MkdirTemp("", "execnet-testrun-")
		if err != nil {
			return fmt.Errorf("execnet: cannot make a folder for the process that collects: %w", err)
		}
		f.folder = folder
	}
	before, isSet := spec.Env["PYTHONPATH"]
	if !isSet {
		before, isSet = os.LookupEnv("PYTHONPATH")
	}
	settings = maps.Clone(settings)
	settings["pythonpath"] = nil
	path := f.folder
	if isSet {
		settings["pythonpath"] = before
		path += string(os.PathListSeparator) + before
	}
	cache := f.folder
	if pycache.Shared(spec) {
		if folder, err := pluginFolder(); err == nil {
			cache = folder
		}
	}
	data, err := json.Marshal(settings)
	for name, content := range map[string][]byte{
		"settings": data, pluginModule + ".py": []byte(pluginSource()),
		forkModule + ".py": fmt.Appendf(nil, forkSource, pystring.ASCII(cache), pystring.ASCII(pluginModule)),
	} {
		if err == nil {
			err = os.WriteFile(filepath.Join(f.folder, name), content, 0o600)
		}
	}
	if err != nil {
		return fmt.Errorf("execnet: cannot write what the process needs that collects: %w", err)
	}
	if spec.Env == nil {
		spec.Env = map[string]string{}
	}
	spec.Env["PYTHONPATH"] = path
	spec.Preload = strings.Join(slices.Concat(spec.PreloadModules(), []string{forkModule}), ",")
	return nil
}

// goOn is what a forked worker executes.
const goOn = "import sys\nsys.modules['" + forkModule + "'].go_on(channel)"

// refusal is why a suite is not forked, from the error of the first worker.
func refusal(err error) string {
	text := err.Error()
	if _, reason, found := strings.Cut(text, "Refused: "); found {
		return reason
	}
	return text
}

func (f *forks) end() {
	if f.folder != "" {
		_ = os.RemoveAll(f.folder)
	}
}

// noFork starts a worker in the ordinary way that could not be forked.
func (s *suite) noFork(w *worker, err error) {
	s.notForked(refusal(err))
	s.start(w.plain, w.todo)
	s.startHeld(max(0, min(len(s.Specs), runtime.NumCPU())-len(s.workers)))
}

// notForked notes why workers are not forked. None is from then on.
func (s *suite) notForked(reason string) {
	if !s.forks.off {
		s.forks.off, s.forks.reason = true, reason
	}
}

// tellNotForked says once why workers are not forked, when one has started in the ordinary way.
// What keeps that one from starting, too, is told as an error.
func (s *suite) tellNotForked() {
	if s.forks.reason != "" {
		s.handle(&Notice{Text: "each worker collects the suite for itself: " + s.forks.reason, Minor: true})
		s.forks.reason = ""
	}
}
