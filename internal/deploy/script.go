package deploy

import (
	"fmt"
	"strings"
)

// The scripts are for the POSIX shell. They have no line break, single quote, "!" or backslash, so
// that csh and fish pass them to sh unchanged between single quotes. Their output begins with a
// word that is new for each run, so that nothing else that a far end prints is taken for it.

// Command is the command line that has the login shell of a host run a script.
func Command(script string) string { return "sh -c '" + script + "'" }

// Args is the command that runs a script.
func Args(script string) []string { return []string{"sh", "-c", script} }

// places are the folders for programs, in the order in which they are tried, as words of a shell.
// $c is the user's cache folder and $u the user's number. Only the first one is below a folder of
// the user.
var places = []string{"$c/go-execnet/programs", "${TMPDIR:-/tmp}/go-execnet-$u", "/var/tmp/go-execnet-$u", "/dev/shm/go-execnet-$u"}

// prelude sets $u and $c, and defines look, which sets $m, $w and $z to the mode, the owner and the
// size of a file. A link has a mode that is none of those that the scripts want.
const prelude = `set -f; umask 077; u=$(id -u); c=$XDG_CACHE_HOME; case "$c" in /*) ;; *) c=$HOME/.cache;; esac; ` +
	`look() { set -- $(ls -ldn "$1" 2>/dev/null) - - - - -; m=$1; w=$3; z=$5; }; `

// findScript looks for a build of the set that fits. If there is one that only this user can have
// put there, it says "there" and where it is, and goes on with then, a command in which "$d/$n" is
// that file. Otherwise it says "missing", what uname says, and whether there is gzip.
func (s *Set) findScript(mark, then string) string {
	var b strings.Builder
	b.WriteString(prelude + `s=$(uname -s -m); n=; case "$s" in `)
	for _, p := range s.programs {
		pattern := p.platform.unames()
		if p.platform == (Platform{}) {
			pattern = "*"
		}
		if pattern != "" {
			fmt.Fprintf(&b, `%s) n=%s; b=%d;; `, pattern, p.fileName(s.name), p.size)
		}
	}
	b.WriteString(`esac; for d in`)
	for _, place := range places {
		b.WriteString(` "` + place + `"`)
	}
	b.WriteString(`; do test -n "$n" && test -x "$d/$n" || continue; ` +
		`look "$d"; case "$m $w" in "drwx------"*" $u") ;; *) continue;; esac; ` +
		`look "$d/$n"; case "$m $w $z" in "-rwx------"*" $u $b") ;; *) continue;; esac; ` +
		`touch "$d/$n" 2>/dev/null; echo "` + mark + ` there $d/$n"; ` + then + `; done; ` +
		`g=; command -v gzip >/dev/null 2>&1 && g=gzip; echo "` + mark + ` missing $s" $g`)
	return b.String()
}

// How long the far end keeps what nobody uses, in days.
const (
	// keepPrograms is for programs: since the last start and the last upload. One that runs is kept
	// however old it is, where the system tells that (Linux).
	keepPrograms = 30
	// keepUploads is for what an upload has left that was interrupted with its host.
	keepUploads = 1
)

// putScript reads a program from its stdin, which is compressed if packed is set, and puts it into
// one of the places, with everything checked. It says "done" and where the program is, or "failed"
// and why not there.
func (s *Set) putScript(mark string, p *program, place int, packed bool) string {
	unpack := "cat"
	if packed {
		unpack = "gzip -dc"
	}
	var b strings.Builder
	fmt.Fprintf(&b, `%sd="%s"; n=%s; x=.upload-%s; f() { echo "%[4]s failed $d:" "$@"; exit 1; }; `, prelude, places[place], p.fileName(s.name), mark)
	b.WriteString(`e=$(mkdir -p "$d" 2>&1) || f $e; `)
	if place > 0 {
		// Where others can rename what is in the folder, its owner is no protection.
		b.WriteString(`look "${d%/*}"; case "$m" in d????????[tT]*|d????-??-*) ;; *) f others can rename what is in "${d%/*}", whose mode is "$m";; esac; `)
	}
	b.WriteString(`look "$d"; case "$m $w" in "drwx------"*" $u") ;; *) f "it must be a folder of user $u with mode 0700; it has $m and belongs to user $w";; esac; ` +
		`cd "$d" || f it cannot be entered; trap "rm -f $x" 0; trap "exit 1" 1 2 13 15; ` +
		`e=$({ echo exit 0 >$x && chmod 700 $x; } 2>&1) || f $e; ` +
		`e=$(./$x 2>&1 </dev/null) || f no program can be run there: $e; `)
	fmt.Fprintf(&b, `e=$({ %s >$x; } 2>&1) || f $e; look $x; test "$z" = %d || f "$z of %[2]d bytes are there"; `, unpack, p.size)
	// openssl is several times as fast as the others where the processor helps.
	b.WriteString(`h=$({ openssl dgst -sha256 $x || sha256sum $x || shasum -a 256 $x || sha256 $x; } 2>/dev/null); `)
	fmt.Fprintf(&b, `case "$h" in *%s*|"") ;; *) f the bytes that came are not those that were sent;; esac; `, p.sum)
	b.WriteString(`e=$(mv -f $x $n 2>&1) || f $e; `)
	fmt.Fprintf(&b, `for o in $(find . -type f -name "[A-Za-z0-9]*" -mtime +%d -atime +%[1]d) $(find . -type f -name ".upload-*" -mtime +%d); do `, keepPrograms, keepUploads)
	// A program that runs cannot be opened for writing.
	b.WriteString(`( : >>$o ) 2>/dev/null && rm -f $o; done; echo "` + mark + ` done $d/$n"`)
	return b.String()
}
