package process

import (
	"fmt"
	"io"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/go-execnet/execnet/internal/testsupport/pythons"
)

// BenchmarkPipe moves messages of 1 MiB through a Python process's pipes, in either direction.
func BenchmarkPipe(b *testing.B) {
	const size = 1 << 20
	python := pythons.Default(b).Path
	message := make([]byte, size)
	b.Run("write", func(b *testing.B) {
		p, err := Start([]string{python, "-u", "-c", "import sys\nwhile sys.stdin.buffer.read(1 << 20): sys.stdout.buffer.write(b'1')"}, nil, nil)
		require.NoError(b, err)
		defer end(b, p)
		b.SetBytes(size)
		for b.Loop() {
			_, err := p.Write(message)
			require.NoError(b, err)
			_, err = io.ReadFull(p, message[:1])
			require.NoError(b, err)
		}
	})
	b.Run("read", func(b *testing.B) {
		p, err := Start([]string{python, "-u", "-c", fmt.Sprintf("import sys\nm = b'x' * %d\nwhile sys.stdin.buffer.read(1): sys.stdout.buffer.write(m)", size)}, nil, nil)
		require.NoError(b, err)
		defer end(b, p)
		b.SetBytes(size)
		for b.Loop() {
			_, err := p.Write([]byte{1})
			require.NoError(b, err)
			_, err = io.ReadFull(p, message)
			require.NoError(b, err)
		}
	})
}
