package channeltest

import (
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/go-execnet/execnet"
)

var streams = []test{
	{"what is printed never reaches the pipe", noise},
	{"standard input is empty", emptyInput},
}

func noise(t *testing.T, r *run) {
	ch := r.exec(t, `
import os, subprocess, sys
for i in range(20):
    print("noise " * 100)
    sys.stdout.flush()
    os.write(1, b"more noise\n" * 100)
    channel.send(i)
code = "import sys, os; sys.stdout.write('child'); sys.stdout.flush(); os.write(1, b'x' * 5000)"
channel.send(subprocess.call([sys.executable, "-c", code]))
channel.send(subprocess.call("echo through a shell", shell=True))
`)
	if r.caps.KeepsStdio {
		t.Log("the worker's stdout is its own here; it must not disturb the protocol all the same")
	}
	for i := range 20 {
		assert.Equal(t, int64(i), receive(t, ch))
	}
	assert.Equal(t, int64(0), receive(t, ch))
	assert.Equal(t, int64(0), receive(t, ch))
	ends(t, ch)
}

func emptyInput(t *testing.T, r *run) {
	if r.caps.KeepsStdio {
		return
	}
	ch := r.exec(t, `
import os, subprocess, sys
channel.send((os.read(0, 1) == b"", sys.stdin.read() == ""))
code = "import sys; sys.exit(len(sys.stdin.read()))"
channel.send(subprocess.call([sys.executable, "-c", code]))
`)
	assert.Equal(t, execnet.Tuple{true, true}, receive(t, ch))
	assert.Equal(t, int64(0), receive(t, ch))
	ends(t, ch)
}
