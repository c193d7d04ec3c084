//go:build unix

package rsync

import (
	"bytes"
	"encoding/binary"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	gatewaybase "github.com/go-execnet/execnet/gateway_base"
	"github.com/go-execnet/execnet/internal/rsync/wire"
	"github.com/go-execnet/execnet/internal/testsupport/within"
)

// FuzzReceive sends any items to the Go receiver. The input is a sequence of u16 length and item.
func FuzzReceive(f *testing.F) {
	seed := func(items ...[]byte) {
		var b []byte
		for _, item := range items {
			b = append(binary.BigEndian.AppendUint16(b, uint16(len(item))), item...)
		}
		f.Add(b)
	}
	tree := func(blocks ...[]byte) []byte { return append([]byte{wire.ItemTree}, bytes.Join(blocks, nil)...) }
	sign := []byte{wire.ItemSign, 0, 0, 0, 1}
	seed(tree(rootBlock(), blockOf(0, wire.BlockLast, aFile("old", 4000), aDir("d"), aLink("l", "../x"), member{kind: wire.KindLinkBase, name: "b", target: "d"})),
		tree(blockOf(2, wire.BlockLast, aFile("x", 1))), sign, contents(record{1, wire.OpCopy, pairs(0, 1)}, record{1, wire.OpData, "x"}, record{1, wire.OpEnd, digestOf("x")}),
		contents(record{5, wire.OpWhole, "x"}), []byte{wire.ItemFinish}, contents(record{1, wire.OpWhole, "y"}))
	seed(tree(rootBlock(), blockOf(0, wire.BlockLast, aFile("same", 4))), contents(record{1, wire.OpSame, ""}), []byte{wire.ItemFinish})
	seed(tree(rootBlock(), blockOf(0, wire.BlockLast, aDir("up"), aDir(".."))), tree(blockOf(1, wire.BlockLast, aFile("precious", 1))), contents(record{3, wire.OpGone, "?"}))
	f.Fuzz(func(t *testing.T, input []byte) {
		base := t.TempDir()
		destination := filepath.Join(base, "destination")
		require.NoError(t, os.Mkdir(destination, 0o700))
		precious := filepath.Join(base, "precious")
		require.NoError(t, os.WriteFile(precious, []byte("p"), 0o600))
		require.NoError(t, os.WriteFile(filepath.Join(destination, "old"), bytes.Repeat([]byte("o"), 4000), 0o600))
		require.NoError(t, os.WriteFile(filepath.Join(destination, "same"), []byte("same"), 0o600))
		require.NoError(t, os.Symlink(base, filepath.Join(destination, "up")))
		t.Cleanup(func() { raze(t, base) })

		s := play(t, goReceivers(t))
		s.hello(destination, wire.HelloDelete)
		for len(input) > 2 {
			n := min(int(binary.BigEndian.Uint16(input)), len(input)-2)
			if err := s.ch.Send(t.Context(), input[2:2+n]); err != nil {
				require.ErrorIs(t, err, gatewaybase.ErrClosed)
				break
			}
			input = input[2+n:]
		}
		// What is no item ends a sync that has not ended yet.
		if err := s.ch.Send(t.Context(), nil); err != nil {
			require.ErrorIs(t, err, gatewaybase.ErrClosed)
		}
		if err := s.ch.WaitClose(within.Soon(t)); err != nil {
			var remote *gatewaybase.RemoteError
			require.True(t, errors.As(err, &remote), "%v", err)
			require.False(t, strings.Contains(remote.Formatted, "panic"), remote.Formatted)
		}
		content, err := os.ReadFile(precious)
		require.NoError(t, err)
		require.Equal(t, "p", string(content))
		require.Len(t, namesIn(t, base), 2)
	})
}
