// Package archtest holds the project to its own map: which room may import which, what stands at the top level, and
// the habits that a reviewer should not have to check. docs/architecture.md draws the same map for people.
package archtest

import (
	"encoding/json"
	"errors"
	"go/ast"
	"go/parser"
	"go/token"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

const module = "manofwar"

// pkg is what `go list -json` says of a package, as far as it matters here.
type pkg struct {
	ImportPath string
	Dir        string
	Standard   bool
	Doc        string
	GoFiles    []string
	CgoFiles   []string
	Imports    []string
	Incomplete bool
}

// path returns the package's path below the module's root.
func (p pkg) path() string { return local(p.ImportPath) }

func local(importPath string) string {
	return strings.TrimPrefix(strings.TrimPrefix(importPath, module), "/")
}

func list(t *testing.T, goos string) []pkg {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), "go", "list", "-e", "-json=ImportPath,Dir,Standard,Doc,GoFiles,CgoFiles,Imports,Incomplete", module+"/...")
	cmd.Env = append(os.Environ(), "GOOS="+goos, "CGO_ENABLED=0")
	cmd.Stderr = os.Stderr
	out, err := cmd.Output()
	if err != nil {
		t.Fatal(err)
	}
	var pkgs []pkg
	for d := json.NewDecoder(strings.NewReader(string(out))); ; {
		var p pkg
		if err := d.Decode(&p); errors.Is(err, io.EOF) {
			return pkgs
		} else if err != nil {
			t.Fatal(err)
		}
		if len(p.GoFiles) > 0 {
			pkgs = append(pkgs, p)
		}
	}
}

// A room is a part of the tree with one set of rules. The first room whose pattern holds a package is its room.
type room struct {
	pattern string   // "x" is the package x, "x/..." everything below it as well, "*" one path element
	may     []string // patterns of what it may import from this module, beyond its own subtree where own is set
	own     bool     // may import its own subtree, that is everything below pattern's first two elements
	stdlib  bool     // imports nothing from other modules
}

var rooms = []room{
	{pattern: "cmd/...", may: []string{"..."}},
	{pattern: "internal/lab/...", may: []string{"internal/...", "gokrazy/...", "rootfs/...", "board/...", "init/...", "services/...", "netmgr/...", "player/..."}},
	{pattern: "internal/media", stdlib: true},
	{pattern: "internal/service", stdlib: true},
	{pattern: "internal/slot", stdlib: true},
	{pattern: "internal/atomicfile", stdlib: true},
	{pattern: "internal/ipc", may: []string{"internal/media", "internal/service"}, stdlib: true},
	{pattern: "internal/...", may: []string{"internal/..."}},
	{pattern: "services/*/api", may: []string{"internal/..."}, stdlib: true},
	{pattern: "netmgr/api", may: []string{"internal/..."}, stdlib: true},
	{pattern: "player/api", may: []string{"internal/..."}, stdlib: true},
	{pattern: "init/api", may: []string{"internal/..."}, stdlib: true},
	{pattern: "services/*/...", may: []string{"internal/...", "services/*/api", "netmgr/api", "player/api", "init/api"}, own: true},
	{pattern: "netmgr", may: []string{"internal/...", "services/*/api", "netmgr/api", "player/api", "init/api"}},
	{pattern: "netmgr/...", may: []string{"internal/...", "netmgr/...", "services/*/api", "player/api", "init/api"}},
	{pattern: "player", may: []string{"internal/...", "services/*/api", "netmgr/api", "player/api", "init/api"}},
	{pattern: "player/...", may: []string{"internal/...", "player/...", "services/*/api", "netmgr/api", "init/api"}},
	{pattern: "init/...", may: []string{"init/...", "board/...", "internal/..."}},
	{pattern: "board/...", may: []string{"board/...", "internal/..."}},
	{pattern: "rootfs/...", may: []string{"rootfs/...", "internal/..."}},
	{pattern: "gokrazy/...", may: []string{"gokrazy/...", "rootfs/...", "board/...", "internal/..."}},
}

// matches tells whether path is one that pattern covers.
func matches(pattern, path string) bool {
	prefix, deep := strings.CutSuffix(pattern, "...")
	if deep && prefix == "" {
		return true
	}
	want, got := strings.Split(strings.TrimSuffix(prefix, "/"), "/"), strings.Split(path, "/")
	if len(got) < len(want) || (!deep && len(got) != len(want)) {
		return false
	}
	for i, w := range want {
		if w != "*" && w != got[i] {
			return false
		}
	}
	return true
}

func (r room) allows(from, to string) bool {
	if r.own {
		own := strings.Join(strings.Split(from, "/")[:2], "/")
		if matches(own+"/...", to) {
			return true
		}
	}
	return slices.ContainsFunc(r.may, func(p string) bool { return matches(p, to) })
}

