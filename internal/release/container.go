package main

import (
	"context"
	_ "embed"
	"io/fs"
	"slices"
)

//go:embed Containerfile
var containerfile []byte

// container makes an archive of what "docker build" or "podman build" needs: a Containerfile and
// the programs for Linux. No image is made, since that needs one of these.
func (o *order) container(ctx context.Context, builds []*build) ([]file, error) {
	var files []file
	var first *build
	for _, b := range builds {
		if b.os != "linux" {
			continue
		}
		files = append(files, file{b.arch + "/execnet", 0o755, b.binary})
		if first == nil {
			first = b
			c, err := o.collect(ctx, b)
			if err != nil {
				return nil, err
			}
			files = append(files, below("doc", append(slices.Clone(c.licences), c.sbom))...)
		}
	}
	if first == nil {
		return nil, nil
	}
	files = append(files,
		file{"Containerfile", 0o644, containerfile},
		file{"root/etc/passwd", 0o644, []byte("root:x:0:0::/:/usr/bin/execnet\nexecnet:x:1000:1000::/home/execnet:/usr/bin/execnet\n")},
		file{"root/etc/group", 0o644, []byte("root:x:0:\nexecnet:x:1000:\n")},
		file{"user/tmp", fs.ModeDir | 0o755, nil},
		file{"user/home/execnet/.config", fs.ModeDir | 0o700, nil},
		file{"user/home/execnet/.ssh", fs.ModeDir | 0o700, nil},
	)
	name := "execnet-" + first.plainVersion() + "-container"
	data, err := tarred(below(name, files), first.time)
	return []file{{name + ".tar.gz", 0o644, data}}, err
}
