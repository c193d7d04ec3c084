package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
)

// Most licences ask that their text goes along with the program.
var licenceFile = regexp.MustCompile(`(?i)^((un)?licen[cs]e|copying|notice)([.-].*)?$`)

// notices is a text with the licences of everything that is linked into the program, and of Go.
func (b *build) notices(ctx context.Context, root string) (file, error) {
	type source struct{ name, folder string }
	var sources []source
	for _, module := range b.info.Deps {
		folder, err := goOutput(ctx, root, "list", "-m", "-f", "{{.Dir}}", module.Path)
		if err != nil {
			return file{}, err
		}
		sources = append(sources, source{module.Path + " " + module.Version, folder})
		// Go's own has the same licence, and not every installation of Go contains it.
		if module.Path == "golang.org/x/sys" {
			sources = append(sources, source{"Go " + b.info.GoVersion, folder})
		}
	}
	var text strings.Builder
	text.WriteString("The program execnet contains the following, under these licences.\n")
	for _, s := range sources {
		licence, err := licenceOf(s.folder)
		if err != nil {
			return file{}, fmt.Errorf("the licence of %s: %w", s.name, err)
		}
		fmt.Fprintf(&text, "\n%s\n%s\n\n%s", s.name, strings.Repeat("-", len(s.name)), licence)
	}
	return file{"NOTICES.txt", 0o644, []byte(text.String())}, nil
}

// licenceOf is the text of the licence files in a folder.
func licenceOf(folder string) (string, error) {
	entries, err := os.ReadDir(folder)
	if err != nil {
		return "", err
	}
	var text strings.Builder
	for _, entry := range entries {
		if entry.IsDir() || !licenceFile.MatchString(entry.Name()) {
			continue
		}
		data, err := os.ReadFile(filepath.Join(folder, entry.Name()))
		if err != nil {
			return "", err
		}
		text.WriteString(strings.TrimSpace(strings.ReplaceAll(string(data), "\r\n", "\n")) + "\n")
	}
	if text.Len() == 0 {
		return "", errors.New("there is no file of it in " + folder)
	}
	return text.String(), nil
}

// goOutput is what a go command prints.
func goOutput(ctx context.Context, root string, args ...string) (string, error) {
	cmd := exec.CommandContext(ctx, "go", args...)
	cmd.Dir = root
	cmd.Env = append(os.Environ(), "GOWORK=off", "GOFLAGS=-trimpath")
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		return "", fmt.Errorf("go %s: %w: %s", strings.Join(args, " "), err, &stderr)
	}
	return strings.TrimSpace(string(out)), nil
}
