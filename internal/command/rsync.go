package command

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/bmatcuk/doublestar/v4"
	"github.com/spf13/cobra"
	"golang.org/x/term"

	gatewaybase "github.com/go-execnet/execnet/gateway_base"
	"github.com/go-execnet/execnet/internal/command/internal/fleet"
	"github.com/go-execnet/execnet/internal/command/internal/syncview"
	"github.com/go-execnet/execnet/internal/txspec"
	"github.com/go-execnet/execnet/rsync"
	"github.com/go-execnet/execnet/xspec"
)

type rsyncFlags struct {
	tx      []string
	delete  bool
	dryRun  bool
	exclude []string
	quiet   bool
	verbose bool
	stall   time.Duration
	timeout time.Duration
}

func newRsync() *cobra.Command {
	var f rsyncFlags
	cmd := &cobra.Command{
		Use:   "rsync SRC [--tx SPEC] DEST [--tx SPEC DEST]...",
		Short: "Send a directory tree to other places",
		Long: `Rsync makes the directory DEST, where an interpreter runs, a copy of what is in
the directory SRC here: files, directories and symbolic links, with modes and
times. Files of the same size and time are taken to be the same; of large files
that have changed, only the changes travel to other hosts; on this one, workers
copy large files by themselves.

Each --tx names an interpreter ("execnet help specs"), and each DEST belongs to
the --tx in the same place of the order; one DEST alone is for all. Without --tx
DEST is on this machine. There is no HOST:PATH: write --tx ssh=HOST PATH. A DEST
of "-" gets nothing: that interpreter only leads to others (via).

All are served side by side, and each file is read once. A DEST that fails is
named, makes the exit code 1, and holds up nobody else; running the command again
completes it. Nothing is ever half a file under its real name. Files in DEST that
are named .NAME.execnet-XXXXXXXX are taken for what a sync that was killed has
left there, and are removed, unless another sync is writing them.

PATTERN, for --exclude, matches names anywhere in the tree, or, with a slash in
it, paths below SRC; * ? [a-z] {x,y} and ** (any directories) are special, and a
slash at its end makes it match directories only. What is excluded is not sent;
with --delete it is deleted at DEST.`,
		Example: `  execnet rsync src --tx ssh=me@example.org /srv/app
  execnet rsync src --delete --exclude .git/ --exclude '*.pyc' --tx ssh=a /srv/app --tx ssh=b /srv/app
  execnet rsync src --dry-run --tx popen /tmp/copy`,
		Args: func(_ *cobra.Command, args []string) error {
			switch empty := slices.Index(args, ""); {
			case len(args) == 0:
				return errors.New("nothing to send: give SRC, a directory")
			case empty == 0:
				return errors.New("SRC is empty, as of a variable that is not set: write . for the current directory")
			case empty > 0:
				return errors.New("DEST is empty, as of a variable that is not set: write . for the directory where the interpreter runs")
			case len(args) == 1:
				return errors.New("nowhere to send it: give a DEST for each --tx")
			}
			return nil
		},
		RunE: func(cmd *cobra.Command, args []string) error { return f.run(cmd, args[0], args[1:]) },
	}
	flags := cmd.Flags()
	flags.SortFlags = false
	flags.StringArrayVar(&f.tx, "tx", []string{"popen"}, "`SPEC` of an interpreter where a DEST is; may be repeated")
	flags.BoolVar(&f.delete, "delete", false, "remove what is in DEST and not in SRC")
	flags.BoolVarP(&f.dryRun, "dry-run", "n", false, "change nothing, only tell what would be done")
	flags.StringArrayVar(&f.exclude, "exclude", nil, "leave out what matches `PATTERN`; may be repeated")
	flags.BoolVarP(&f.quiet, "quiet", "q", false, "print nothing but errors")
	flags.BoolVarP(&f.verbose, "verbose", "v", false, "print a line for each file, also on a terminal")
	f.stall = time.Minute
	flags.Var(seconds{&f.stall}, "stall-timeout", "give up a DEST that owes an answer and shows no sign of life for this `TIME`, such as 90 or 90s, more than 0")
	addTimeout(cmd, &f.timeout)
	return cmd
}

