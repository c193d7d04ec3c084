package command

import (
	"bytes"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/spf13/cobra"

	"github.com/go-execnet/execnet/internal/pyliteral"
	"github.com/go-execnet/execnet/serializer"
)

type loadsFlags struct {
	internal, hex, all             bool
	py2StrAsPy3Str, py3StrAsPy2Str bool
}

func newLoads() *cobra.Command {
	var f loadsFlags
	cmd := &cobra.Command{
		Use:   "loads",
		Short: "Turn execnet's bytes into a Python literal",
		Long: `Loads reads the bytes of one value from stdin, as execnet.dumps returns them, and
prints the value as Python's repr does. "execnet dumps" is the way back.`,
		Example: `  execnet loads < value.bin
  echo 02 46 00 00 00 2a 51 | execnet loads --hex`,
		Args: noArguments,
		RunE: func(cmd *cobra.Command, _ []string) error {
			data, err := readAll(cmd)
			if err == nil && f.hex {
				data, err = decodeHex(string(data))
			}
			if err != nil {
				return err
			}
			return f.run(cmd, data)
		},
	}
	flags := cmd.Flags()
	flags.BoolVar(&f.internal, "internal", false, "read the form that gateways exchange, without the version byte in front")
	flags.BoolVar(&f.hex, "hex", false, "read hexadecimal digits; white space between them is skipped")
	flags.BoolVar(&f.all, "all", false, "read any number of values, one behind the other, and print each on a line")
	flags.BoolVar(&f.py2StrAsPy3Str, "py2str-as-py3str", false, "make text (Latin-1) of a str that Python 2 has dumped, not bytes")
	flags.BoolVar(&f.py3StrAsPy2Str, "py3str-as-py2str", false, "make bytes (UTF-8) of a str that Python 3 has dumped, not text")
	return cmd
}

func (f *loadsFlags) run(cmd *cobra.Command, data []byte) error {
	for at := 0; at < len(data) || !f.all; {
		v, used, err := f.load(data[at:])
		if err == nil && !f.all && used < len(data) {
			err = &serializer.LoadError{Offset: int64(used), Problem: "bytes after the value (--all reads several values)"}
		}
		if err != nil {
			return failure(bytesError(data, at, err))
		}
		if _, err := fmt.Fprintln(cmd.OutOrStdout(), pyliteral.Format(v)); err != nil {
			return failure(err)
		}
		if at += used; !f.all {
			return nil
		}
	}
	return nil
}

// load reads the value that data begins with; used is its length. Offsets in its errors count from
// data's first byte.
func (f *loadsFlags) load(data []byte) (v any, used int, err error) {
	if len(data) == 0 {
		return nil, 0, &serializer.LoadError{Problem: "there is nothing to load"}
	}
	rest := bytes.NewReader(data)
	var r io.Reader = rest
	missing := int64(0)
	if f.internal {
		missing = 1
		r = io.MultiReader(bytes.NewReader([]byte{serializer.Version}), rest)
	}
	v, err = serializer.Load(r, serializer.Py2StrAsPy3Str(f.py2StrAsPy3Str), serializer.Py3StrAsPy2Str(f.py3StrAsPy2Str))
	var wrong *serializer.LoadError
	if errors.As(err, &wrong) {
		wrong.Offset = max(0, wrong.Offset-missing)
	}
	return v, len(data) - rest.Len(), err
}

// bytesError adds to a LoadError the bytes around its offset, which counts from base.
func bytesError(data []byte, base int, err error) error {
	var wrong *serializer.LoadError
	if !errors.As(err, &wrong) {
		return err
	}
	at := min(base+int(wrong.Offset), len(data))
	wrong.Offset = int64(at)
	from, to := max(0, at-8), min(len(data), at+8)
	if from == to {
		return wrong
	}
	return fmt.Errorf("%w\n% x\n%s^", wrong, data[from:to], strings.Repeat("   ", at-from))
}

// decodeHex reads hexadecimal digits; between the bytes there may be white space.
func decodeHex(text string) ([]byte, error) {
	var data []byte
	for i := 0; i < len(text); {
		if strings.IndexByte(" \t\r\n", text[i]) >= 0 {
			i++
			continue
		}
		end := min(i+2, len(text))
		b, err := hex.DecodeString(text[i:end])
		if err != nil {
			return nil, failure(fmt.Errorf("not two hexadecimal digits, at byte %d\n%s", i, strings.TrimSuffix(caret(text, i), "\n")))
		}
		data = append(data, b...)
		i = end
	}
	return data, nil
}
