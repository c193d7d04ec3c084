package gatewaybase

import (
	"bytes"
	"context"
	"errors"
	"io"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/go-execnet/execnet/internal/testsupport/within"
	"github.com/go-execnet/execnet/serializer"
)

// memoryIO plays a far end that has said all it will say.
type memoryIO struct{ *bytes.Reader }

func (memoryIO) Write(p []byte) (int, error) { return len(p), nil }
func (memoryIO) CloseRead() error            { return nil }
func (memoryIO) CloseWrite() error           { return nil }
func (memoryIO) Kill() error                 { return nil }
func (memoryIO) Exit() Exit                  { return Exit{} }
func (memoryIO) RemoteAddress() string       { return "" }
func (memoryIO) Wait(context.Context) error  { return nil }

// FuzzReceive lets a gateway read arbitrary bytes: it ends in order, and everything it took can be
// received.
func FuzzReceive(f *testing.F) {
	frame := func(c code, channel int32, payload string) []byte {
		b := append(make([]byte, headerSize), payload...)
		if err := putHeader(b, len(b)-headerSize, c, channel); err != nil {
			f.Fatal(err)
		}
		return b
	}
	f.Add(append(frame(codeData, 1, "F\x00\x00\x00\x01Q"), frame(codeClose, 1, "")...))
	f.Add(append(frame(codeData, 1, "B\x00\x00\x00\x02Q"), frame(codeData, 2, "LQ")...))
	f.Add(append(frame(codeCloseError, 1, "N\x00\x00\x00\x01xQ"), frame(codeTerminate, 0, "")...))
	f.Add(append(frame(codeReconfigure, 0, "RC@\x00\x00\x00\x02Q"), frame(codeStatus, 5, "")...))
	f.Add(append(frame(codeExec, 3, "LQ"), frame(codeLastMessage, 1, "")...))
	f.Add([]byte("\x04\x00\x00\x00\x01\x7f\xff\xff\xffA"))
	f.Add(frame(codeExec, 1, "N\x00\x00\x00\x08describeLLJ@\x00\x00\x00\x04Q"))
	window := "F\x00\x00\x00\x08F\x00\x00\x00\x01F\x00\x00\x00\x05F\x00\x00\x00\x10C@\x00\x00\x00\x05Q"
	f.Add(append(frame(codeData, 0, window), frame(codeData, 1, "LQ")...))
	f.Fuzz(func(t *testing.T, data []byte) {
		for _, executor := range []Executor{nil, runner{}} { // a driver's end, a worker's
			receiveAll(t, New(memoryIO{bytes.NewReader(data)}, Config{Spec: spec(t, "popen//id=fuzz"), Executor: executor, Windows: true, Warnings: io.Discard}))
		}
	})
}

// receiveAll receives what there is on channel 1 and waits for the gateway's end.
func receiveAll(t *testing.T, gw *Gateway) {
	t.Helper()
	core, err := gw.table.ensure(1)
	if err == nil {
		ch := core.handle()
		for {
			_, err = ch.Receive(within.Soon(t))
			if errors.Is(err, io.EOF) || errors.Is(err, ErrTerminated) || errors.As(err, new(*GatewayDiedError)) {
				break
			}
			if err != nil && !errors.As(err, new(*RemoteError)) && !errors.As(err, new(*serializer.LoadError)) {
				t.Fatalf("unexpected error %v", err)
			}
		}
	}
	require.NoError(t, gw.Join(within.Soon(t)))
}
