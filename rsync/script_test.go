package rsync

import (
	"context"
	"encoding/binary"
	"fmt"
	"io/fs"
	"os"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	gatewaybase "github.com/go-execnet/execnet/gateway_base"
	"github.com/go-execnet/execnet/internal/rsync/wire"
	"github.com/go-execnet/execnet/internal/testsupport/pipes"
	"github.com/go-execnet/execnet/internal/testsupport/pythons"
	"github.com/go-execnet/execnet/internal/testsupport/within"
	"github.com/go-execnet/execnet/multi"
	"github.com/go-execnet/execnet/xspec"
)

// connected makes a gateway of two ends that are connected, at the other of which something
// executes.
func connected(t testing.TB, keys string, executor gatewaybase.Executor, ours, theirs gatewaybase.IO) *gatewaybase.Gateway {
	t.Helper()
	spec, err := xspec.Parse("popen//id=gw" + keys)
	require.NoError(t, err)
	driver := gatewaybase.New(ours, gatewaybase.Config{Spec: spec, Warnings: t.Output()})
	worker := gatewaybase.New(theirs, gatewaybase.Config{Spec: spec, Executor: executor, Warnings: t.Output()})
	t.Cleanup(func() {
		driver.Exit()
		assert.NoError(t, driver.Join(within.Soon(t)))
		assert.NoError(t, worker.Join(within.Soon(t)))
	})
	return driver
}

// goReceivers returns a gateway to a Go worker in this process.
func goReceivers(t testing.TB) *gatewaybase.Gateway {
	t.Helper()
	ours, theirs := pipes.Pair(t)
	return connected(t, "", &receivers{}, ours, theirs)
}

// everyReceiver runs a test against the Go receiver and against Python's in the oldest and the
// newest Python, and in pip's own worker.
func everyReceiver(t *testing.T, test func(t *testing.T, gw *gatewaybase.Gateway)) {
	t.Run("go", func(t *testing.T) { test(t, goReceivers(t)) })
	all := pythons.All(t)
	specs := map[string]string{
		"python" + all[0].Version():          all[0].Spec(),
		"python" + all[len(all)-1].Version(): all[len(all)-1].Spec(),
		"pip":                                "popen//bootstrap=import//execmodel=main_thread_only//python=" + pythons.WithExecnet(t),
	}
	for name, spec := range specs {
		t.Run(name, func(t *testing.T) {
			group := multi.NewGroup()
			group.Stderr = t.Output()
			t.Cleanup(func() { assert.NoError(t, group.Terminate(within.Time(t, 10*time.Second))) })
			gw, err := group.MakeGateway(within.Soon(t), spec)
			require.NoError(t, err)
			test(t, gw)
		})
	}
}

// script plays the driver of one sync, item by item.
type script struct {
	t  testing.TB
	ch *gatewaybase.Channel
}

func play(t testing.TB, gw *gatewaybase.Gateway) *script {
	t.Helper()
	return playSource(t, gw, remoteSource())
}

// playSource has another receiving half.
func playSource(t testing.TB, gw *gatewaybase.Gateway, source string) *script {
	t.Helper()
	ch, err := gw.RemoteExec(t.Context(), source, gatewaybase.File(wire.RemoteFile, 1), gatewaybase.Call(wire.RemoteFunction, nil))
	require.NoError(t, err)
	require.NoError(t, ch.Reconfigure(t.Context(), gatewaybase.StrConfig{}))
	return &script{t, ch}
}

func (s *script) send(item any) {
	s.t.Helper()
	require.NoError(s.t, s.ch.Send(context.Background(), item))
}

// next is the next item but those that only tell progress.
func (s *script) next() []byte {
	s.t.Helper()
	for {
		v, err := s.ch.Receive(within.Soon(s.t))
		require.NoError(s.t, err)
		item, ok := v.([]byte)
		require.True(s.t, ok, "%v", v)
		if item[0] != wire.ItemAck {
			return item
		}
	}
}

// expect is the next item, which must be of a kind.
func (s *script) expect(kind byte) *wire.Fields {
	s.t.Helper()
	item := s.next()
	require.Equal(s.t, string(kind), string(item[0]), "%q", item)
	return &wire.Fields{Rest: item[1:]}
}

// problem is an error item.
type problem struct {
	severity   byte
	entry      uint32
	path, text string
}

func (s *script) problem() problem {
	s.t.Helper()
	f := s.expect(wire.ItemError)
	p := problem{severity: f.U8(), entry: f.U32()}
	for i, b := range f.Rest {
		if b == 0 {
			p.path, p.text = string(f.Rest[:i]), string(f.Rest[i+1:])
			return p
		}
	}
	s.t.Fatalf("an error item without NUL: %q", f.Rest)
	return p
}

