package main

import (
	"context"
	_ "embed"
	"errors"
	"time"

	"github.com/go-execnet/execnet"
)

// bench holds what the contests are held with.
type bench struct {
	workloads []workload
	python    interpreter // the one our worker runs in
	pip       *pip
	raw       *raw
	group     *execnet.Group
	ch        *execnet.Channel // to workerSource
	far       *sshServer       // nil until something is measured over ssh
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
	if b.raw, err = startRaw(b.python.path); err != nil {
		return nil, err
	}
	gw, err := b.group.MakeGateway(ctx, b.python.spec())
	if err != nil {
		return nil, err
	}
	b.ch, err = gw.RemoteExec(workerSource)
	return b, err
}

// close ends all processes.
func (b *bench) close() error {
	err := b.group.Terminate(10 * time.Second)
	if b.pip != nil {
		err = errors.Join(err, stop(b.pip.process))
	}
	if b.far != nil {
		err = errors.Join(err, b.far.close())
	}
	if b.raw != nil {
		err = errors.Join(err, stop(b.raw.process))
	}
	return err
}
