package main

import (
	"bytes"
	"cmp"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

// manPages are the pages of section 1 for a command and all below it, from the texts of its --help.
func manPages(root *cobra.Command, version string, at time.Time) (pages []file) {
	root.InitDefaultHelpCmd()
	root.InitDefaultCompletionCmd("help") // makes it as for any command line
	var add func(cmd *cobra.Command)
	add = func(cmd *cobra.Command) {
		if cmd.Hidden {
			return
		}
		pages = append(pages, file{pageName(cmd) + ".1", 0o644, manPage(cmd, version, at)})
		for _, below := range cmd.Commands() {
			add(below)
		}
	}
	add(root)
	return pages
}

func pageName(cmd *cobra.Command) string { return strings.ReplaceAll(cmd.CommandPath(), " ", "-") }

// manPage is one page, as man reads it: lines of text, and lines with a macro behind a dot.
func manPage(cmd *cobra.Command, version string, at time.Time) []byte {
	cmd.InitDefaultHelpFlag()
	var page bytes.Buffer
	name := pageName(cmd)
	fmt.Fprintf(&page, ".TH %q 1 %q %q\n.nh\n.ad l\n", strings.ToUpper(name), at.UTC().Format(time.DateOnly), "execnet "+version)
	fmt.Fprintf(&page, ".SH NAME\n%s \\- %s\n", roff(name), roff(cmd.Short))
	use := cmd.UseLine()
	if cmd.HasAvailableSubCommands() {
		use = cmd.CommandPath() + " COMMAND [flags]"
	}
	if cmd.Runnable() || cmd.HasAvailableSubCommands() {
		fmt.Fprintf(&page, ".SH SYNOPSIS\n.B %s\n", roff(use))
	}
	page.WriteString(".SH DESCRIPTION\n")
	writeText(&page, cmp.Or(cmd.Long, cmd.Short))
	if cmd.HasAvailableSubCommands() {
		page.WriteString(".SH COMMANDS\n")
		for _, below := range cmd.Commands() {
			if below.IsAvailableCommand() || below.IsAdditionalHelpTopicCommand() {
				fmt.Fprintf(&page, ".TP\n.B %s\n%s\n", roff(below.Name()), roff(below.Short))
			}
		}
	}
	if flags := cmd.Flags(); flags.HasAvailableFlags() {
		page.WriteString(".SH OPTIONS\n")
		flags.VisitAll(func(f *pflag.Flag) { writeOption(&page, f) })
	}
	if cmd.Example != "" {
		page.WriteString(".SH EXAMPLES\n")
		writeText(&page, cmd.Example)
	}
	if others := related(cmd); len(others) > 0 {
		page.WriteString(".SH SEE ALSO\n")
		for i, other := range others {
			end := ","
			if i == len(others)-1 {
				end = ""
			}
			fmt.Fprintf(&page, ".BR %s (1)%s\n", roff(pageName(other)), end)
		}
	}
	return page.Bytes()
}

// related are the commands right above and below.
func related(cmd *cobra.Command) (others []*cobra.Command) {
	if cmd.HasParent() {
		others = append(others, cmd.Parent())
	}
	return append(others, slices.DeleteFunc(slices.Clone(cmd.Commands()), func(c *cobra.Command) bool { return c.Hidden })...)
}

// writeText writes paragraphs. Lines that are set off by spaces stay as they are.
func writeText(w io.Writer, text string) {
	verbatim, begun := false, false
	for line := range strings.SplitSeq(strings.TrimRight(text, "\n"), "\n") {
		set := strings.HasPrefix(line, "  ") || strings.HasPrefix(line, "\t")
		switch {
		case strings.TrimSpace(line) == "" && !verbatim:
			fmt.Fprintln(w, ".PP")
			continue
		case set && !verbatim:
			if begun {
				fmt.Fprintln(w, ".PP")
			}
			fmt.Fprintln(w, ".nf\n.RS 4")
		case !set && verbatim && line != "":
			fmt.Fprintln(w, ".RE\n.fi\n.PP")
		}
		if line != "" {
			verbatim, begun = set, true
		}
		if verbatim {
			line = strings.TrimPrefix(line, "  ")
		}
		fmt.Fprintln(w, roff(line))
	}
	if verbatim {
		fmt.Fprintln(w, ".RE\n.fi")
	}
}

// writeOption writes an option as --help shows it.
func writeOption(w io.Writer, f *pflag.Flag) {
	if f.Hidden {
		return
	}
	value, usage := pflag.UnquoteUsage(f)
	names := "--" + f.Name
	if f.Shorthand != "" {
		names = "-" + f.Shorthand + ", " + names
	}
	if value != "" {
		value = " " + value
	}
	if !slices.Contains([]string{"", "0", "0s", "false", "[]"}, f.DefValue) {
		usage += " (default " + f.DefValue + ")"
	}
	fmt.Fprintf(w, ".TP\n\\fB%s\\fR%s\n%s\n", roff(names), roff(value), roff(usage))
}

// roff writes text so that man shows it as it is: a dash that can be copied, and no macros.
func roff(text string) string {
	text = strings.NewReplacer(`\`, `\e`, "-", `\-`, "`", `\(ga`, "^", `\(ha`, "~", `\(ti`, "'", `\(aq`, `"`, `\(dq`).Replace(text)
	lines := strings.Split(text, "\n")
	for i, line := range lines {
		if strings.HasPrefix(line, ".") {
			lines[i] = `\&` + line
		}
	}
	return strings.Join(lines, "\n")
}

// completions are the scripts that shells load.
func completions(root *cobra.Command) (files []file, err error) {
	for _, shell := range []struct {
		name  string
		write func(io.Writer) error
	}{
		{"execnet.bash", func(w io.Writer) error { return root.GenBashCompletionV2(w, true) }},
		{"_execnet", root.GenZshCompletion},
		{"execnet.fish", func(w io.Writer) error { return root.GenFishCompletion(w, true) }},
		{"execnet.ps1", root.GenPowerShellCompletionWithDesc},
	} {
		var script bytes.Buffer
		if err := shell.write(&script); err != nil {
			return nil, err
		}
		files = append(files, file{shell.name, 0o644, script.Bytes()})
	}
	return files, nil
}
