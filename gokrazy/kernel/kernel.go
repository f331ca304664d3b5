// Package kernel reads a gokrazy kernel package: a directory with vmlinuz, device trees, overlays and lib/modules, as
// github.com/gokrazy/kernel.rpi has them. It works out which module files a list of module names needs.
//
// It leaves out building kernels and reading modules themselves: depmod's tables say what is needed.
package kernel

import (
	"bufio"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
)

// Names in a kernel package.
const (
	Image       = "vmlinuz"
	OverlaysDir = "overlays"
	modulesDir  = "lib/modules"
)

// Package is a kernel package.
type Package struct {
	Dir     string // the directory
	Release string // as uname -r says it; empty: the package has no modules
	deps    map[string]module
	builtin map[string]bool
	soft    map[string][]string
}

// module is a line of modules.dep.
type module struct {
	file  string   // below lib/modules/<release>
	needs []string // names of the modules that it needs, all the way down
}

// MissingError says that a kernel lacks a module that the board or the instance names.
type MissingError struct {
	Module  string
	Package string // the kernel package's directory
}

func (e *MissingError) Error() string {
	return fmt.Sprintf("kernel module %s is neither a file nor built in: %s has no such driver; use a KernelPackage that has it, or a board that does without",
		e.Module, e.Package)
}

// Open reads the package's tables. The error says which file is missing or malformed.
func Open(dir string) (*Package, error) {
	p := &Package{Dir: dir, deps: map[string]module{}, builtin: map[string]bool{}, soft: map[string][]string{}}
	if _, err := os.Stat(filepath.Join(dir, Image)); err != nil {
		return nil, fmt.Errorf("not a kernel package: %w", err)
	}
	releases, err := os.ReadDir(filepath.Join(dir, modulesDir))
	if errors.Is(err, fs.ErrNotExist) {
		return p, nil
	}
	if err != nil {
		return nil, err
	}
	if len(releases) != 1 {
		return nil, fmt.Errorf("%s: %d kernel releases, want one", filepath.Join(dir, modulesDir), len(releases))
	}
	p.Release = releases[0].Name()
	for name, line := range map[string]func(string) error{
		"modules.dep": p.dep, "modules.builtin": p.addBuiltin, "modules.softdep": p.softdep,
	} {
		if err := eachLine(p.path(name), line); err != nil {
			return nil, err
		}
	}
	return p, nil
}

func (p *Package) path(name string) string {
	return filepath.Join(p.Dir, modulesDir, p.Release, filepath.FromSlash(name))
}

// eachLine calls f with every line that is not a comment. A missing file has none.
func eachLine(name string, f func(string) error) error {
	file, err := os.Open(name)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	defer file.Close()
	s := bufio.NewScanner(file)
	s.Buffer(nil, 1<<20)
	for n := 1; s.Scan(); n++ {
		line := strings.TrimSpace(s.Text())
		if line == "" || line[0] == '#' {
			continue
		}
		if err := f(line); err != nil {
			return fmt.Errorf("%s:%d: %w", name, n, err)
		}
	}
	return s.Err()
}

// Name returns the name of the module in a file: of kernel/crypto/cmac.ko.xz it is cmac. The kernel takes dashes and
// underscores for the same.
func Name(file string) string {
	base, _, _ := strings.Cut(path.Base(file), ".ko")
	return strings.ReplaceAll(base, "-", "_")
}

func (p *Package) dep(line string) error {
	file, rest, ok := strings.Cut(line, ":")
	if !ok {
		return fmt.Errorf("%q, want \"module: modules\"", line)
	}
	m := module{file: file}
	for _, need := range strings.Fields(rest) {
		m.needs = append(m.needs, Name(need))
	}
	p.deps[Name(file)] = m
	return nil
}

func (p *Package) addBuiltin(line string) error {
	p.builtin[Name(line)] = true
	return nil
}

// softdep reads "softdep module pre: a b post: c". All of them are wanted, before or after is the loader's business.
func (p *Package) softdep(line string) error {
	fields := strings.Fields(line)
	if len(fields) < 2 || fields[0] != "softdep" {
		return fmt.Errorf("%q, want \"softdep module pre: … post: …\"", line)
	}
	for _, f := range fields[2:] {
		if f != "pre:" && f != "post:" {
			p.soft[Name(fields[1])] = append(p.soft[Name(fields[1])], Name(f))
		}
	}
	return nil
}

// All returns all module files, below lib/modules/<release>, sorted.
func (p *Package) All() []string {
	var files []string
	for _, m := range p.deps {
		files = append(files, m.file)
	}
	slices.Sort(files)
	return files
}

// Closure returns the module files that the named modules need, below lib/modules/<release>, sorted. Modules that are
// built in need none. The error is a [*MissingError].
func (p *Package) Closure(names []string) ([]string, error) {
	files := map[string]bool{}
	var visit func(name string, must bool) error
	visit = func(name string, must bool) error {
		m, ok := p.deps[name]
		switch {
		case !ok && (p.builtin[name] || !must):
			return nil
		case !ok:
			return &MissingError{Module: name, Package: p.Dir}
		case files[m.file]:
			return nil
		}
		files[m.file] = true
		for _, need := range m.needs {
			if err := visit(need, true); err != nil {
				return err
			}
		}
		for _, soft := range p.soft[name] {
			if err := visit(soft, false); err != nil {
				return err
			}
		}
		return nil
	}
	for _, name := range names {
		if err := visit(Name(name), true); err != nil {
			return nil, err
		}
	}
	return slices.Sorted(maps.Keys(files)), nil
}
