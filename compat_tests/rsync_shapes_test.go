//go:build unix

package compat_tests

import (
	"io/fs"
	"math/rand/v2"
	"strings"
	"time"
)

// noise is random content of this size; the same for the same seed.
func noise(seed uint64, size int) string {
	b := make([]byte, size)
	r := rand.NewChaCha8([32]byte{byte(seed), byte(seed >> 8)})
	_, _ = r.Read(b)
	return string(b)
}

// without says what not every receiving half supports. A shape that needs it is left out there.
type without int

const (
	byteNames     without = 1 << iota // names that are not UTF-8
	readOnlyDirs                      // directories that their owner cannot write to
	modeChanges                       // another mode of a directory that is there
	insideTargets                     // absolute links into the source
	times                             // before 1970, or a nanosecond before a full second
)

// shape is a tree that is synced over the one before it.
type shape struct {
	name  string
	needs without
	tree  tree
}

const kib = 1 << 10

// allShapes returns two trees with a folder for each shape that needs nothing of lacking. In the
// second tree, each shape is in the folder that the shape before it has in the first tree.
func allShapes(lacking without) (before, after tree) {
	before, after = tree{}, tree{}
	var last string
	for _, shape := range shapes() {
		if shape.needs&lacking != 0 {
			continue
		}
		for name, n := range shape.tree {
			before[shape.name+"/"+name] = n.below(shape.name)
			if last != "" {
				after[last+"/"+name] = n.below(last)
			}
		}
		last = shape.name
	}
	return before, after
}

// below is the entry as it is when its tree is moved into a folder.
func (n node) below(folder string) node {
	if n.kind == 'l' {
		n.text = strings.ReplaceAll(n.text, "SOURCE", "SOURCE/"+folder)
	}
	return n
}

// shapes are trees of every kind. Each is synced over the one before it, with delete.
func shapes() []shape {
	borders := tree{}
	for _, size := range []int{64 * kib, 256 * kib} {
		for delta := -1; delta <= 1; delta++ {
			borders["at"+time.Duration(size+delta).String()] = file(noise(uint64(size+delta), size+delta))
		}
	}
	touched := tree{}
	for name, n := range borders {
		touched[name] = n.when(n.at.Add(time.Hour)).with(0o600)
	}
	many := tree{}
	for i := range 100 {
		many["d"+string(rune('a'+i%10))+"/f"+time.Duration(i).String()] = file(strings.Repeat("x", i%97))
	}
	large := noise(5, 5<<20)
	return []shape{
		{"nothing", 0, tree{}},
		{"nested", 0, tree{"a": file("A"), "empty": file(""), "sub/b": file("B"), "sub/deeper/still/c": file("C"), "hollow": dir(), "hollow2/within": dir()}},
		{"other contents and times", 0, tree{"a": file("AA"), "empty": file("not any more"), "sub/b": file("X"),
			"sub/deeper/still/c": file("C").when(usualTime.Add(time.Nanosecond * 1001)), "hollow": file("filled")}},
		{"modes", 0, tree{"run": file("#!").with(0o755), "private": file("p").with(0o600), "readonly": file("r").with(0o444), "readonlyrun": file("x").with(0o555), "open": dir().with(0o777), "group/f": file("g").with(0o660)}},
		{"other modes", modeChanges, tree{"run": file("#!").with(0o644), "private": file("p").with(0o640), "readonly": file("R2").with(0o444), "open": dir().with(0o750), "readonlyrun": file("x").with(0o400)}},
		{"special modes", 0, tree{"run": file("#!").with(0o755 | fs.ModeSetuid), "setgid": file("g").with(0o755 | fs.ModeSetgid), "both": file(noise(6, 2<<20)).with(0o711 | fs.ModeSetuid | fs.ModeSetgid),
			"sticky": dir().with(0o777 | fs.ModeSticky), "sticky/f": file("f"), "shared/by group": dir().with(0o775 | fs.ModeSetgid)}},
		{"read-only directories", readOnlyDirs, tree{"locked": dir().with(0o555), "locked/f": file("f").with(0o444), "locked/in": dir().with(0o500), "locked/in/g": file("g")}},
		{"changes inside them", readOnlyDirs, tree{"locked": dir().with(0o555), "locked/f": file("other").with(0o444), "locked/in": dir().with(0o500), "locked/in/new": file("n")}},
		{"times", times, tree{"old": file("o").when(time.Unix(-5, 250)), "epoch": file("e").when(time.Unix(0, 0)), "last nanosecond": file("l").when(time.Unix(1600000000, 999999999)), "far": file("f").when(time.Unix(4e9, 1)), "d": dir().when(time.Unix(1234567890, 987654321))}},
		{"links", 0, tree{"target": file("t"), "rel": link("target"), "sub/up": link("../target"), "outside": link("/etc/hostname"), "far": link("../../../etc"),
			"dangling": link("no/where"), "dangling2": link("/no/where"), "todir": link("sub"), "loop": link("loop"), "odd": link("sub/../target//"), "sub/long": link(strings.Repeat("x", 1000))}},
		{"links elsewhere", 0, tree{"target": file("t"), "rel": link("sub/up"), "sub/up": link("../target2"), "outside": link("/etc/passwd"), "dangling": link("target"), "todir": link(".")}},
		{"absolute links inside", insideTargets, tree{"target": file("t"), "abs": link("SOURCE/target"), "sub/abs": link("SOURCE/sub/f"), "sub/f": file("f"), "gone": link("SOURCE/not/there")}},
		{"files, directories and links", 0, tree{"f2d": file("f"), "f2l": file("f"), "d2f/x/y": file("y"), "d2l/x": file("x"), "l2f": link("f2d"), "l2d": link("d2f")}},
		{"the other way round", 0, tree{"f2d/x": file("f"), "f2l": link("f2d"), "d2f": file("now"), "d2l": link("f2d"), "l2f": file("now"), "l2d/x": file("now")}},
		{"and again", 0, tree{"f2d": link("f2l"), "f2l/x": file("f"), "d2f": dir(), "d2l": file("f"), "l2f/a/b": dir(), "l2d": link("d2f")}},
		{"plain names", 0, tree{"with space": file("s"), " ": file("blank"), "new\nline/in\n": file("n"), "-rf": file("m"), "'\"$(x)\\`;&|*?": file("q"), ".hidden": file("h"),
			"...": file("d"), "tab\t": file("t"), "bell\x07\x1b[31m": file("b"), strings.Repeat("n", 255): file("long"), "%s%d": file("p"), "CON": file("c"), "~": file("home")}},
		{"names in Unicode", 0, tree{"ünïcödé": file("u"), "日本/語": file("j"), "e\u0301": file("combining"), "é": file("composed"), "\u202eright": file("r"), "😀": link("日本/語"), strings.Repeat("ü", 127): file("long")}},
		{"names in bytes", byteNames, tree{"\xff\xfe": file("b"), "caf\xe9/\x80": file("latin"), "l": link("caf\xe9"), "\xed\xb2\x80": file("surrogate"), "valid ü": file("u")}},
		{"borders", 0, borders},
		{"borders with another time", 0, touched},
		{"many", 0, many},
		{"large", 0, tree{"large": file(large), "small": file("s")}},
		{"large, changed", 0, tree{"large": file(large[:3<<20] + "inserted" + large[3<<20+17:]), "small": file("s").when(usualTime.Add(time.Hour))}},
		{"deep", 0, tree{strings.Repeat("deep/", 30) + "f": file("f")}},
		{"nothing again", 0, tree{}},
	}
}
