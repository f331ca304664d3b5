package peers

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"

	"manofwar/internal/lab"
)

// Tag is the build tag of test files that want radios: they run as root in a guest without a dongle.
const Tag = "hwsim"

// TestPackage is a package with tests that want radios.
type TestPackage struct {
	ImportPath string
	Dir        string
	Tests      []string // their names
}

// TestPackages finds them.
func TestPackages(ctx context.Context) ([]TestPackage, error) {
	with, err := testFiles(ctx, "-tags="+Tag)
	if err != nil {
		return nil, err
	}
	without, err := testFiles(ctx)
	if err != nil {
		return nil, err
	}
	var list []TestPackage
	for _, p := range with {
		i := slices.IndexFunc(without, func(q goPackage) bool { return q.ImportPath == p.ImportPath })
		own := TestPackage{ImportPath: p.ImportPath, Dir: p.Dir}
		for _, file := range p.tests() {
			if i >= 0 && slices.Contains(without[i].tests(), file) {
				continue
			}
			names, err := testNames(filepath.Join(p.Dir, file))
			if err != nil {
				return nil, err
			}
			own.Tests = append(own.Tests, names...)
		}
		if len(own.Tests) > 0 {
			list = append(list, own)
		}
	}
	return list, nil
}

// goPackage is what "go list -json" says of a package, as far as it matters here.
type goPackage struct {
	ImportPath, Dir           string
	TestGoFiles, XTestGoFiles []string
}

func (p goPackage) tests() []string { return slices.Concat(p.TestGoFiles, p.XTestGoFiles) }

func testFiles(ctx context.Context, flags ...string) (list []goPackage, err error) {
	root, err := lab.ModuleRoot(ctx)
	if err != nil {
		return nil, err
	}
	args := append([]string{"list", "-e", "-json=ImportPath,Dir,TestGoFiles,XTestGoFiles"}, flags...)
	cmd := exec.CommandContext(ctx, "go", append(args, "./...")...)
	cmd.Dir = root
	out, err := cmd.Output()
	if err != nil {
		return nil, fmt.Errorf("go list: %w", err)
	}
	for d := json.NewDecoder(bytes.NewReader(out)); ; {
		var p goPackage
		if err := d.Decode(&p); errors.Is(err, io.EOF) {
			return list, nil
		} else if err != nil {
			return nil, err
		}
		list = append(list, p)
	}
}

// testNames returns the tests that a file declares.
func testNames(file string) (names []string, err error) {
	parsed, err := parser.ParseFile(token.NewFileSet(), file, nil, parser.SkipObjectResolution)
	if err != nil {
		return nil, err
	}
	for _, d := range parsed.Decls {
		if f, ok := d.(*ast.FuncDecl); ok && f.Recv == nil && strings.HasPrefix(f.Name.Name, "Test") && f.Name.Name != "TestMain" {
			names = append(names, f.Name.Name)
		}
	}
	return names, nil
}
