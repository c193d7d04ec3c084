package command

import (
	"fmt"
	"time"

	"github.com/spf13/cobra"

	"github.com/go-execnet/execnet/internal/txspec"
	"github.com/go-execnet/execnet/xspec"
)

// remoteFlags are the options of commands that have interpreters execute something.
type remoteFlags struct {
	tx      []string
	env     []string
	imports []string
	keep    bool
	timeout time.Duration
}

// addWhere adds the options that say where that is, and with which modules.
func (f *remoteFlags) addWhere(cmd *cobra.Command) {
	cmd.Flags().StringArrayVar(&f.tx, "tx", []string{"popen"}, "`SPEC` of an interpreter, or N*SPEC for N of them; may be repeated")
	addImport(cmd, &f.imports)
	addEnv(cmd, &f.env)
}

// addHow adds the options that say how long, in spite of what, and what is shown. does is what the
// command does there.
func (f *remoteFlags) addHow(cmd *cobra.Command, does string) {
	cmd.Flags().BoolVar(&f.keep, "keep-going", false, does+" where an interpreter could be started, even if others could not")
	addNoOutput(cmd)
	addTimeout(cmd, &f.timeout)
}

// gateways reads the options: the specs, and how their gateways are started.
func (f *remoteFlags) gateways() ([]*xspec.Spec, gatewayOptions, error) {
	options := gatewayOptions{limit: f.timeout, together: !f.keep}
	if err := checkTimeout(f.timeout); err != nil {
		return nil, options, err
	}
	specs, err := txspec.Parse(f.tx)
	if err != nil {
		return nil, options, fmt.Errorf("--tx: %w", err)
	}
	if err := txspec.SetEnv(specs, f.env); err != nil {
		return nil, options, fmt.Errorf("--env %w", err)
	}
	options.imports, err = openFolders(f.imports)
	return specs, options, err
}
