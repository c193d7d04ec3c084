package main

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/go-execnet/execnet/internal/testsupport/syncsoak"
	"github.com/go-execnet/execnet/rsync"
)

// syncTrees sends a tree, kills the worker or ends the context meanwhile, and checks that a second
// try leaves exactly the source's tree at the destination.
func syncTrees(ctx context.Context, s *soak, r *rand.Rand, w road) (latency time.Duration, err error) {
	dir, err := os.MkdirTemp(s.dir, "sync-")
	if err != nil {
		return 0, err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	source, dest := filepath.Join(dir, "source"), filepath.Join(dir, "dest")
	trees := syncsoak.Trees{Random: r}
	if err := trees.Grow(source); err != nil {
		return 0, err
	}
	if r.IntN(2) == 0 { // another state of it
		if err := trees.Grow(dest); err != nil {
			return 0, err
		}
	}
	latency, err = s.brokenSync(ctx, r, w, source, dest)
	if err != nil {
		return latency, err
	}
	o, err := s.open(ctx, w)
	if err != nil {
		return latency, err
	}
	defer func() { err = errors.Join(err, o.close()) }()
	ctx, stop := within(ctx)
	defer stop()
	if err := send(ctx, o, source, dest); err != nil {
		return latency, fmt.Errorf("the second try: %w", err)
	}
	differ, err := syncsoak.Differences(dest, source)
	if len(differ) > 0 {
		err = errors.Join(err, fmt.Errorf("the trees differ: %s", strings.Join(differ, "; ")))
	}
	return latency, err
}

// brokenSync is the sync that does not get to its end, as a rule.
func (s *soak) brokenSync(ctx context.Context, r *rand.Rand, w road, source, dest string) (took time.Duration, err error) {
	o, err := s.open(ctx, w)
	if err != nil {
		return 0, err
	}
	defer func() { err = errors.Join(err, o.close(), awaitGone(o.pid)) }()
	ctx, stop := context.WithTimeout(ctx, 2*limit)
	defer stop()
	result := make(chan error, 1)
	go func() { result <- send(ctx, o, source, dest) }()
	moment(ctx, r)
	if r.IntN(2) == 0 {
		err = kill(o.pid)
	} else {
		stop()
	}
	start := time.Now()
	<-result // whether it was in time
	if took = time.Since(start); took > limit {
		err = errors.Join(err, fmt.Errorf("the end of Send took %v", took))
	}
	return took, err
}

func send(ctx context.Context, o *opened, source, dest string) error {
	sync := rsync.New(source)
	if err := sync.AddTarget(o.gw, dest, rsync.TargetOptions{Delete: true}); err != nil {
		return err
	}
	return sync.Send(ctx)
}