func TestImports(t *testing.T) {
	for _, goos := range []string{"linux", "darwin", "windows"} {
		for _, p := range list(t, goos) {
			i := slices.IndexFunc(rooms, func(r room) bool { return matches(r.pattern, p.path()) })
			if i < 0 {
				t.Errorf("%s is in no room of the map", p.ImportPath)
				continue
			}
			r := rooms[i]
			for _, imp := range p.Imports {
				inModule := imp == module || strings.HasPrefix(imp, module+"/")
				switch {
				case inModule && !r.allows(p.path(), local(imp)):
					t.Errorf("%s (%s) imports %s, which the room %s may not", p.ImportPath, goos, imp, r.pattern)
				case !inModule && r.stdlib && strings.Contains(strings.Split(imp, "/")[0], "."):
					t.Errorf("%s imports %s, but the room %s has the standard library only", p.ImportPath, imp, r.pattern)
				}
			}
		}
	}
}

func TestPackages(t *testing.T) {
	for _, p := range list(t, "linux") {
		if p.Doc == "" {
			t.Errorf("%s has no package comment", p.ImportPath)
		}
		if len(p.CgoFiles) > 0 {
			t.Errorf("%s uses cgo: %v", p.ImportPath, p.CgoFiles)
		}
		for _, f := range p.GoFiles {
			checkFile(t, filepath.Join(p.Dir, f))
		}
	}
}

// checkFile refuses side effects at start-up and programs that end in the middle of a function.
func checkFile(t *testing.T, name string) {
	t.Helper()
	file, err := parser.ParseFile(token.NewFileSet(), name, nil, parser.SkipObjectResolution)
	if err != nil {
		t.Error(err)
		return
	}
	for _, d := range file.Decls {
		f, ok := d.(*ast.FuncDecl)
		if !ok {
			continue
		}
		if f.Recv == nil && f.Name.Name == "init" {
			t.Errorf("%s: func init: register in a literal table instead", name)
		}
		ast.Inspect(f, func(n ast.Node) bool {
			sel, ok := n.(*ast.SelectorExpr)
			if !ok {
				return true
			}
			if x, ok := sel.X.(*ast.Ident); ok && x.Name == "os" && sel.Sel.Name == "Exit" && f.Name.Name != "main" {
				t.Errorf("%s: os.Exit in %s: return an error instead", name, f.Name.Name)
			}
			return true
		})
	}
}

// topLevel is everything that may stand in the project's first directory.
var topLevel = []string{
	"init", "services", "board", "netmgr", "player", "rootfs", "gokrazy", "cmd", "internal", "docs",
	"go.mod", "go.sum", "Makefile", "README.md", "LICENSE", "CHANGELOG.md", "CONTRIBUTING.md", "SECURITY.md", "Containerfile",
	".ci", ".gitignore", ".containerignore",
}

func TestTree(t *testing.T) {
	root := filepath.Join("..", "..")
	tracked, err := exec.CommandContext(t.Context(), "git", "-C", root, "ls-files", "--cached", "--others", "--exclude-standard").Output()
	if err != nil {
		t.Fatalf("needs a git checkout: %v", err)
	}
	for name := range strings.Lines(string(tracked)) {
		name = strings.TrimSpace(name)
		first, _, _ := strings.Cut(name, "/")
		if !slices.Contains(topLevel, first) {
			t.Errorf("%s: %s is not one of the top-level names", name, first)
		}
		for dir := range strings.SplitSeq(filepath.ToSlash(filepath.Dir(name)), "/") {
			if slices.Contains([]string{"pkg", "util", "utils", "common", "helpers", "misc"}, dir) {
				t.Errorf("%s: a directory called %s says nothing", name, dir)
			}
		}
	}
	if _, err := os.Stat(filepath.Join(root, "docs", "architecture.md")); errors.Is(err, fs.ErrNotExist) {
		t.Error("docs/architecture.md is missing")
	}
}

func TestMatches(t *testing.T) {
	for _, tt := range []struct {
		pattern, path string
		want          bool
	}{
		{"...", "services/portal", true},
		{"init/...", "init", true},
		{"init/...", "init/api", true},
		{"init/...", "initx", false},
		{"services/*/api", "services/stream/api", true},
		{"services/*/api", "services/stream", false},
		{"services/*/api", "services/stream/api/x", false},
		{"services/*/...", "services/stream", true},
		{"netmgr", "netmgr/dhcp", false},
	} {
		if got := matches(tt.pattern, tt.path); got != tt.want {
			t.Errorf("matches(%q, %q) = %v", tt.pattern, tt.path, got)
		}
	}
}
