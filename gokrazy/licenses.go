package gokrazy

import (
	"bytes"
	"context"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"strings"

	"manofwar/rootfs"
)

// licenseFile is what modules call the files that have to go along with their programs.
var licenseFile = regexp.MustCompile(`(?i)^(licen[cs]e|copying|copyright|notice|patents)([.-].*)?$`)

// goLicenses returns the terms of every module that is linked into the programs, by its path, and of Go itself.
func (b *build) goLicenses(ctx context.Context, programs []program) (map[string]rootfs.Content, error) {
	dirs := map[string]string{} // module → directory
	for _, p := range programs {
		more, err := b.modules(ctx, p)
		if err != nil {
			return nil, err
		}
		maps.Copy(dirs, more)
	}
	texts := map[string]rootfs.Content{}
	for module, dir := range dirs {
		text, err := licenseText(dir)
		if err != nil {
			return nil, err
		}
		if len(text) == 0 {
			b.Log.Warn("a module has no licence text, so that the image has none of it", "module", module, "dir", dir)
			continue
		}
		texts[module] = rootfs.Bytes(text)
	}
	return texts, nil
}

// modules returns the directories of the modules that a program is linked from. The standard library's is "go".
func (b *build) modules(ctx context.Context, p program) (map[string]string, error) {
	pc := b.config.PackageConfig[p.pkg]
	workDir, _, err := b.goTool.find(ctx, p.pkg, pc.GoBuildEnvironment)
	if err != nil {
		return nil, err
	}
	list, err := b.goTool.run(ctx, workDir, p.pkg, pc.GoBuildEnvironment,
		"list", "-deps", "-tags="+b.tags(p), "-f", "{{with .Module}}{{.Path}}\t{{.Dir}}{{end}}", "--", p.pkg)
	if err != nil {
		return nil, err
	}
	root, err := b.goTool.run(ctx, workDir, p.pkg, pc.GoBuildEnvironment, "env", "GOROOT")
	if err != nil {
		return nil, err
	}
	dirs := map[string]string{"go": root}
	for line := range strings.Lines(list) {
		if module, dir, ok := strings.Cut(strings.TrimSuffix(line, "\n"), "\t"); ok {
			dirs[module] = dir
		}
	}
	return dirs, nil
}

// licenseText joins the licence files of a directory.
func licenseText(dir string) ([]byte, error) {
	files, err := os.ReadDir(dir)
	if err != nil {
		return nil, err
	}
	var text bytes.Buffer
	for _, f := range files {
		if !f.Type().IsRegular() || !licenseFile.MatchString(f.Name()) {
			continue
		}
		data, err := os.ReadFile(filepath.Join(dir, f.Name()))
		if err != nil {
			return nil, err
		}
		if text.Len() > 0 {
			fmt.Fprintf(&text, "\n%s:\n\n", f.Name())
		}
		text.Write(data)
	}
	return text.Bytes(), nil
}
