package command

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	gatewaybase "github.com/go-execnet/execnet/gateway_base"
	gatewayio "github.com/go-execnet/execnet/gateway_io"
	"github.com/go-execnet/execnet/internal/command/internal/fleet"
	"github.com/go-execnet/execnet/internal/testrun"
	"github.com/go-execnet/execnet/multi"
	"github.com/go-execnet/execnet/rsync"
	"github.com/go-execnet/execnet/xspec"
)

// notCopied are names that --rsync leaves out: what tools make, and what is large and of no use to
// tests on another host.
var notCopied = []string{".git", ".hg", ".execnet", ".tox", ".nox", ".venv", "__pycache__", ".mypy_cache", ".ruff_cache", "node_modules"}

// tree is a folder that is copied.
type tree struct {
	source string // absolute
	place  string // where it belongs below the copy's root, with slashes; "." for the root itself
}

// copyTrees copies the folders of --rsync to the workers that are elsewhere, has the workers run in
// the copies, and returns how paths there become paths here.
func (f *pytestFlags) copyTrees(ctx context.Context, second <-chan struct{}, cmd *cobra.Command, config *testrun.Config, ssh gatewayio.SSHOptions) (pathMapping, error) {
	here, trees, err := f.trees()
	if err != nil {
		return nil, err
	}
	// The copies are made by workers of their own, which end before the tests begin: pytest gets
	// interpreters in which nothing has been done.
	specs := make([]*xspec.Spec, len(config.Specs))
	for i, spec := range config.Specs {
		specs[i] = spec.Clone()
		specs[i].ChDir, specs[i].Preload = "", ""
	}
	group := &multi.Group{Stderr: cmd.ErrOrStderr(), SSH: ssh}
	defer func() { _ = fleet.End(ctx, second, group) }()
	members := fleet.Start(ctx, group.MakeGatewaySpec, specs, true)
	for _, m := range members {
		if m.Err != nil && !errors.Is(m.Err, fleet.ErrOtherFailed) {
			return nil, fmt.Errorf("[%s] %s", m.Spec.ID, startError(m))
		}
	}
	mapping := pathMapping{}
	done := map[string]string{} // from places to the roots of the copies there
	for i, spec := range config.Specs {
		if spec.SameFilesystem() {
			continue
		}
		key := withoutID(spec)
		root, known := done[key]
		if !known {
			if root, err = copyTo(ctx, members[i].Gateway, spec, here, trees); err != nil {
				return nil, err
			}
			done[key] = root
		}
		spec.ChDir = root
		mapping[spec.ID] = movedPath{there: root, here: here}
	}
	return mapping, nil
}

// trees are the folders of --rsync, and the current folder, which they are in.
func (f *pytestFlags) trees() (here string, trees []tree, err error) {
	if here, err = os.Getwd(); err != nil {
		return "", nil, err
	}
	for _, dir := range f.rsync {
		source, err := filepath.Abs(dir)
		if err != nil {
			return "", nil, err
		}
		info, err := os.Stat(source)
		if err == nil && !info.IsDir() {
			err = errors.New("it is no folder")
		}
		if err != nil {
			return "", nil, fmt.Errorf("--rsync %s: %w", dir, err)
		}
		place, err := filepath.Rel(here, source)
		if err != nil || !filepath.IsLocal(place) {
			return "", nil, fmt.Errorf("--rsync %s: it must be the current folder or one in it, so that its place in the copy is known", dir)
		}
		trees = append(trees, tree{source, filepath.ToSlash(place)})
	}
	return here, trees, nil
}

