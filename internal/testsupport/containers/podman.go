package containers

import (
	"archive/tar"
	"crypto/rand"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/go-execnet/execnet/internal/testsupport/pythons"
)

// Podman are containers of a real podman, from images that are made from files of this machine.
type Podman struct {
	// Box runs, with busybox and a Python. Bare runs, without a Python. Idle does not run.
	Box, Bare, Idle string
	images          []string
}

// StartPodman starts the containers. They are removed when the test ends. It needs a user who may
// do that, busybox and ldd.
func StartPodman(t *testing.T) *Podman {
	t.Helper()
	mark := "execnet-test-" + strings.ToLower(rand.Text())
	p := &Podman{Box: mark + "-box", Bare: mark + "-bare", Idle: mark + "-idle"}
	t.Cleanup(func() {
		RunPodman(t, nil, append([]string{"rm", "-f", "-t", "0", "-i"}, p.Box, p.Bare, p.Idle)...)
		RunPodman(t, nil, append([]string{"rmi", "-f"}, p.images...)...)
	})
	full, bare := p.image(t, mark+"-full", true), p.image(t, mark+"-bare", false)
	p.container(t, "run", p.Box, full)
	p.container(t, "run", p.Bare, bare)
	p.container(t, "create", p.Idle, bare)
	return p
}

// Run runs a command in a container and returns what it prints.
func (p *Podman) Run(t *testing.T, container string, argv ...string) string {
	t.Helper()
	return RunPodman(t, nil, append([]string{"exec", container}, argv...)...)
}

func (p *Podman) container(t *testing.T, verb, name, image string) {
	t.Helper()
	argv := append([]string{verb, "--name", name, "--network", "none"}, PodmanOptions()...)
	if verb == "run" {
		argv = append(argv, "-d")
	}
	RunPodman(t, nil, append(argv, image, "sleep", "86400")...)
}

// PodmanOptions are options that every container of a test needs. Old releases of crun and kernels
// with two versions of cgroups do not go together, and the limits are those that a container within
// a container can have.
func PodmanOptions() []string {
	return []string{"--runtime", "runc", "--ulimit", "nofile=1024:1024", "--ulimit", "nproc=1000:1000"}
}

// RunPodman runs podman and returns what it prints on stdout.
func RunPodman(t *testing.T, stdin io.Reader, argv ...string) string {
	t.Helper()
	cmd := exec.Command("podman", argv...)
	cmd.Stdin = stdin
	var stderr strings.Builder
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("podman %s: %v\n%s", strings.Join(argv, " "), err, stderr.String())
	}
	return string(out)
}

// image imports an image with busybox and, if it is asked for, a Python.
func (p *Podman) image(t *testing.T, name string, python bool) string {
	t.Helper()
	reader, writer := io.Pipe()
	written := make(chan error, 1)
	go func() {
		b := builder{to: tar.NewWriter(writer), have: map[string]bool{}}
		b.write(python, pythons.Default(t).Path)
		if b.err == nil {
			b.err = b.to.Close()
		}
		writer.CloseWithError(b.err)
		written <- b.err
	}()
	RunPodman(t, reader, "import", "-", name)
	reader.Close()
	if err := <-written; err != nil {
		t.Fatal(err)
	}
	p.images = append(p.images, name)
	return name
}

// builder writes the files of an image. After an error it does nothing more.
type builder struct {
	to   *tar.Writer
	have map[string]bool
	err  error
}

// leftOut are the parts of Python's library that a worker does not need.
var leftOut = regexp.MustCompile(`^(__pycache__|tests?|site-packages|dist-packages|idlelib|lib2to3|ensurepip|turtledemo|tkinter|config-.*)$`)

func (b *builder) write(python bool, interpreter string) {
	for _, folder := range []string{"/tmp", "/var/tmp", "/root", "/proc", "/sys", "/dev", "/etc"} {
		mode := int64(0o755)
		if strings.HasSuffix(folder, "/tmp") {
			mode = 0o1777
		}
		b.header(&tar.Header{Typeflag: tar.TypeDir, Name: folder[1:] + "/", Mode: mode})
	}
	busybox, err := exec.LookPath("busybox")
	b.fail(err)
	b.program(busybox)
	for _, tool := range append([]string{"tr"}, tools...) {
		b.link("/bin/"+tool, busybox)
	}
	if !python || b.err != nil {
		return
	}
	out, err := exec.Command(interpreter, "-c", "import sys, sysconfig; print(sys.executable); print(sysconfig.get_path('stdlib'))").Output()
	b.fail(err)
	executable, library, _ := strings.Cut(strings.TrimSpace(string(out)), "\n")
	executable, err = filepath.EvalSymlinks(executable)
	b.fail(err)
	b.program(executable)
	b.link("/usr/bin/python3", executable)
	if b.err == nil {
		b.fail(filepath.WalkDir(library, func(path string, d fs.DirEntry, err error) error {
			switch {
			case err != nil:
				return err
			case path != library && d.IsDir() && leftOut.MatchString(d.Name()):
				return filepath.SkipDir
			case strings.HasSuffix(path, ".so"):
				b.program(path)
			case !d.IsDir():
				b.file(path)
			}
			return b.err
		}))
	}
}

// program writes a program or library, with the libraries that it needs.
func (b *builder) program(path string) {
	b.file(path)
	out, _ := exec.Command("ldd", path).Output() // it fails for a static program
	for _, word := range strings.Fields(string(out)) {
		if strings.HasPrefix(word, "/") && !strings.HasSuffix(word, ":") {
			b.file(word)
		}
	}
}

// file writes a file under its own name, and one that a link leads to in its place.
func (b *builder) file(path string) {
	if b.err != nil || b.have[path] {
		return
	}
	info, err := os.Stat(path)
	if b.fail(err); err != nil || !info.Mode().IsRegular() {
		return
	}
	content, err := os.Open(path)
	if b.fail(err); err != nil {
		return
	}
	defer content.Close()
	b.have[path] = true
	b.header(&tar.Header{Typeflag: tar.TypeReg, Name: path[1:], Mode: int64(info.Mode().Perm()), Size: info.Size()})
	if b.err == nil {
		_, err = io.Copy(b.to, content)
		b.fail(err)
	}
}

func (b *builder) link(name, to string) {
	if name != to && !b.have[name] {
		b.have[name] = true
		b.header(&tar.Header{Typeflag: tar.TypeSymlink, Name: path.Clean(name)[1:], Linkname: to, Mode: 0o777})
	}
}

func (b *builder) header(h *tar.Header) {
	if b.err == nil {
		b.err = b.to.WriteHeader(h)
	}
}

func (b *builder) fail(err error) {
	if b.err == nil {
		b.err = err
	}
}
