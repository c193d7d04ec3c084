package main

import (
	"context"
	_ "embed"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"time"

	"github.com/go-execnet/execnet"
	"github.com/go-execnet/execnet/internal/pipe"
)

const (
	smallItem = 10
	largeItem = 1 << 20
	hugeItem  = 16 << 20
	// frameSize is the size on the wire of a bytes value of smallItem bytes: header, opcode,
	// length, the bytes, and STOP.
	frameSize = 9 + 1 + 4 + smallItem + 1
)

// pipes compares round trips and throughput with a Python worker.
func (b *bench) pipes() []measurement {
	small, large := make([]byte, smallItem), make([]byte, largeItem)
	comparisons := []measurement{comparison{
		name:   "echo round trip",
		figure: asTime,
		sides:  []side{b.tasks.echo(small), b.raw.echo(frameSize), b.pip.side("echo", small)},
		goals:  []goal{{"ours", rawPipe, longer, 1.25}, {"ours", "execnet", speed, 0}, {"execnet", rawPipe, longer, 0}},
	}}
	directions := []struct {
		name, command string
		ours          func(item []byte) side
		raw           func(name string, size int, keep bool) side
	}{
		{"Go to Python", "take", b.tasks.take, b.raw.take},
		{"Python to Go", "give", b.tasks.give, b.raw.give},
	}
	for _, d := range directions {
		comparisons = append(comparisons, comparison{
			name:   "items of 10 bytes, " + d.name,
			figure: asRate,
			sides:  []side{d.ours(small), b.pip.side(d.command, small)},
			goals:  []goal{{"ours", "execnet", speed, 3}},
		})
	}
	for _, d := range directions {
		comparisons = append(comparisons, comparison{
			name:   "bytes of 1 MiB, " + d.name,
			figure: asThroughput(largeItem),
			sides: []side{
				d.ours(large), d.raw(rawPipe, largeItem, false), d.raw(keepingPipe, largeItem, true), b.pip.side(d.command, large),
			},
			goals: []goal{{"ours", rawPipe, speed, 0.8}, {"ours", keepingPipe, speed, 0}, {"ours", "execnet", speed, 0}},
		}, comparison{
			name:   "bytes of 16 MiB, " + d.name,
			figure: asThroughput(hugeItem),
			sides:  []side{d.ours(make([]byte, hugeItem)), d.raw(rawPipe, hugeItem, false), d.raw(keepingPipe, hugeItem, true)},
			goals:  []goal{{"ours", rawPipe, speed, 0}, {"ours", keepingPipe, speed, 0}},
		})
	}
	comparisons = append(comparisons, givenBack("Python to Go", func(item []byte) side {
		return b.tasks.giving(item, execnet.GiveBack)
	}, b.raw.give)...)
	return append(comparisons, b.windows("items of 10 bytes", asRate, small), b.windows("bytes of 1 MiB", asThroughput(largeItem), large))
}

// givenBack compares receivers that give items back with pipes that use their memory again.
func givenBack(direction string, ours func(item []byte) side, raw func(name string, size int, keep bool) side) (comparisons []measurement) {
	for _, size := range []struct {
		bytes int
		aim   float64
	}{{largeItem, 0.8}, {hugeItem, 0}} {
		comparisons = append(comparisons, comparison{
			name:   fmt.Sprintf("bytes of %d MiB, %s, given back", size.bytes>>20, direction),
			figure: asThroughput(size.bytes),
			sides:  []side{ours(make([]byte, size.bytes)), raw(rawPipe, size.bytes, false)},
			goals:  []goal{{"ours", rawPipe, speed, size.aim}},
		})
	}
	return comparisons
}

// windows compares what a channel's window costs a sender that goes on sending, Python to Go.
func (b *bench) windows(what string, figure figure, item []byte) measurement {
	c := comparison{name: what + ", Python to Go, by window", figure: figure}
	none := b.tasks.windowed("no window", 0, item)
	for _, w := range []struct {
		name  string
		bytes int
		aim   float64
	}{{"window of 16 MiB, the default", execnet.DefaultWindow, 0.95}, {"window of 1 MiB", 1 << 20, 0}, {"window of 64 KiB", 64 << 10, 0}} {
		c.sides = append(c.sides, b.tasks.windowed(w.name, w.bytes, item))
		c.goals = append(c.goals, goal{w.name, none.name, speed, w.aim})
	}
	c.sides = append(c.sides, none)
	return c
}

// tasks is a channel to worker.py, or to serveTasks, which does the same in Go. A task is a tuple
// of its name, a number of items, and for "give" how long the item to send is, or pip's the item.
// serveTasks also knows "give back", which is "take" and then to give each item back.
type tasks struct{ ch *execnet.Channel }

func (t tasks) begin(name string, n, size int) error {
	return t.ch.Send(context.Background(), execnet.Tuple{name, n, size})
}

