// Package docs tests the documentation: its links lead somewhere, and the folders in
// architecture.md import each other as it says.
package docs

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

var (
	// code matches fenced and indented code and code spans, in which nothing is a link. A list of
	// links may be indented too.
	code       = regexp.MustCompile("(?ms)^```.*?^```|^ {4}[^ \n[-][^\n]*|`[^`\n]*`")
	heading    = regexp.MustCompile(`(?m)^#+ (.*)$`)
	notInASlug = regexp.MustCompile(`[^\p{L}\p{N}_ -]`)
	link       = regexp.MustCompile(`\]\(([^)\s]+)\)`)
	blobLink   = regexp.MustCompile(`https://github\.com/go-execnet/execnet/blob/main/([\w./-]+)(?:#([\w-]+))?`)
	// mention matches a section of protocol.md in a comment, definition the target of such a link.
	mention    = regexp.MustCompile(`protocol\.md\s+sections?\s+([\d.]*\d)`)
	definition = regexp.MustCompile(`(?m)^\[protocol\.md section ([\d.]+)\]: \S+/docs/protocol\.md#([\w-]+)$`)
)

// anchors are those that GitHub gives to the headings of a Markdown file.
func anchors(t *testing.T, path string) []string {
	t.Helper()
	text, err := os.ReadFile(path)
	require.NoError(t, err)
	var all []string
	times := map[string]int{}
	for _, found := range heading.FindAllStringSubmatch(string(text), -1) {
		slug := notInASlug.ReplaceAllString(strings.ToLower(found[1]), "")
		slug = strings.ReplaceAll(slug, " ", "-")
		times[slug]++
		if n := times[slug]; n > 1 {
			slug += "-" + strconv.Itoa(n-1)
		}
		all = append(all, slug)
	}
	return all
}

// checkTarget checks that a file exists and, unless anchor is empty, that it has a heading for it.
func checkTarget(t *testing.T, from, path, anchor string) {
	t.Helper()
	if assert.FileExists(t, path, from) && anchor != "" {
		assert.Contains(t, anchors(t, path), anchor, "%s: no heading of %s", from, path)
	}
}

// TestLinksOfThePages follows the relative links in README.md and docs/.
func TestLinksOfThePages(t *testing.T) {
	pages, err := filepath.Glob("*.md")
	require.NoError(t, err)
	for _, page := range append(pages, "../README.md") {
		text, err := os.ReadFile(page)
		require.NoError(t, err)
		for _, found := range link.FindAllStringSubmatch(code.ReplaceAllString(string(text), ""), -1) {
			path, anchor, _ := strings.Cut(found[1], "#")
			switch {
			case strings.Contains(path, "://"):
			case path == "":
				checkTarget(t, page, page, anchor)
			default:
				if info, err := os.Stat(filepath.Join(filepath.Dir(page), path)); err == nil && info.IsDir() {
					continue
				}
				checkTarget(t, page, filepath.Join(filepath.Dir(page), path), anchor)
			}
		}
	}
}

// goFiles parses the Go files of the module and gives each to visit, with its path.
func goFiles(t *testing.T, visit func(path string, file *ast.File)) {
	t.Helper()
	require.NoError(t, filepath.WalkDir("..", func(path string, entry fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if name := entry.Name(); entry.IsDir() && name != ".." && strings.HasPrefix(name, ".") {
			return filepath.SkipDir
		}
		if filepath.Ext(path) != ".go" {
			return nil
		}
		file, err := parser.ParseFile(token.NewFileSet(), path, nil, parser.ParseComments)
		if err == nil {
			visit(path, file)
		}
		return err
	}))
}

// TestLinksOfComments follows the links in Go comments to pages of this repository.
func TestLinksOfComments(t *testing.T) {
	goFiles(t, func(path string, file *ast.File) {
		for _, group := range file.Comments {
			for _, found := range blobLink.FindAllStringSubmatch(group.Text(), -1) {
				checkTarget(t, path, filepath.Join("..", filepath.FromSlash(found[1])), found[2])
			}
			for _, found := range definition.FindAllStringSubmatch(group.Text(), -1) {
				begin := strings.ReplaceAll(found[1], ".", "") + "-"
				assert.True(t, strings.HasPrefix(found[2], begin), "%s: section %s is not at #%s", path, found[1], found[2])
			}
		}
	})
}

// TestSectionsAreLinks looks for sections of protocol.md that an exported doc comment names without
// a link. Internal packages and commands have no such comments.
func TestSectionsAreLinks(t *testing.T) {
	goFiles(t, func(path string, file *ast.File) {
		inside := strings.Split(filepath.ToSlash(path), "/")
		if file.Name.Name == "main" || strings.HasSuffix(path, "_test.go") ||
			slices.Contains(inside, "internal") || slices.Contains(inside, "compat_tests") {
			return
		}
		for name, doc := range exportedDocs(file) {
			text := doc.Text()
			var defined []string
			for _, found := range definition.FindAllStringSubmatch(text, -1) {
				defined = append(defined, found[1])
			}
			for _, found := range mention.FindAllStringSubmatch(text, -1) {
				assert.Contains(t, defined, found[1], "%s: the comment of %s has no link to that section", path, name)
			}
		}
	})
}

// exportedDocs are the doc comments of a file that go doc shows, by the names that they are about.
func exportedDocs(file *ast.File) map[string]*ast.CommentGroup {
	docs := map[string]*ast.CommentGroup{"package " + file.Name.Name: file.Doc}
	for _, decl := range file.Decls {
		switch decl := decl.(type) {
		case *ast.FuncDecl:
			name := decl.Name.Name
			if decl.Recv != nil {
				name = receiver(decl) + "." + name
			}
			if decl.Name.IsExported() && ast.IsExported(name) {
				docs[name] = decl.Doc
			}
		case *ast.GenDecl:
			for _, spec := range decl.Specs {
				name, doc := "", (*ast.CommentGroup)(nil)
				switch spec := spec.(type) {
				case *ast.TypeSpec:
					name, doc = spec.Name.Name, spec.Doc
				case *ast.ValueSpec:
					name, doc = spec.Names[0].Name, spec.Doc
				}
				if !ast.IsExported(name) {
					continue
				}
				docs[name] = doc
				if doc == nil {
					docs[name] = decl.Doc
				}
			}
		}
	}
	return docs
}

// receiver is the name of the type that a method belongs to.
func receiver(method *ast.FuncDecl) string {
	of := method.Recv.List[0].Type
	if pointer, ok := of.(*ast.StarExpr); ok {
		of = pointer.X
	}
	if generic, ok := of.(*ast.IndexExpr); ok {
		of = generic.X
	}
	name, _ := of.(*ast.Ident)
	return name.String()
}
