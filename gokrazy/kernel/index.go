package kernel

import (
	"bytes"
	"os"
	"path"
	"path/filepath"
	"strings"
)

// File is a file for the image: its path in the root, and where it is or what it says.
type File struct {
	Path    string // below the root
	Source  string // a file of this machine; empty: Content
	Content []byte
}

// Files returns the module files and depmod's text tables, cut down to these modules: modules.dep, modules.softdep and
// modules.alias name nothing that is not there; modules.builtin is whole, because asking for a built-in module is no error.
func (p *Package) Files(modules []string) ([]File, error) {
	if p.Release == "" {
		return nil, nil
	}
	dir := path.Join(modulesDir, p.Release)
	var list []File
	have := map[string]bool{}
	for _, file := range modules {
		list = append(list, File{Path: path.Join(dir, file), Source: p.path(file)})
		have[Name(file)] = true
	}
	tables := []struct {
		name string
		keep func(line string) bool
	}{
		{"modules.alias", func(line string) bool { return have[Name(line[strings.LastIndexByte(line, ' ')+1:])] }},
		{"modules.builtin", func(string) bool { return true }},
		{"modules.dep", func(line string) bool { file, _, _ := strings.Cut(line, ":"); return have[Name(file)] }},
		{"modules.softdep", func(line string) bool { f := strings.Fields(line); return len(f) > 1 && have[Name(f[1])] }},
	}
	for _, t := range tables {
		var b bytes.Buffer
		err := eachLine(p.path(t.name), func(line string) error {
			if t.keep(line) {
				b.WriteString(line + "\n")
			}
			return nil
		})
		if err != nil {
			return nil, err
		}
		list = append(list, File{Path: path.Join(dir, t.name), Content: b.Bytes()})
	}
	return list, nil
}

// Overlays returns the names of the files below [OverlaysDir] that the firmware may load: overlays and their map.
func (p *Package) Overlays() ([]string, error) {
	entries, err := os.ReadDir(filepath.Join(p.Dir, OverlaysDir))
	if err != nil {
		return nil, err
	}
	var names []string
	for _, e := range entries {
		if ext := path.Ext(e.Name()); e.Type().IsRegular() && (ext == ".dtbo" || ext == ".dtb") {
			names = append(names, e.Name())
		}
	}
	return names, nil
}