func (f *rsyncFlags) run(cmd *cobra.Command, source string, dests []string) error {
	if err := checkTimeout(f.timeout); err != nil {
		return err
	}
	if f.stall <= 0 {
		return fmt.Errorf("--stall-timeout %v: it must be more than 0", f.stall)
	}
	specs, err := txspec.Parse(f.tx)
	if err != nil {
		return fmt.Errorf("--tx: %w", err)
	}
	for _, dest := range dests {
		if m := hostAndPath.FindStringSubmatch(dest); m != nil {
			return fmt.Errorf("DEST %q looks like HOST:PATH: write --tx ssh=%s %s, or ./%s if that is a name", dest, m[1], cmp.Or(m[2], "."), dest)
		}
	}
	dests, err = pair(specs, dests)
	if err != nil {
		return err
	}
	leaveOut, err := excluder(source, f.exclude)
	if err != nil {
		return err
	}
	if info, err := os.Stat(source); err != nil {
		if m := hostAndPath.FindStringSubmatch(source); m != nil {
			err = fmt.Errorf("%w (SRC is a directory here; of another host a sync can only be the DEST)", err)
		}
		return failure(err)
	} else if !info.IsDir() {
		return failure(fmt.Errorf("%s is no directory; rsync sends what is in one", source))
	}
	return withGateways(cmd, specs, gatewayOptions{limit: f.timeout}, func(ctx context.Context, cancel context.CancelCauseFunc, members []fleet.Member) (code int) {
		sync := rsync.New(source)
		sync.DryRun, sync.Filter, sync.StallTimeout = f.dryRun, leaveOut, f.stall
		view := f.view(cmd.OutOrStdout(), cancel)
		sync.Callback = view.Event
		targets := 0
		for i, m := range members {
			if m.Err != nil || dests[i] == "-" {
				continue
			}
			view.Target(m.Spec.ID)
			if err := sync.AddTarget(m.Gateway, dests[i], rsync.TargetOptions{Delete: f.delete}); err != nil {
				code = exitFailure
				cmd.ErrOrStderr().Write(prefixed(m.Spec.ID, plainError(err)))
				continue
			}
			targets++
		}
		if targets == 0 {
			view.Close(nil)
			return exitFailure
		}
		err := sync.Send(ctx)
		awaitInterrupt(ctx, err)
		view.Close(sync.Results())
		if err != nil && ctx.Err() == nil {
			code = exitFailure
			report(cmd.ErrOrStderr(), err)
		}
		return code
	})
}

// hostAndPath matches a place as the commands rsync and scp have it, HOST:PATH. A drive of Windows
// is none.
var hostAndPath = regexp.MustCompile(`^((?:[^/\\:@]+@)?(?:\[[^]/]+\]|[^/\\:@]{2,})):(.*)$`)

// awaitInterrupt waits for this process's own interrupt if err says that a worker was interrupted:
// a Ctrl-C at the terminal goes to both, and the worker's error may arrive first.
func awaitInterrupt(ctx context.Context, err error) {
	var remote *gatewaybase.RemoteError
	if !errors.As(err, &remote) || strings.TrimSpace(remote.Formatted) != "keyboard-interrupted" {
		return
	}
	select {
	case <-ctx.Done():
	case <-time.After(time.Second):
	}
}

// view chooses how the sync is shown: bars on a terminal, lines elsewhere. failed is called when
// that cannot be written.
func (f *rsyncFlags) view(out io.Writer, failed func(error)) syncview.View {
	file, isFile := out.(*os.File)
	switch {
	case f.quiet:
		return syncview.Quiet{}
	case isFile && term.IsTerminal(int(file.Fd())) && !f.dryRun:
		return syncview.NewBars(file, f.verbose, failed)
	}
	return syncview.NewLines(out, f.dryRun, failed)
}

