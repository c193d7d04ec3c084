package command

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"sync"
	"time"

	"github.com/spf13/cobra"
	"github.com/vbauerster/mpb/v8"
	"github.com/vbauerster/mpb/v8/decor"
	"golang.org/x/term"

	"github.com/go-execnet/execnet/internal/command/internal/fleet"
	"github.com/go-execnet/execnet/internal/txspec"
	"github.com/go-execnet/execnet/multi"
	"github.com/go-execnet/execnet/xspec"
)

type deployFlags struct {
	tx      []string
	quiet   bool
	timeout time.Duration
}

func newDeploy() *cobra.Command {
	var f deployFlags
	cmd := &cobra.Command{
		Use:   "deploy PROGRAM --tx SPEC...",
		Short: "Put a program on other hosts, and print where it is",
		Long: `Deploy puts the file PROGRAM on the host of each --tx, where an interpreter of that
SPEC would run, and prints its path there. Nothing has to be installed on the
host; it needs a POSIX shell. A program that is there already is not sent again:
its name there contains the hash of its content.

If a host has another system or processor than PROGRAM is for, the file
PROGRAM-GOOS-GOARCH beside it is taken, such as PROGRAM-linux-arm64.

A program is in ~/.cache/go-execnet/programs there, or if that does not take it in
a folder of the user's own in $TMPDIR, /tmp, /var/tmp or /dev/shm. A later upload
removes what nobody has used for 30 days.

With one --tx the path alone is printed, so that a Python driver can have a Go
worker on the host. A Go driver needs no deploy: ssh=HOST//self does it.`,
		Example: `  execnet deploy ./agent --tx ssh=me@example.org
  execnet deploy ./agent --tx ssh=a --tx ssh=b --tx ssh=gate//self//id=gate --tx ssh=inner//via=gate
  execnet exec --tx "ssh=a//python=$(execnet deploy "$(command -v execnet)" --tx ssh=a)" -c 'channel.send(1)'`,
		Args: func(_ *cobra.Command, args []string) error {
			if len(args) != 1 {
				return fmt.Errorf("give one PROGRAM, not %d", len(args))
			}
			return nil
		},
		RunE: func(cmd *cobra.Command, args []string) error { return f.run(cmd, args[0]) },
	}
	flags := cmd.Flags()
	flags.SortFlags = false
	flags.StringArrayVar(&f.tx, "tx", nil, "`SPEC` of an interpreter of the host; may be repeated")
	flags.BoolVarP(&f.quiet, "quiet", "q", false, "show no progress")
	addTimeout(cmd, &f.timeout)
	return cmd
}

func (f *deployFlags) run(cmd *cobra.Command, program string) error {
	if err := checkTimeout(f.timeout); err != nil {
		return err
	}
	if len(f.tx) == 0 {
		return errors.New("nowhere to put it: give --tx SPEC, such as --tx ssh=HOST")
	}
	specs, err := txspec.Parse(f.tx)
	if err != nil {
		return fmt.Errorf("--tx: %w", err)
	}
	if _, err := os.Stat(program); err != nil {
		return failure(err)
	}
	var group *multi.Group
	view := f.view(cmd.ErrOrStderr())
	options := gatewayOptions{limit: f.timeout, asksLater: true, prepare: func(g *multi.Group) {
		group = g
		g.Uploading = view.show
	}}
	return withGateways(cmd, leading(specs), options, func(ctx context.Context, cancel context.CancelCauseFunc, _ []fleet.Member) (code int) {
		paths, failures := make([]string, len(specs)), make([]error, len(specs))
		var all sync.WaitGroup
		for i, spec := range specs {
			all.Go(func() {
				paths[i], failures[i] = group.Deploy(ctx, withID(spec), program)
				view.end(spec.ID, failures[i])
			})
		}
		all.Wait()
		view.close()
		for i, spec := range specs {
			switch err := failures[i]; {
			case err == nil:
				line := []byte(paths[i] + "\n")
				if len(specs) > 1 {
					line = prefixed(spec.ID, paths[i])
				}
				if _, err := cmd.OutOrStdout().Write(line); err != nil {
					cancel(err)
				}
			case !fleet.Settled(ctx, err):
				code = exitFailure
				cmd.ErrOrStderr().Write(prefixed(spec.ID, plainError(err)))
			}
		}
		return code
	})
}

// leading are the specs of gateways through which others of specs are reached.
func leading(specs []*xspec.Spec) (all []*xspec.Spec) {
	leads := map[string]bool{}
	for _, spec := range specs {
		leads[spec.Via] = true
	}
	for _, spec := range specs {
		if leads[spec.ID] {
			all = append(all, spec)
		}
	}
	return all
}

// withID is the text of a spec with its id, whether it was given or not.
func withID(spec *xspec.Spec) string {
	for pair := range strings.SplitSeq(spec.String(), "//") {
		if strings.HasPrefix(pair, "id=") || strings.HasPrefix(pair, "id%=") {
			return spec.String()
		}
	}
	return spec.String() + "//id=" + spec.ID
}

// uploads shows how far uploads have come: a bar for each on a terminal, and elsewhere nothing.
type uploads struct {
	terminal io.Writer // nil if nothing is shown

	mu       sync.Mutex // guards what follows
	progress *mpb.Progress
	bars     map[string]*mpb.Bar // by the gateway's id, from the beginning of its upload on
}

func (f *deployFlags) view(out io.Writer) *uploads {
	file, isFile := out.(*os.File)
	if f.quiet || !isFile || !term.IsTerminal(int(file.Fd())) {
		return &uploads{}
	}
	return &uploads{terminal: file, bars: map[string]*mpb.Bar{}}
}

// show is for Group.Uploading.
func (u *uploads) show(up multi.Upload) {
	if u.terminal == nil {
		return
	}
	u.mu.Lock()
	defer u.mu.Unlock()
	if u.progress == nil {
		u.progress = mpb.New(mpb.WithOutput(u.terminal), mpb.WithWidth(30), mpb.WithAutoRefresh())
	}
	id := up.Spec.ID
	if u.bars[id] == nil {
		u.bars[id] = u.progress.AddBar(0,
			mpb.PrependDecorators(decor.Name(id, decor.WCSyncSpaceR), decor.Counters(decor.SizeB1000(0), "% .1f / % .1f", decor.WCSyncSpace)),
			mpb.AppendDecorators(decor.AverageSpeed(decor.SizeB1000(0), " % .1f", decor.WCSyncSpace)))
	}
	u.bars[id].SetTotal(up.Total, false)
	u.bars[id].SetCurrent(up.Sent)
}

// end tells that there is nothing more to come for a gateway.
func (u *uploads) end(id string, err error) {
	u.mu.Lock()
	defer u.mu.Unlock()
	switch bar := u.bars[id]; {
	case bar == nil:
	case err != nil:
		bar.Abort(false)
	default:
		bar.SetTotal(-1, true)
	}
}

// close waits until all is drawn. Every bar has ended.
func (u *uploads) close() {
	if u.progress != nil {
		u.progress.Wait()
	}
}
