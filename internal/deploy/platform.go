package deploy

import (
	"bytes"
	"encoding/binary"
	"runtime"
	"slices"
	"strings"
)

// Platform is a system and a kind of processor, as Go names them. The zero value is every platform.
type Platform struct{ OS, Arch string }

// here is the platform of this program.
var here = Platform{runtime.GOOS, runtime.GOARCH}

// String returns "linux/amd64", or "every platform".
func (p Platform) String() string {
	if p == (Platform{}) {
		return "every platform"
	}
	return p.OS + "/" + p.Arch
}

// suffix is how the file names of builds for p end.
func (p Platform) suffix() string { return "-" + p.OS + "-" + p.Arch }

// systems are the systems that have a POSIX shell and that Go builds programs for: what uname -s
// says, and Go's name.
var systems = map[string]string{
	"Linux": "linux", "Darwin": "darwin", "FreeBSD": "freebsd", "NetBSD": "netbsd", "OpenBSD": "openbsd", "DragonFly": "dragonfly",
}

// machines are Go's names of processors, and what uname -m says on them. A processor may have
// several names.
var machines = map[string][]string{
	"386": {"i386", "i486", "i586", "i686", "x86"}, "amd64": {"x86_64", "amd64"}, "arm": {"arm", "armv5tel", "armv6l", "armv7l", "armv8l"},
	"arm64": {"aarch64", "arm64"}, "loong64": {"loongarch64"}, "ppc64": {"ppc64"},
	"ppc64le": {"ppc64le"}, "riscv64": {"riscv64"}, "s390x": {"s390x"},
}

// unames are what "uname -s -m" says on p, in the form of patterns that a shell's case takes.
func (p Platform) unames() string {
	var all []string
	for system, name := range systems {
		if name != p.OS {
			continue
		}
		for _, machine := range machines[p.Arch] {
			all = append(all, `"`+system+" "+machine+`"`)
		}
	}
	slices.Sort(all)
	return strings.Join(all, "|")
}

// platformNamed is the platform of which "uname -s -m" says this. It is false for one that Go does
// not know, or that has no name here.
func platformNamed(uname string) (Platform, bool) {
	system, machine, _ := strings.Cut(uname, " ")
	for arch, names := range machines {
		if slices.Contains(names, machine) && systems[system] != "" {
			return Platform{systems[system], arch}, true
		}
	}
	return Platform{}, false
}

// platforms are all of which unames is not empty, in alphabetical order.
func platforms() (all []Platform) {
	for _, system := range systems {
		for arch := range machines {
			all = append(all, Platform{system, arch})
		}
	}
	slices.SortFunc(all, func(a, b Platform) int { return strings.Compare(a.suffix(), b.suffix()) })
	return all
}

// The kinds of processors by the numbers in the headers of programs.
var (
	elfMachines = map[uint16][2]string{ // in files of little-endian and of big-endian processors
		3: {"386"}, 21: {"ppc64le", "ppc64"}, 22: {"", "s390x"}, 40: {"arm"}, 62: {"amd64"}, 183: {"arm64"},
		243: {"riscv64"}, 258: {"loong64"},
	}
	machoMachines = map[uint32]string{0x01000007: "amd64", 0x0100000c: "arm64"}
)

// platformOf reads the header of a program: an ELF or Mach-O file, or one of Windows. The zero
// Platform is that of any other file, such as a script.
func platformOf(header []byte) Platform {
	switch {
	case len(header) >= 20 && bytes.HasPrefix(header, []byte("\x7fELF")):
		const bigEndian, freeBSD = 2, 9
		if header[5] == bigEndian {
			return Platform{"linux", elfMachines[binary.BigEndian.Uint16(header[18:])][1]}
		}
		system := "linux"
		if header[7] == freeBSD {
			system = "freebsd"
		}
		return Platform{system, elfMachines[binary.LittleEndian.Uint16(header[18:])][0]}
	case len(header) >= 8 && bytes.HasPrefix(header, []byte("\xcf\xfa\xed\xfe")):
		return Platform{"darwin", machoMachines[binary.LittleEndian.Uint32(header[4:])]}
	case bytes.HasPrefix(header, []byte("MZ")):
		return Platform{OS: "windows"}
	}
	return Platform{}
}

// fits reports whether a program with this header can be one for p. The header of an ELF file says
// for which system it is only if that is FreeBSD. A processor that is not known here may be any.
func (p Platform) fits(header Platform) bool {
	system := header.OS == p.OS || header.OS == "linux" && p.OS != "darwin" && p.OS != "windows"
	return system && (header.Arch == p.Arch || header.Arch == "" || p.OS == "windows")
}
