package boot

import (
	"bufio"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"slices"
	"strings"

	"golang.org/x/sys/unix"
)

// Modules loads kernel modules from a directory that depmod(8) has indexed.
type Modules struct {
	fsys    fs.FS               // the directory: /lib/modules/<release>
	paths   map[string]string   // of each module's file, by name
	deps    map[string][]string // the names that modules.dep lists for it, nearest first
	pre     map[string][]string // softdeps to load before
	post    map[string][]string // and after
	builtin map[string]bool
	insert  func(f fs.File, name string) error // finit_module(2)
	loaded  map[string]bool
}

// moduleCompressed is MODULE_INIT_COMPRESSED_FILE of finit_module(2): the kernel decompresses.
const moduleCompressed = 4

// OpenModules reads the index of the running kernel's modules below root. A kernel without modules is no error: then
// nothing can be loaded.
func OpenModules(root string) (*Modules, error) {
	var uts unix.Utsname
	if err := unix.Uname(&uts); err != nil {
		return nil, fmt.Errorf("uname: %w", err)
	}
	dir := path.Join(root, "lib/modules", unix.ByteSliceToString(uts.Release[:]))
	return NewModules(os.DirFS(dir), insertModule)
}

// NewModules reads the index in fsys. insert gives one module's open file to the kernel.
func NewModules(fsys fs.FS, insert func(f fs.File, name string) error) (*Modules, error) {
	m := &Modules{
		fsys: fsys, insert: insert, paths: map[string]string{}, deps: map[string][]string{},
		pre: map[string][]string{}, post: map[string][]string{}, builtin: map[string]bool{}, loaded: map[string]bool{},
	}
	for _, index := range []struct {
		name string
		line func(string)
	}{
		{"modules.dep", m.addDep},
		{"modules.softdep", m.addSoftdep},
		{"modules.builtin", func(line string) { m.builtin[moduleName(line)] = true }},
	} {
		if err := eachLine(fsys, index.name, index.line); err != nil {
			return nil, err
		}
	}
	return m, nil
}

// eachLine calls f for the lines of a file that are no comments. A missing file has none.
func eachLine(fsys fs.FS, name string, f func(string)) error {
	file, err := fsys.Open(name)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	defer file.Close()
	lines := bufio.NewScanner(file)
	for lines.Scan() {
		if line := strings.TrimSpace(lines.Text()); line != "" && line[0] != '#' {
			f(line)
		}
	}
	if err := lines.Err(); err != nil {
		return fmt.Errorf("read %s: %w", name, err)
	}
	return nil
}

// moduleName is the kernel's name for a module's file: no directory, no suffix, underscores.
func moduleName(file string) string {
	name, _, _ := strings.Cut(path.Base(file), ".ko")
	return strings.ReplaceAll(name, "-", "_")
}

// addDep reads "path: path…".
func (m *Modules) addDep(line string) {
	file, rest, ok := strings.Cut(line, ":")
	if !ok {
		return
	}
	name := moduleName(file)
	m.paths[name] = file
	for _, d := range strings.Fields(rest) {
		m.deps[name] = append(m.deps[name], moduleName(d))
	}
}

// addSoftdep reads "softdep name pre: a b post: c".
func (m *Modules) addSoftdep(line string) {
	fields := strings.Fields(line)
	if len(fields) < 3 || fields[0] != "softdep" {
		return
	}
	name := moduleName(fields[1])
	list := m.pre
	for _, f := range fields[2:] {
		switch f {
		case "pre:":
			list = m.pre
		case "post:":
			list = m.post
		default:
			list[name] = append(list[name], moduleName(f))
		}
	}
}

// Any reports whether there is any module that could be loaded.
func (m *Modules) Any() bool { return len(m.paths) > 0 }

// Load loads a module by name or by alias, after what it depends on. Modules that are built in or loaded already are
// no error. An alias that no module has wraps [fs.ErrNotExist].
func (m *Modules) Load(name string) error {
	if key := moduleName(name); m.paths[key] != "" || m.builtin[key] {
		return m.load(key, nil)
	}
	names, err := m.aliases(name)
	if err != nil {
		return err
	}
	if len(names) == 0 {
		return fmt.Errorf("module %s: %w", name, fs.ErrNotExist)
	}
	var errs []error
	for _, n := range names {
		errs = append(errs, m.load(n, nil))
	}
	return errors.Join(errs...)
}

// aliases returns the modules that claim the alias in modules.alias: "alias pattern name".
func (m *Modules) aliases(alias string) (names []string, err error) {
	err = eachLine(m.fsys, "modules.alias", func(line string) {
		fields := strings.Fields(line)
		if len(fields) != 3 {
			return
		}
		if ok, err := path.Match(fields[1], alias); ok && err == nil && !slices.Contains(names, fields[2]) {
			names = append(names, moduleName(fields[2]))
		}
	})
	return names, err
}

// load is Load for a name as the kernel writes it. path is how it came to this one, to end circles of softdeps.
func (m *Modules) load(name string, trail []string) error {
	if m.builtin[name] || m.loaded[name] || slices.Contains(trail, name) {
		return nil
	}
	file, ok := m.paths[name]
	if !ok {
		return fmt.Errorf("module %s: %w", name, fs.ErrNotExist)
	}
	trail = append(slices.Clip(trail), name)
	for _, soft := range m.pre[name] {
		_ = m.load(soft, trail) // soft: it may be missing
	}
	for _, dep := range slices.Backward(m.deps[name]) { // modules.dep lists what comes first last
		if err := m.load(dep, trail); err != nil {
			return fmt.Errorf("for module %s: %w", name, err)
		}
	}
	f, err := m.fsys.Open(file)
	if err != nil {
		return fmt.Errorf("module %s: %w", name, err)
	}
	defer f.Close()
	if err := m.insert(f, file); err != nil && !errors.Is(err, unix.EEXIST) {
		return fmt.Errorf("module %s: %w", name, err)
	}
	m.loaded[name] = true
	for _, soft := range m.post[name] {
		_ = m.load(soft, trail)
	}
	return nil
}

// insertModule gives the file to the kernel.
func insertModule(f fs.File, name string) error {
	file, ok := f.(*os.File)
	if !ok {
		return fmt.Errorf("%s is not a file of the system", name)
	}
	flags := 0
	if !strings.HasSuffix(name, ".ko") {
		flags = moduleCompressed
	}
	return unix.FinitModule(int(file.Fd()), "", flags)
}
