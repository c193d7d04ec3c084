//go:build unix

package rsync_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"sort"

	"github.com/go-execnet/execnet/multi"
	"github.com/go-execnet/execnet/rsync"
)

// exampleTree makes a directory with a small tree in it, and an empty directory beside.
func exampleTree() (source, dest string, remove func()) {
	base, err := os.MkdirTemp("", "rsync-example")
	if err != nil {
		panic(err)
	}
	source, dest = filepath.Join(base, "source"), filepath.Join(base, "dest")
	for path, text := range map[string]string{"readme": "read me\n", "src/main.go": "package main\n", "src/old.go": "package old\n"} {
		path = filepath.Join(source, path)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			panic(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
			panic(err)
		}
	}
	return source, dest, func() { os.RemoveAll(base) }
}

// A tree is sent to a local Python interpreter. The second time nothing has to be sent, but a file
// is deleted that is no longer in the source.
func Example() {
	source, dest, remove := exampleTree()
	defer remove()
	ctx := context.Background()
	group := multi.NewGroup()
	defer group.Terminate(ctx)
	gw, err := group.MakeGateway(ctx, "popen")
	if err != nil {
		fmt.Println(err)
		return
	}

	sync := rsync.New(source)
	for range 2 {
		if err := sync.AddTarget(gw, dest, rsync.TargetOptions{Delete: true}); err != nil {
			fmt.Println(err)
			return
		}
		if err := sync.Send(ctx); err != nil {
			fmt.Println(err)
			return
		}
		for _, r := range sync.Results() {
			fmt.Printf("%d files, %d bytes, %d directories made, %d entries deleted\n", r.Files, r.Literal, r.Dirs, r.Deleted)
		}
		os.Remove(filepath.Join(source, "src", "old.go"))
	}
	text, err := os.ReadFile(filepath.Join(dest, "src", "main.go"))
	fmt.Printf("%q %v\n", text, err)

	// Output:
	// 3 files, 33 bytes, 2 directories made, 0 entries deleted
	// 0 files, 0 bytes, 0 directories made, 1 entries deleted
	// "package main\n" <nil>
}

// Callback is given what happens: here it shows which files arrive, and how much of the tree is
// done.
func ExampleRSync_callback() {
	source, dest, remove := exampleTree()
	defer remove()
	ctx := context.Background()
	group := multi.NewGroup()
	defer group.Terminate(ctx)
	gw, err := group.MakeGateway(ctx, "popen//id=backup")
	if err != nil {
		fmt.Println(err)
		return
	}

	var total, done int64
	var arrived []string
	sync := rsync.New(source)
	sync.Filter = func(path string) bool { return filepath.Base(path) != "old.go" }
	sync.Callback = func(e rsync.Event) {
		switch e.Kind {
		case rsync.EventList:
			total = e.Size
		case rsync.EventProgress:
			done = e.Size
		case rsync.EventAck:
			arrived = append(arrived, e.Path)
		}
	}
	finished := func() { fmt.Println(gw.ID(), "has the tree") }
	if err := sync.AddTarget(gw, dest, rsync.TargetOptions{Finished: finished}); err != nil {
		fmt.Println(err)
		return
	}
	if err := sync.Send(ctx); err != nil {
		fmt.Println(err)
		return
	}
	sort.Strings(arrived)
	fmt.Printf("%d of %d bytes: %v\n", done, total, arrived)

	// Output:
	// backup has the tree
	// 21 of 21 bytes: [readme src/main.go]
}

// One target fails and the other has the tree: errors.As finds out what went wrong where.
func ExampleRSync_Send_errors() {
	source, dest, remove := exampleTree()
	defer remove()
	ctx := context.Background()
	group := multi.NewGroup()
	defer group.Terminate(ctx)
	good, err := group.MakeGateway(ctx, "popen//id=good")
	if err != nil {
		fmt.Println(err)
		return
	}
	bad, err := group.MakeGateway(ctx, "popen//id=bad")
	if err != nil {
		fmt.Println(err)
		return
	}
	if err := os.WriteFile(dest+"-file", nil, 0o644); err != nil {
		fmt.Println(err)
		return
	}

	sync := rsync.New(source)
	if err := errors.Join(
		sync.AddTarget(good, dest, rsync.TargetOptions{}),
		sync.AddTarget(bad, dest+"-file", rsync.TargetOptions{}), // a file is there already
	); err != nil {
		fmt.Println(err)
		return
	}
	err = sync.Send(ctx)

	var target *rsync.TargetError
	if errors.As(err, &target) {
		fmt.Println("target:", target.Gateway)
	}
	var file *rsync.FileError
	if errors.As(err, &file) {
		fmt.Printf("path %q: %s\n", file.Path, file.Problem)
	}
	for _, r := range sync.Results() {
		fmt.Println(r.Gateway.ID(), r.Err == nil)
	}

	// Output:
	// target: bad
	// path "": ENOTDIR: the destination is a file, but the source is a directory
	// good true
	// bad false
}
