package main

import (
	"archive/tar"
	"archive/zip"
	"bytes"
	"compress/gzip"
	"io/fs"
	"path"
	"slices"
	"strings"
	"time"
)

// file is a file of an archive or a package, or one that a release consists of.
type file struct {
	name string // with slashes
	mode fs.FileMode
	data []byte
}

// archive makes the archive of a platform: the program, what else belongs to it, below one folder.
func (b *build) archive(c companions) (file, error) {
	name := b.archiveName()
	files := below(name, slices.Concat([]file{{b.program(), 0o755, b.binary}, c.sbom}, c.papers, c.licences,
		below("man/man1", c.man), below("completions", c.completions)))
	if b.os == "windows" {
		data, err := zipped(files, b.time)
		return file{name + ".zip", 0o644, data}, err
	}
	data, err := tarred(files, b.time)
	return file{name + ".tar.gz", 0o644, data}, err
}

// archiveName is the archive's name without its ending.
func (b *build) archiveName() string {
	return strings.Join([]string{"execnet", b.plainVersion(), b.os, b.arch}, "-")
}

// below puts files into a folder.
func below(folder string, files []file) []file {
	moved := slices.Clone(files)
	for i := range moved {
		moved[i].name = path.Join(folder, moved[i].name)
	}
	return moved
}

// tarred packs files as .tar.gz, with their folders. The owner is root, and every time is that of
// the commit, so that the same files give the same bytes. The format is one that dpkg reads, too.
func tarred(files []file, at time.Time) ([]byte, error) {
	var packed bytes.Buffer
	compressed, err := gzip.NewWriterLevel(&packed, gzip.BestCompression)
	if err != nil {
		return nil, err
	}
	w := tar.NewWriter(compressed)
	header := func(name string, mode fs.FileMode, size int, kind byte) error {
		return w.WriteHeader(&tar.Header{
			Name: name, Mode: int64(mode.Perm()), Size: int64(size), Typeflag: kind, ModTime: at,
			Uname: "root", Gname: "root", Format: tar.FormatUSTAR,
		})
	}
	made := map[string]bool{".": true}
	var folder func(name string) error
	folder = func(name string) error {
		if made[name] {
			return nil
		}
		made[name] = true
		if err := folder(path.Dir(name)); err != nil {
			return err
		}
		return header(name+"/", 0o755, 0, tar.TypeDir)
	}
	for _, f := range sorted(files) {
		if err := folder(path.Dir(f.name)); err != nil {
			return nil, err
		}
		if f.mode.IsDir() {
			made[f.name] = true
			err = header(f.name+"/", f.mode, 0, tar.TypeDir)
		} else if err = header(f.name, f.mode, len(f.data), tar.TypeReg); err == nil {
			_, err = w.Write(f.data)
		}
		if err != nil {
			return nil, err
		}
	}
	if err := w.Close(); err != nil {
		return nil, err
	}
	err = compressed.Close()
	return packed.Bytes(), err
}

// zipped packs files as .zip; the same files give the same bytes.
func zipped(files []file, at time.Time) ([]byte, error) {
	var packed bytes.Buffer
	w := zip.NewWriter(&packed)
	for _, f := range files {
		header := &zip.FileHeader{Name: f.name, Method: zip.Deflate, Modified: at.UTC()}
		header.SetMode(f.mode)
		entry, err := w.CreateHeader(header)
		if err == nil {
			_, err = entry.Write(f.data)
		}
		if err != nil {
			return nil, err
		}
	}
	err := w.Close()
	return packed.Bytes(), err
}

func sorted(files []file) []file {
	return slices.SortedStableFunc(slices.Values(files), func(a, b file) int { return strings.Compare(a.name, b.name) })
}
