package main

import (
	"context"
	_ "embed"
	"errors"
	"os"

	"github.com/go-execnet/execnet"
)

// bench holds the processes that are measured.
type bench struct {
	workloads []workload
	python    interpreter // the one our worker runs in
	pip       *pip
	raw       *raw
	group     *execnet.Group
	tasks     tasks            // in Python
	goTasks   tasks            // in this program, started once more
	callee    *execnet.Gateway // to Python, which does nothing but calls
	arrays    *arrays          // nil until something is measured with it
	behind    behind           // in a CPython behind this program, started once more
	rawGo     *raw             // this program, started once more
	sshd      *sshServer       // nil until something is measured over ssh
	hosts     []*sshServer     // those that uploads go to, so far
	uploaded  string           // the file that goes there, "" until one is
	trees     []string         // folders to be removed
	suiteTop  string           // the folder with test suites, "" until one is measured
}

//go:embed worker.py
var workerSource string

func newBench(ctx context.Context, o options) (_ *bench, err error) {
	b := &bench{group: execnet.NewGroup()}
	defer func() {
		if err != nil {
			err = errors.Join(err, b.close())
		}
	}()
	if b.workloads, err = workloads(); err != nil {
		return nil, err
	}
	if b.python, err = findPython(ctx, o.python); err != nil {
		return nil, err
	}
	if o.execnet == "" {
		o.execnet = execnetPython()
	}
	if b.pip, err = startPip(ctx, o.execnet); err != nil {
		return nil, err
	}
	if b.raw, err = startRaw(b.python.path, "-u", "-c", rawSource); err != nil {
		return nil, err
	}
	gw, err := b.group.MakeGateway(ctx, b.python.spec())
	if err != nil {
		return nil, err
	}
	if b.tasks.ch, err = gw.RemoteExec(ctx, workerSource); err != nil {
		return nil, err
	}
	if b.callee, err = b.group.MakeGateway(ctx, b.python.spec()); err != nil {
		return nil, err
	}
	self, err := os.Executable()
	if err != nil {
		return nil, err
	}
	if b.rawGo, err = startRaw(self, rawCommand); err != nil {
		return nil, err
	}
	if gw, err = b.group.MakeGateway(ctx, "popen//self//engine=gpython"); err != nil {
		return nil, err
	}
	if b.goTasks.ch, err = gw.RemoteExec(ctx, "import bench\nbench.tasks(channel)"); err != nil {
		return nil, err
	}
	if gw, err = b.group.MakeGateway(ctx, behindSpec(b.python)); err != nil {
		return nil, err
	}
	b.behind.ch, err = gw.RemoteExec(ctx, cpythonsSource)
	return b, err
}

// close ends all processes.
func (b *bench) close() error {
	err := b.group.Terminate(context.Background())
	if b.pip != nil {
		err = errors.Join(err, stop(b.pip.process))
	}
	if b.arrays != nil {
		err = errors.Join(err, stop(b.arrays.plain))
	}
	if b.sshd != nil {
		err = errors.Join(err, b.sshd.close())
	}
	for _, host := range b.hosts {
		err = errors.Join(err, host.close())
	}
	for _, dir := range b.trees {
		err = errors.Join(err, os.RemoveAll(dir))
	}
	for _, r := range []*raw{b.raw, b.rawGo} {
		if r != nil {
			err = errors.Join(err, r.stop())
		}
	}
	return err
}
