package worker

import (
	"io/fs"

	"github.com/go-execnet/execnet/internal/deploy"
)

// Builds gives the program builds of itself for other systems and processors, for drivers that
// start it on a host by self: ssh=host//self. They are the files of fsys, in any of its folders,
// whose names end in -GOOS-GOARCH, such as agent-linux-arm64. An embed.FS can hold them:
//
//	//go:embed builds
//	var builds embed.FS
//
//	worker.Builds(builds)
//
// Each is made by CGO_ENABLED=0 GOOS=linux GOARCH=arm64 go build, from a program without builds in
// it, or they would hold each other. They need not be of the same source, but they have to register
// what the driver calls. Files of such names beside the program, PROGRAM-GOOS-GOARCH, are found
// without Builds. A file that is not what its name says is an error of making the gateway.
func Builds(fsys fs.FS) { deploy.AddBuilds(fsys) }
