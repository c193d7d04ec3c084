package command

import (
	"context"
	"errors"
	"fmt"
	"io"
	"path/filepath"
	"sync"
	"time"

	"github.com/spf13/cobra"

	gatewaybase "github.com/go-execnet/execnet/gateway_base"
	"github.com/go-execnet/execnet/internal/command/internal/fleet"
	"github.com/go-execnet/execnet/internal/command/internal/jsonform"
	"github.com/go-execnet/execnet/internal/txspec"
	"github.com/go-execnet/execnet/serializer"
)

func newInfo() *cobra.Command {
	var asJSON bool
	var env []string
	var timeout time.Duration
	cmd := &cobra.Command{
		Use:   "info [SPEC]...",
		Short: "Show which interpreters specs lead to",
		Long: `Info starts an interpreter for each SPEC (without any: the one that is used by
default), and prints what it says of itself. A worker in Go also says what runs
Python source in it, and why. A spec that does not work makes the
exit code 1; the others are shown nevertheless. Nothing is changed there: a folder
of chdir= that is absent is not made, as it is for "execnet exec".

"execnet help specs" tells what SPEC can be.`,
		Example: `  execnet info
  execnet info popen//python=python2.7 'popen//python=docker exec -i box python3'
  execnet info --json popen | jq -r .interpreter`,
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := checkTimeout(timeout); err != nil {
				return err
			}
			if len(args) == 0 {
				args = []string{"popen"}
			}
			specs, err := txspec.Parse(args)
			if err != nil {
				return err
			}
			if err := txspec.SetEnv(specs, env); err != nil {
				return fmt.Errorf("--env %w", err)
			}
			folders := make([]string, len(specs))
			for i, spec := range specs {
				folders[i], spec.ChDir = spec.ChDir, "" // a worker would make it
			}
			return withGateways(cmd, specs, gatewayOptions{limit: timeout}, func(ctx context.Context, cancel context.CancelCauseFunc, members []fleet.Member) int {
				return printInfo(ctx, cancel, cmd, members, folders, asJSON)
			})
		},
	}
	cmd.Flags().BoolVar(&asJSON, "json", false, "print one JSON object a line for each")
	addEnv(cmd, &env)
	addTimeout(cmd, &timeout)
	return cmd
}

// printInfo asks all members for information about their interpreters and prints it in their order.
// folders are the values of chdir= for each of them. It returns the exit code.
func printInfo(ctx context.Context, cancel context.CancelCauseFunc, cmd *cobra.Command, members []fleet.Member, folders []string, asJSON bool) (code int) {
	infos, errs := make([]gatewaybase.RInfo, len(members)), make([]error, len(members))
	engines := make([]*engineInfo, len(members))
	var wg sync.WaitGroup
	for i, m := range members {
		if m.Err == nil {
			wg.Go(func() {
				infos[i], errs[i] = m.Gateway.RInfo(ctx)
				if errs[i] == nil {
					engines[i], errs[i] = askEngine(ctx, m.Gateway)
				}
				if errs[i] == nil && folders[i] != "" {
					infos[i].CWD, errs[i] = workingFolder(ctx, m.Gateway, infos[i].CWD, folders[i])
				}
			})
		}
	}
	wg.Wait()
	for i, m := range members {
		if m.Err != nil || ctx.Err() != nil {
			continue
		}
		if errs[i] != nil {
			code = exitFailure
			cmd.ErrOrStderr().Write(prefixed(m.Spec.ID, plainError(errs[i])))
			continue
		}
		write := infoText
		if asJSON {
			write = infoJSON
		}
		if err := write(cmd.OutOrStdout(), m, infos[i], engines[i]); err != nil {
			cancel(err)
		}
	}
	return code
}

// folderSource sends which folder a worker with this chdir= works in, and whether that is a folder,
// something else, or absent.
const folderSource = `
def folder(channel, chdir):
    import os
    path = os.path.join(getattr(os, "getcwdu", os.getcwd)(), chdir)
    channel.send(os.path.normpath(path))
    channel.send(u"folder" if os.path.isdir(path) else u"other" if os.path.exists(path) else u"absent")
`

// workingFolder returns where a worker with this chdir= works, without making the folder. A Go
// worker that cannot run Python source is not asked.
func workingFolder(ctx context.Context, gw *gatewaybase.Gateway, start, chdir string) (string, error) {
	var path, found string
	ch, err := gw.RemoteExec(ctx, folderSource, gatewaybase.Call("folder", map[string]any{"chdir": chdir}))
	if err == nil {
		err = ch.ReceiveInto(ctx, &path)
	}
	if err == nil {
		err = ch.ReceiveInto(ctx, &found)
	}
	var refused *gatewaybase.RemoteError
	switch {
	case errors.As(err, &refused) && filepath.IsAbs(chdir):
		return chdir, nil
	case errors.As(err, &refused):
		return start + "/" + chdir, nil
	case err != nil:
		return "", err
	case found == "other":
		return "", fmt.Errorf("chdir=%s: %s is not a folder", chdir, path)
	case found == "absent":
		path += " (absent; a gateway makes it)"
	}
	return path, nil
}

// engineInfo is what a Go worker says of what runs source in it.
type engineInfo struct {
	Worker  string `execnet:"worker"`         // the program's file
	Version string `execnet:"worker_version"` // of this module; empty before there was this answer
	Engine  string `execnet:"engine"`         // one of xspec.Engines
	Why     string `execnet:"why"`
}

// engineSource is what askEngine executes: a Go worker recognises it by its file and its text.
const (
	engineSource = "channel.send(None)"
	engineFile   = "<execnet engine>"
)

// askEngine asks a Go worker for its engineInfo; a Python has none.
func askEngine(ctx context.Context, gw *gatewaybase.Gateway) (*engineInfo, error) {
	ch, err := gw.RemoteExec(ctx, engineSource, gatewaybase.File(engineFile, 1))
	if err != nil {
		return nil, err
	}
	return gatewaybase.Receive[*engineInfo](ctx, ch)
}

func infoText(w io.Writer, m fleet.Member, info gatewaybase.RInfo, engine *engineInfo) error {
	_, err := fmt.Fprintf(w, `%s  %s
  interpreter  %s
  version      %s
  platform     %s
  pid          %d
  cwd          %s
`, m.Spec.ID, m.Spec, info.Executable, info.VersionInfo, info.Platform, info.PID, info.CWD)
	if err == nil && engine != nil {
		_, err = fmt.Fprintf(w, "  worker       %s %s\n  engine       %s: %s\n", engine.Worker, engine.Version, engine.Engine, engine.Why)
	}
	return err
}

func infoJSON(w io.Writer, m fleet.Member, info gatewaybase.RInfo, engine *engineInfo) error {
	pairs := []any{"gateway", m.Spec.ID, "spec", m.Spec.String(), "interpreter", info.Executable, "version", info.VersionInfo.String(),
		"platform", info.Platform, "pid", int64(info.PID), "cwd", info.CWD}
	if engine != nil {
		pairs = append(pairs, "worker", engine.Worker, "worker_version", engine.Version, "engine", engine.Engine, "why", engine.Why)
	}
	line, err := jsonform.Append(nil, serializer.NewDict(pairs...))
	if err == nil {
		_, err = w.Write(append(line, '\n'))
	}
	return err
}
