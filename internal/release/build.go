package main

import (
	"context"
	"debug/buildinfo"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"runtime/debug"
	"slices"
	"strings"
	"time"
)

// build is the program for one platform.
type build struct {
	platform
	binary []byte
	info   *debug.BuildInfo
	// version is what the program says of itself: the tag of the commit, or, if that has none, a
	// version that the go command makes of the last tag, the commit's time and its hash.
	version string
	time    time.Time // of the commit; all files in archives have it
}

// compile builds the program for a platform from the module in the folder root. Nothing of this
// machine gets into it, so the same commit and the same release of Go give the same bytes.
func compile(ctx context.Context, root string, p platform, log io.Writer) (*build, error) {
	folder, err := os.MkdirTemp("", "execnet-release")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(folder)
	path := filepath.Join(folder, p.program())
	cmd := exec.CommandContext(ctx, "go", "build", "-trimpath", "-buildvcs=true", "-ldflags=-s -w", "-o", path, "./cmd/execnet")
	cmd.Dir, cmd.Stdout, cmd.Stderr = root, log, log
	cmd.Env = environment(p)
	if err := cmd.Run(); err != nil {
		return nil, fmt.Errorf("building for %s: %w", p, err)
	}
	b := &build{platform: p}
	if b.binary, err = os.ReadFile(path); err != nil {
		return nil, err
	}
	if b.info, err = buildinfo.ReadFile(path); err != nil {
		return nil, err
	}
	b.version = b.info.Main.Version
	if !goVersion.MatchString(b.version) {
		return nil, fmt.Errorf("the version is that of a git tag, and the go command finds no git in %s (it knows clones, not linked worktrees); the program says %q", root, b.version)
	}
	if b.time, err = time.Parse(time.RFC3339, b.setting("vcs.time")); err != nil {
		return nil, fmt.Errorf("the time of the commit: %w", err)
	}
	return b, nil
}

// environment is this process's own without what would change the program.
func environment(p platform) []string {
	// What is empty would be looked up in the file of go env -w, so GOFLAGS repeats an option.
	set := []string{"CGO_ENABLED=0", "GOOS=" + p.os, "GOARCH=" + p.arch, "GOAMD64=v1", "GOARM64=v8.0", "GOWORK=off", "GOFLAGS=-trimpath"}
	env := slices.DeleteFunc(os.Environ(), func(variable string) bool {
		name, _, _ := strings.Cut(variable, "=")
		return name == "GOEXPERIMENT" || slices.ContainsFunc(set, func(s string) bool { return strings.HasPrefix(s, name+"=") })
	})
	return append(env, set...)
}

// setting is what the program says of how it was built, such as "vcs.time".
func (b *build) setting(key string) string {
	for _, s := range b.info.Settings {
		if s.Key == key {
			return s.Value
		}
	}
	return ""
}

// plainVersion is the version without its v, as it stands in the names of files.
func (b *build) plainVersion() string { return strings.TrimPrefix(b.version, "v") }
