package main

import (
	"fmt"
	"strings"
)

// platform is an operating system and a processor, by Go's names for them.
type platform struct{ os, arch string }

// platforms are those of a release.
var platforms = []platform{
	{"linux", "amd64"}, {"linux", "arm64"},
	{"darwin", "amd64"}, {"darwin", "arm64"},
	{"windows", "amd64"}, {"windows", "arm64"},
}

func (p platform) String() string { return p.os + "/" + p.arch }

// program is the name of the program's file.
func (p platform) program() string {
	if p.os == "windows" {
		return "execnet.exe"
	}
	return "execnet"
}

// parsePlatforms reads a list as in "linux/amd64,darwin/arm64"; "all" are those of a release.
func parsePlatforms(list string) (found []platform, err error) {
	if list == "all" {
		return platforms, nil
	}
next:
	for name := range strings.SplitSeq(list, ",") {
		for _, p := range platforms {
			if p.String() == name {
				found = append(found, p)
				continue next
			}
		}
		return nil, fmt.Errorf("%q is no platform of a release, which are %v", name, platforms)
	}
	return found, nil
}
