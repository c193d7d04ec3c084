package main

import (
	"context"
	"fmt"
	"io"
	"sync"
	"time"

	"github.com/spf13/cobra"

	"github.com/go-execnet/execnet/cmd/execnet/internal/fleet"
	"github.com/go-execnet/execnet/cmd/execnet/internal/jsonform"
	"github.com/go-execnet/execnet/cmd/execnet/internal/txspec"
	gatewaybase "github.com/go-execnet/execnet/gateway_base"
	"github.com/go-execnet/execnet/serializer"
)

func newInfo() *cobra.Command {
	var asJSON bool
	var timeout time.Duration
	cmd := &cobra.Command{
		Use:   "info [SPEC]...",
		Short: "Show which interpreters specs lead to",
		Long: `Info starts an interpreter for each SPEC (without any: the one that is used by
default), and prints what it says of itself. A spec that does not work makes the
exit code 1; the others are shown nevertheless.

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
			return withGateways(cmd, specs, timeout, false, func(ctx context.Context, cancel context.CancelCauseFunc, members []fleet.Member) bool {
				return printInfo(ctx, cancel, cmd, members, asJSON)
			})
		},
	}
	cmd.Flags().BoolVar(&asJSON, "json", false, "print one JSON object a line for each")
	addTimeout(cmd, &timeout)
	return cmd
}

// printInfo asks all members for information about their interpreters and prints it in their order;
// it reports whether all have answered.
func printInfo(ctx context.Context, cancel context.CancelCauseFunc, cmd *cobra.Command, members []fleet.Member, asJSON bool) bool {
	infos, errs := make([]gatewaybase.RInfo, len(members)), make([]error, len(members))
	var wg sync.WaitGroup
	for i, m := range members {
		if m.Err == nil {
			wg.Go(func() { infos[i], errs[i] = m.Gateway.RInfo(ctx) })
		}
	}
	wg.Wait()
	ok := true
	for i, m := range members {
		if m.Err != nil || ctx.Err() != nil {
			continue
		}
		if errs[i] != nil {
			ok = false
			cmd.ErrOrStderr().Write(prefixed(m.Spec.ID, plainError(errs[i])))
			continue
		}
		write := infoText
		if asJSON {
			write = infoJSON
		}
		if err := write(cmd.OutOrStdout(), m, infos[i]); err != nil {
			cancel(err)
		}
	}
	return ok
}

func infoText(w io.Writer, m fleet.Member, info gatewaybase.RInfo) error {
	_, err := fmt.Fprintf(w, `%s  %s
  interpreter  %s
  version      %s
  platform     %s
  pid          %d
  cwd          %s
`, m.Spec.ID, m.Spec, info.Executable, info.VersionInfo, info.Platform, info.PID, info.CWD)
	return err
}

func infoJSON(w io.Writer, m fleet.Member, info gatewaybase.RInfo) error {
	line, err := jsonform.Append(nil, serializer.NewDict(
		"gateway", m.Spec.ID, "spec", m.Spec.String(), "interpreter", info.Executable, "version", info.VersionInfo.String(),
		"platform", info.Platform, "pid", int64(info.PID), "cwd", info.CWD))
	if err == nil {
		_, err = w.Write(append(line, '\n'))
	}
	return err
}
