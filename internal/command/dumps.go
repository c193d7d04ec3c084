package command

import (
	"encoding/hex"
	"errors"
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"github.com/go-execnet/execnet/internal/pyliteral"
	"github.com/go-execnet/execnet/serializer"
)

func newDumps() *cobra.Command {
	var internal, asHex bool
	cmd := &cobra.Command{
		Use:   "dumps",
		Short: "Turn a Python literal into execnet's bytes",
		Long: `Dumps reads the text of one Python literal from stdin, such as
{'a': (1, 2.5, None)}, and writes the bytes to stdout that execnet.dumps returns
for it. "execnet loads" is the way back.`,
		Example: `  echo "[1, b'two', {3}]" | execnet dumps > value.bin
  echo "(None, 1j)" | execnet dumps --hex`,
		Args: noArguments,
		RunE: func(cmd *cobra.Command, _ []string) error {
			text, err := readAll(cmd)
			if err != nil {
				return err
			}
			v, err := pyliteral.Parse(string(text))
			if err != nil {
				return failure(literalError(err))
			}
			data, err := new(serializer.Codec).Append(nil, v)
			if err != nil {
				return failure(err)
			}
			if !internal {
				data = append([]byte{serializer.Version}, data...)
			}
			if asHex {
				data = append(hex.AppendEncode(nil, data), '\n')
			}
			if _, err := cmd.OutOrStdout().Write(data); err != nil {
				return failure(err)
			}
			return nil
		},
	}
	cmd.Flags().BoolVar(&internal, "internal", false, "write the form that gateways exchange, without the version byte in front")
	cmd.Flags().BoolVar(&asHex, "hex", false, "write the bytes as hexadecimal digits and a newline")
	return cmd
}

// literalError adds to a syntax error the line at fault, with a caret below the place.
func literalError(err error) error {
	var syntax *pyliteral.SyntaxError
	if errors.As(err, &syntax) {
		return fmt.Errorf("%s\n%s", syntax, strings.TrimSuffix(syntax.Caret(), "\n"))
	}
	return err
}
