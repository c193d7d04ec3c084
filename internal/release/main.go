// Release makes the files of a release: archives with their checksums, wheels, Debian packages, and
// what a container is built from. CONTRIBUTING.md says how a release is made.
//
//	go run ./internal/release [-out FOLDER] [-platforms LIST] [archive] [wheel] [deb] [container]
package main

import (
	"context"
	"crypto/sha256"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"path/filepath"
	"slices"
	"strings"

	"github.com/go-execnet/execnet/internal/command"
)

// kinds are what can be made.
var kinds = []string{"archive", "wheel", "deb", "container"}

// order says what a release is to be made of.
type order struct {
	root      string // the folder of this module
	out       string // where the files go
	platforms []platform
	kinds     []string
	log       io.Writer
}

func main() {
	o := order{log: os.Stderr}
	flag.StringVar(&o.root, "root", ".", "the `FOLDER` of the module, a clone with git")
	flag.StringVar(&o.out, "out", "dist", "the `FOLDER` for the files; those of the same names are replaced")
	list := flag.String("platforms", "all", "a `LIST` such as linux/amd64,darwin/arm64")
	flag.Parse()
	o.kinds = flag.Args()
	var err error
	if o.platforms, err = parsePlatforms(*list); err == nil {
		ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
		err = o.run(ctx)
		stop()
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "release:", err)
		os.Exit(1)
	}
}

// run makes all files, and then writes them.
func (o *order) run(ctx context.Context) error {
	if len(o.kinds) == 0 {
		o.kinds = kinds
	}
	for _, kind := range o.kinds {
		if !slices.Contains(kinds, kind) {
			return fmt.Errorf("%q is nothing that can be made; there are: %s", kind, strings.Join(kinds, ", "))
		}
	}
	var made []file
	var builds []*build
	for _, p := range o.platforms {
		fmt.Fprintf(o.log, "release: building for %s\n", p)
		b, err := compile(ctx, o.root, p, o.log)
		if err != nil {
			return err
		}
		if strings.Contains(b.version, "+dirty") && len(builds) == 0 {
			fmt.Fprintf(o.log, "release: warning: files differ from the commit; the version is %s\n", b.version)
		}
		builds = append(builds, b)
		files, err := o.packages(ctx, b)
		if err != nil {
			return err
		}
		made = append(made, files...)
	}
	if slices.Contains(o.kinds, "container") {
		files, err := o.container(ctx, builds)
		if err != nil {
			return err
		}
		made = append(made, files...)
	}
	return o.write(append(made, checksums(made)))
}

// packages makes what is made for each platform.
func (o *order) packages(ctx context.Context, b *build) (made []file, err error) {
	c, err := o.collect(ctx, b)
	if err != nil {
		return nil, err
	}
	add := func(f file, err error) error {
		made = append(made, f)
		return err
	}
	if slices.Contains(o.kinds, "archive") {
		err = add(b.archive(c))
		made = append(made, file{b.archiveName() + ".cdx.json", 0o644, c.sbom.data})
	}
	if err == nil && slices.Contains(o.kinds, "wheel") {
		err = add(b.wheel(c))
	}
	if err == nil && slices.Contains(o.kinds, "deb") && b.os == "linux" {
		err = add(b.deb(c))
	}
	return made, err
}

// companions are the files that go along with the program.
type companions struct {
	papers      []file // README.md and CHANGELOG.md
	licences    []file // the program's own, and those of what it contains
	man         []file
	completions []file
	sbom        file
}

func (o *order) collect(ctx context.Context, b *build) (c companions, err error) {
	if c.papers, err = o.read("README.md", "CHANGELOG.md"); err != nil {
		return c, err
	}
	if c.licences, err = o.read("LICENSE"); err != nil {
		return c, err
	}
	notices, err := b.notices(ctx, o.root)
	if err != nil {
		return c, err
	}
	c.licences = append(c.licences, notices)
	c.man = manPages(command.NewRoot(), b.plainVersion(), b.time)
	if c.completions, err = completions(command.NewRoot()); err != nil {
		return c, err
	}
	c.sbom, err = b.billOfMaterials()
	return c, err
}

// read reads files of the repository.
func (o *order) read(names ...string) (files []file, err error) {
	for _, name := range names {
		data, err := os.ReadFile(filepath.Join(o.root, name))
		if err != nil {
			return nil, err
		}
		files = append(files, file{name, 0o644, data})
	}
	return files, nil
}

// checksums is what sha256sum --check reads.
func checksums(files []file) file {
	var text strings.Builder
	for _, f := range sorted(files) {
		fmt.Fprintf(&text, "%x  %s\n", sha256.Sum256(f.data), f.name)
	}
	return file{"SHA256SUMS", 0o644, []byte(text.String())}
}

// write puts files into the folder, each under another name first, so that none is there in part.
func (o *order) write(files []file) error {
	if err := os.MkdirAll(o.out, 0o755); err != nil {
		return err
	}
	for _, f := range files {
		path := filepath.Join(o.out, f.name)
		if err := os.WriteFile(path+".part", f.data, f.mode); err != nil {
			os.Remove(path + ".part")
			return err
		}
		if err := os.Rename(path+".part", path); err != nil {
			return err
		}
		fmt.Fprintln(o.log, path)
	}
	return nil
}
