package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/go-execnet/execnet/internal/command"
)

var macro = regexp.MustCompile(`^\.(TH|SH|PP|TP|B|BR|nf|fi|RS|RE|nh|ad)( |$)`)

// Every command has a page, and no line of its text is taken for a macro.
func TestManPages(t *testing.T) {
	pages := manPages(command.NewRoot(), "1.2.3", time.Unix(0, 0))
	names := map[string]string{}
	for _, page := range pages {
		names[page.name] = string(page.data)
		open := ""
		for line := range strings.Lines(string(page.data)) {
			line = strings.TrimSuffix(line, "\n")
			if strings.HasPrefix(line, ".") {
				assert.Regexp(t, macro, line, page.name)
			}
			switch line {
			case ".nf":
				assert.Empty(t, open, page.name)
				open = line
			case ".fi":
				assert.Equal(t, ".nf", open, page.name)
				open = ""
			}
			assert.NotRegexp(t, `^'`, line, page.name)
			assert.NotContains(t, line, "/home/", page.name)
		}
		assert.Empty(t, open, page.name)
	}
	for _, name := range []string{"execnet.1", "execnet-exec.1", "execnet-sshserver.1", "execnet-specs.1", "execnet-completion-bash.1"} {
		require.Contains(t, names, name)
	}
	assert.Contains(t, names["execnet.1"], ".SH EXAMPLES\n.nf\n.RS 4\nexecnet exec \\-c \\(aqchannel.send(1 + 1)\\(aq\n")
	assert.Contains(t, names["execnet-exec.1"], "\n.TP\n\\fB\\-c, ")
	assert.Equal(t, `a\-b \e \(dqc\(dq`+"\n"+`\&.d`, roff("a-b \\ \"c\"\n.d"))
}

// The scripts are in the archive, and bash loads its one.
func TestCompletions(t *testing.T) {
	t.Parallel()
	name := strings.Join([]string{"execnet", version, here.os, here.arch}, "-")
	folder := filepath.Join(unpack(t, filepath.Join(dist(t), name)), name)
	for _, script := range []string{"execnet.bash", "_execnet", "execnet.fish", "execnet.ps1"} {
		text, err := os.ReadFile(filepath.Join(folder, "completions", script))
		require.NoError(t, err)
		assert.Contains(t, string(text), "__complete", script)
	}
	assert.FileExists(t, filepath.Join(folder, "man", "man1", "execnet.1"))
	if here.os == "windows" {
		return // it need not have a bash
	}
	cmd := exec.Command("bash", "--norc", "-c", `. completions/execnet.bash && complete -p execnet`)
	cmd.Dir = folder
	out, err := cmd.CombinedOutput()
	require.NoError(t, err, string(out))
	assert.Contains(t, string(out), "__start_execnet")
}