// copyTo copies the trees to where a gateway is, and returns the absolute path of the copy's root.
// What is not here any more is removed there only in a folder of our own: that of chdir= may hold
// other things.
func copyTo(ctx context.Context, gw *gatewaybase.Gateway, spec *xspec.Spec, here string, trees []tree) (string, error) {
	root, ours := spec.ChDir, false
	if root == "" {
		sum := sha256.Sum256([]byte(here))
		home, err := remoteText(ctx, gw, "os.path.expanduser", "~")
		if err != nil {
			return "", err
		}
		root, ours = path.Join(filepath.ToSlash(home), ".execnet-suites", filepath.Base(here)+"-"+hex.EncodeToString(sum[:4])), true
	}
	if err := makeFolder(ctx, gw, root); err != nil {
		return "", fmt.Errorf("[%s] cannot make the folder %s: %w", spec.ID, root, err)
	}
	for _, t := range trees {
		sync := rsync.New(t.source)
		sync.Filter = func(name string) bool {
			return name == t.source || !slices.Contains(notCopied, filepath.Base(name))
		}
		sync.Callback = func(rsync.Event) {}
		if err := sync.AddTarget(gw, path.Join(root, t.place), rsync.TargetOptions{Delete: ours}); err != nil {
			return "", err
		}
		if err := sync.Send(ctx); err != nil {
			return "", err
		}
	}
	return remoteText(ctx, gw, "os.path.realpath", root)
}

// remoteText calls a function there that returns a path for a path.
func remoteText(ctx context.Context, gw *gatewaybase.Gateway, function, argument string) (string, error) {
	result, err := gw.RemoteCall(ctx, function, argument)
	if err != nil {
		return "", err
	}
	text, ok := result.(string)
	if !ok {
		return "", fmt.Errorf("%s(%q) there is a %T", function, argument, result)
	}
	return text, nil
}

// makeFolder makes a folder and those above it, unless it is there. Another worker may make it at
// the same time.
func makeFolder(ctx context.Context, gw *gatewaybase.Gateway, folder string) error {
	isThere := func() bool {
		there, err := gw.RemoteCall(ctx, "os.path.isdir", folder)
		return err == nil && there == true
	}
	if isThere() {
		return nil
	}
	_, err := gw.RemoteCall(ctx, "os.makedirs", folder)
	if err != nil && isThere() {
		return nil
	}
	return err
}

// pathMapping says which paths of which worker are paths here.
type pathMapping map[string]movedPath

type movedPath struct{ there, here string }

// text replaces the paths in a text.
func (m movedPath) text(text string) string {
	text = strings.ReplaceAll(text, m.there+"/", m.here+string(filepath.Separator))
	if text == m.there {
		return m.here
	}
	return text
}

// event is an event with paths of here.
func (p pathMapping) event(event testrun.Event) testrun.Event {
	switch e := event.(type) {
	case *testrun.WorkerUp:
		if m, ok := p[e.Worker]; ok {
			moved := *e
			moved.Root = m.text(e.Root)
			moved.Header = m.texts(e.Header)
			moved.Options = map[string]string{}
			for name, value := range e.Options {
				moved.Options[name] = m.text(value)
			}
			return &moved
		}
	case *testrun.CollectProblem:
		if m, ok := p[e.Worker]; ok {
			moved := *e
			moved.Text, moved.Path, moved.Message = m.text(e.Text), m.text(e.Path), m.text(e.Message)
			return &moved
		}
	case *testrun.TestDone:
		if m, ok := p[e.Worker]; ok {
			moved := *e
			moved.Reason, moved.Phases = m.text(e.Reason), slices.Clone(e.Phases)
			for i := range moved.Phases {
				phase := &moved.Phases[i]
				phase.Text, phase.Path = m.text(phase.Text), m.text(phase.Path)
				phase.Message, phase.Explanation = m.text(phase.Message), m.text(phase.Explanation)
			}
			return &moved
		}
	case *testrun.Warning:
		if m, ok := p[e.Worker]; ok {
			moved := *e
			moved.Path, moved.Message = m.text(e.Path), m.text(e.Message)
			return &moved
		}
	}
	return event
}

func (m movedPath) texts(all []string) []string {
	moved := make([]string, len(all))
	for i, text := range all {
		moved[i] = m.text(text)
	}
	return moved
}
