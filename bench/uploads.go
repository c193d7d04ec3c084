package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/go-execnet/execnet"
	"github.com/go-execnet/execnet/internal/testsupport/opensshd"
)

// manyHosts get a program side by side.
const manyHosts = 20

// programSize is how many bytes of this program are uploaded.
const programSize = 20 << 20

// uploadComparison compares ways to put a program on hosts that do not have it.
type uploadComparison struct {
	bench *bench
	name  string
	hosts int
	delay time.Duration // each way
}

func (b *bench) uploads() []measurement {
	var all []measurement
	for _, way := range []struct {
		name  string
		delay time.Duration
	}{{"loopback", 0}, {"50 ms each way", delay}} {
		all = append(all,
			uploadComparison{b, "upload of a program of 20 MiB, " + way.name, 1, way.delay},
			uploadComparison{b, fmt.Sprintf("upload of a program of 20 MiB to %d hosts, %s", manyHosts, way.name), manyHosts, way.delay})
	}
	return all
}

func (c uploadComparison) title() string { return c.name }

func (c uploadComparison) run(ctx context.Context, rounds int, p *progress) ([]row, error) {
	if missing := missingSSH(); missing != "" {
		return []row{{Name: c.name, Figure: "not measured: " + missing + " not installed (OpenSSH is needed here)"}}, nil
	}
	p.step("starting the hosts")
	hosts, err := c.bench.sshHosts(ctx, c.hosts)
	if err != nil {
		return nil, err
	}
	program, err := c.bench.program()
	if err != nil {
		return nil, err
	}
	for _, host := range hosts {
		host.relay.SetDelay(c.delay)
	}
	const ours, theirs = "ours", "scp"
	return comparison{
		name: c.name, figure: asTime, once: true, share: 3,
		sides: []side{
			once(ours, func(ctx context.Context) (time.Duration, error) { return deployTo(ctx, hosts, program) }),
			once(theirs, func(ctx context.Context) (time.Duration, error) { return scpTo(ctx, hosts, program) }),
		},
		goals: []goal{{ours, theirs, longer, 1}},
	}.run(ctx, rounds, p)
}

// deployTo puts a program on each host as Group.Deploy does.
func deployTo(ctx context.Context, hosts []*sshServer, program string) (took time.Duration, err error) {
	for _, host := range hosts {
		if err := os.RemoveAll(host.cache()); err != nil {
			return 0, err
		}
	}
	group := execnet.NewGroup()
	defer func() { err = errors.Join(err, group.Terminate(context.Background())) }()
	start := time.Now()
	var uploads errgroup.Group
	for _, host := range hosts {
		uploads.Go(func() error {
			_, err := group.Deploy(ctx, host.selfSpec(), program)
			return err
		})
	}
	err = uploads.Wait()
	return time.Since(start), err
}

// scpTo copies a program to each host, each by a command of its own.
func scpTo(ctx context.Context, hosts []*sshServer, program string) (time.Duration, error) {
	for _, host := range hosts {
		if err := os.RemoveAll(host.copied()); err != nil {
			return 0, err
		}
	}
	start := time.Now()
	var copies errgroup.Group
	for _, host := range hosts {
		copies.Go(func() error {
			out, err := exec.CommandContext(ctx, "scp", "-q", "-F", host.ConfigFile, program, opensshd.Alias+":"+host.copied()).CombinedOutput()
			if err != nil {
				return fmt.Errorf("scp: %w: %s", err, out)
			}
			return nil
		})
	}
	err := copies.Wait()
	return time.Since(start), err
}

// program is a file with the beginning of this program, the same one for all comparisons.
func (b *bench) program() (path string, err error) {
	if b.uploaded != "" {
		return b.uploaded, nil
	}
	dir, err := os.MkdirTemp("", "execnet-bench-program-")
	if err != nil {
		return "", err
	}
	b.trees = append(b.trees, dir)
	self, err := os.Executable()
	if err != nil {
		return "", err
	}
	from, err := os.Open(self)
	if err != nil {
		return "", err
	}
	defer from.Close()
	path = filepath.Join(dir, "program")
	to, err := os.OpenFile(path, os.O_CREATE|os.O_WRONLY, 0o700)
	if err != nil {
		return "", err
	}
	_, err = io.CopyN(to, from, programSize)
	if err = errors.Join(err, to.Close()); err == nil {
		b.uploaded = path
	}
	return path, err
}