// fails expects the sync to end with an error that says text.
func (s *script) fails(text string) {
	s.t.Helper()
	p := s.problem()
	assert.Equal(s.t, byte(wire.SeverityFatal), p.severity, p.text)
	assert.Contains(s.t, p.text, text)
	require.NoError(s.t, s.ch.WaitClose(within.Soon(s.t)))
}

// hello begins the sync and returns what the receiver can do.
func (s *script) hello(destination string, flags uint32) (can uint32) {
	s.t.Helper()
	s.send(helloItem(destination, flags))
	f := s.expect(wire.ItemWelcome)
	assert.Equal(s.t, uint16(wire.ProtocolVersion), f.U16())
	can = f.U32()
	assert.Zero(s.t, can&^wire.WelcomeHere)
	require.NoError(s.t, f.End("welcome"))
	return can
}

func helloItem(destination string, flags uint32) []byte {
	item := binary.BigEndian.AppendUint16([]byte{wire.ItemHello}, wire.ProtocolVersion)
	return append(binary.BigEndian.AppendUint32(item, flags), destination...)
}

// member is an entry that a script announces.
type member struct {
	kind   byte
	name   string
	mode   uint32
	mtime  int64
	size   uint64
	target string
}

func aDir(name string) member { return member{kind: wire.KindDir, name: name, mode: 0o40755} }
func aFile(name string, size uint64) member {
	return member{wire.KindFile, name, 0o100644, 5, size, ""}
}
func aLink(name, target string) member {
	return member{kind: wire.KindLink, name: name, mode: 0o120777, target: target}
}

// blockOf is one block of a tree item.
func blockOf(directory uint32, flags byte, members ...member) []byte {
	names, targets, links := []byte{}, []byte{}, 0
	entries := []byte{}
	for i, m := range members {
		if i > 0 {
			names = append(names, 0)
		}
		names = append(names, m.name...)
		if m.kind == wire.KindLink || m.kind == wire.KindLinkBase {
			if links > 0 {
				targets = append(targets, 0)
			}
			links++
			targets = append(targets, m.target...)
		}
		entries = append(entries, m.kind)
		entries = binary.BigEndian.AppendUint32(entries, m.mode)
		entries = binary.BigEndian.AppendUint64(entries, uint64(m.mtime))
		entries = binary.BigEndian.AppendUint64(entries, m.size)
	}
	b := append(binary.BigEndian.AppendUint32(nil, directory), flags)
	for _, n := range []int{len(members), len(names), len(targets)} {
		b = binary.BigEndian.AppendUint32(b, uint32(n))
	}
	return append(append(append(b, entries...), names...), targets...)
}

// tree sends a tree item.
func (s *script) tree(blocks ...[]byte) {
	s.t.Helper()
	item := []byte{wire.ItemTree}
	for _, b := range blocks {
		item = append(item, b...)
	}
	s.send(item)
}

func rootBlock() []byte {
	return blockOf(wire.NoEntry, 0, member{kind: wire.KindDir, mode: 0o40755, mtime: 7})
}

// wants is what a tree item is answered with: "entry want size ...".
func (s *script) wants() string {
	s.t.Helper()
	f := s.expect(wire.ItemWants)
	text := ""
	for len(f.Rest) > 0 && !f.Bad {
		text += fmt.Sprintf("%d %d %d;", f.U32(), f.U8(), f.U64())
	}
	require.False(s.t, f.Bad)
	return text
}

// record is one of a content item.
type record struct {
	entry uint32
	op    byte
	data  string
}

func contents(records ...record) []byte {
	item := binary.BigEndian.AppendUint32([]byte{wire.ItemContents}, uint32(len(records)))
	for _, r := range records {
		item = append(binary.BigEndian.AppendUint32(item, r.entry), r.op)
		item = binary.BigEndian.AppendUint32(item, uint32(len(r.data)))
	}
	for _, r := range records {
		item = append(item, r.data...)
	}
	return item
}

// finish ends the sync and returns its statistics.
func (s *script) finish() [wire.Statistics]uint64 {
	s.t.Helper()
	s.send([]byte{wire.ItemFinish})
	return s.end()
}

func (s *script) end() (stats [wire.Statistics]uint64) {
	s.t.Helper()
	f := s.expect(wire.ItemEnd)
	for i := range stats {
		stats[i] = f.U64()
	}
	require.NoError(s.t, f.End("the end"))
	require.NoError(s.t, s.ch.WaitClose(within.Soon(s.t)))
	return stats
}

// modeOf is the mode of what is at a path, not followed.
func modeOf(t *testing.T, path string) fs.FileMode {
	t.Helper()
	info, err := os.Lstat(path)
	require.NoError(t, err)
	return info.Mode()
}