func (t tasks) echo(item []byte) side {
	return side{"ours", func(_ context.Context, n int) (time.Duration, error) {
		start := time.Now()
		if err := t.begin("echo", n, 0); err != nil {
			return 0, err
		}
		for range n {
			if err := t.ch.Send(context.Background(), item); err != nil {
				return 0, err
			}
			if _, err := t.ch.Receive(context.Background()); err != nil {
				return 0, err
			}
		}
		return time.Since(start), nil
	}}
}

func (t tasks) take(item []byte) side { return t.taking("take", item) }

// taking is a side in which the far end takes items, as the task says.
func (t tasks) taking(task string, item []byte) side {
	return side{"ours", func(_ context.Context, n int) (time.Duration, error) {
		start := time.Now()
		if err := t.begin(task, n, 0); err != nil {
			return 0, err
		}
		for range n {
			if err := t.ch.Send(context.Background(), item); err != nil {
				return 0, err
			}
		}
		_, err := t.ch.Receive(context.Background())
		return time.Since(start), err
	}}
}

func (t tasks) give(item []byte) side { return t.giving(item, func([]byte) {}) }

// giving is a side in which this program receives items and then calls done with each.
func (t tasks) giving(item []byte, done func(item []byte)) side {
	return side{"ours", func(_ context.Context, n int) (time.Duration, error) {
		start := time.Now()
		if err := t.begin("give", n, len(item)); err != nil {
			return 0, err
		}
		for range n {
			v, err := t.ch.Receive(context.Background())
			if err != nil {
				return 0, err
			}
			got, _ := v.([]byte)
			if len(got) != len(item) {
				return 0, fmt.Errorf("received %v", v)
			}
			done(got)
		}
		return time.Since(start), nil
	}}
}

// windowed is give with another window of the channel.
func (t tasks) windowed(name string, window int, item []byte) side {
	give := t.give(item).run
	return side{name, func(ctx context.Context, n int) (took time.Duration, err error) {
		if err := t.ch.SetWindow(window); err != nil {
			return 0, err
		}
		took, err = give(ctx, n)
		return took, errors.Join(err, t.ch.SetWindow(execnet.DefaultWindow))
	}}
}

//go:embed raw.py
var rawSource string

// The sides of raw: rawPipe reads everything into the same memory; keepingPipe reads each block
// into memory of its own, as a program must that keeps what it reads.
const (
	rawPipe     = "raw pipe"
	keepingPipe = "raw pipe, blocks kept"
)

// raw is a process that moves bytes and nothing else, through pipes like those of a gateway.
type raw struct {
	cmd *exec.Cmd
	in  *os.File // its stdin
	out *os.File // its stdout
}

func startRaw(args ...string) (_ *raw, err error) {
	r := &raw{cmd: exec.Command(args[0], args[1:]...)}
	var stdin, stdout *os.File
	defer func() {
		for _, theirs := range []*os.File{stdin, stdout} {
			theirs.Close()
		}
		if err != nil {
			r.in.Close()
			r.out.Close()
		}
	}()
	if r.in, stdin, err = pipe.New(true); err != nil {
		return nil, err
	}
	if r.out, stdout, err = pipe.New(false); err != nil {
		return nil, err
	}
	r.cmd.Stdin, r.cmd.Stdout, r.cmd.Stderr = stdin, stdout, os.Stderr
	return r, r.cmd.Start()
}

// stop ends the process, which ends with its input.
func (r *raw) stop() error {
	r.in.Close()
	late := time.AfterFunc(10*time.Second, func() { _ = r.cmd.Process.Kill() })
	defer late.Stop()
	return errors.Join(r.cmd.Wait(), r.out.Close())
}

// side is a side that gives raw.py a command and then moves blocks.
func (r *raw) side(name string, command byte, size int, move func(block []byte, n int) error) side {
	block := make([]byte, size)
	return side{name, func(_ context.Context, n int) (time.Duration, error) {
		head := binary.BigEndian.AppendUint32([]byte{command}, uint32(size))
		start := time.Now()
		if _, err := r.in.Write(binary.BigEndian.AppendUint32(head, uint32(n))); err != nil {
			return 0, err
		}
		err := move(block, n)
		return time.Since(start), err
	}}
}

func (r *raw) echo(size int) side {
	return r.side(rawPipe, 'e', size, func(block []byte, n int) error {
		for range n {
			if _, err := r.in.Write(block); err != nil {
				return err
			}
			if _, err := io.ReadFull(r.out, block); err != nil {
				return err
			}
		}
		return nil
	})
}

func (r *raw) take(name string, size int, keep bool) side {
	command := byte('t')
	if keep {
		command = 'k'
	}
	return r.side(name, command, size, func(block []byte, n int) error {
		for range n {
			if _, err := r.in.Write(block); err != nil {
				return err
			}
		}
		_, err := io.ReadFull(r.out, block[:1])
		return err
	})
}

func (r *raw) give(name string, size int, keep bool) side {
	return r.side(name, 'g', size, func(block []byte, n int) error {
		for range n {
			if keep {
				block = make([]byte, size)
			}
			if _, err := io.ReadFull(r.out, block); err != nil {
				return err
			}
		}
		return nil
	})
}