// report prints the errors of a sync, a target's with its gateway's id before each line.
func report(w io.Writer, err error) {
	switch err := err.(type) {
	case *rsync.TargetError:
		w.Write(prefixed(err.Gateway, plainError(err)))
	case *rsync.SourceError:
		fmt.Fprintln(w, plainError(err))
	case interface{ Unwrap() []error }: // several
		for _, each := range err.Unwrap() {
			report(w, each)
		}
	default:
		fmt.Fprintln(w, plainError(err))
	}
}

// pair returns the DEST of each spec, in order.
func pair(specs []*xspec.Spec, dests []string) ([]string, error) {
	if len(dests) == 1 {
		for len(dests) < len(specs) {
			dests = append(dests, dests[0])
		}
	}
	if len(dests) != len(specs) {
		return nil, fmt.Errorf("there are %d DESTs for %d interpreters: give one for each --tx, or one for all", len(dests), len(specs))
	}
	type place struct{ spec, dest string }
	seen := map[place]bool{}
	for i, spec := range specs {
		p := place{withoutID(spec), path.Clean(dests[i])}
		if dests[i] != "-" && seen[p] {
			return nil, fmt.Errorf("%s would be sent to %s twice", dests[i], spec)
		}
		seen[p] = true
	}
	if !slices.ContainsFunc(dests, func(dest string) bool { return dest != "-" }) {
		return nil, errors.New(`every DEST is "-": nothing gets SRC`)
	}
	return dests, nil
}

// withoutID is what a spec says of where its interpreter is: its keys without the id, in
// alphabetical order.
func withoutID(spec *xspec.Spec) string {
	keys := slices.DeleteFunc(strings.Split(spec.String(), "//"), func(key string) bool { return strings.HasPrefix(key, "id=") })
	slices.Sort(keys)
	return strings.Join(keys, "//")
}

// excluder makes a filter for RSync.Filter from patterns; nil if there are none.
func excluder(source string, patterns []string) (func(path string) bool, error) {
	if len(patterns) == 0 {
		return nil, nil
	}
	var all []exclusion
	for _, pattern := range patterns {
		x, err := newExclusion(pattern)
		if err != nil {
			return nil, err
		}
		all = append(all, x)
	}
	return func(path string) bool {
		rel, err := filepath.Rel(source, path)
		return err != nil || !slices.ContainsFunc(all, func(x exclusion) bool { return x.matches(path, filepath.ToSlash(rel)) })
	}, nil
}

// exclusion is a pattern of --exclude.
type exclusion struct {
	glob     string // as names and paths are written: no slash at either end, no "." or ".." in it
	names    bool   // it is for names anywhere, not for paths
	dirsOnly bool
}

func newExclusion(pattern string) (exclusion, error) {
	x := exclusion{
		glob:     path.Clean(strings.Trim(pattern, "/")),
		names:    !strings.Contains(strings.TrimRight(pattern, "/"), "/"),
		dirsOnly: strings.HasSuffix(pattern, "/"),
	}
	switch {
	case pattern == "" || !doublestar.ValidatePattern(x.glob):
		return x, fmt.Errorf("--exclude %q is no pattern", pattern)
	case x.glob == "." || x.glob == ".." || strings.HasPrefix(x.glob, "../"):
		return x, fmt.Errorf("--exclude %q matches nothing in SRC", pattern)
	}
	return x, nil
}

// matches reports whether an entry is left out. full is its path, rel its path below SRC with
// slashes.
func (x exclusion) matches(full, rel string) bool {
	if x.names {
		rel = path.Base(rel)
	}
	return doublestar.MatchUnvalidated(x.glob, rel) && (!x.dirsOnly || isDirectory(full))
}

func isDirectory(path string) bool {
	info, err := os.Lstat(path)
	return err == nil && info.IsDir()
}
