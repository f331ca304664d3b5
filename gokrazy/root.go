package gokrazy

import (
	"archive/tar"
	"bytes"
	"context"
	"crypto/ed25519"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"

	"manofwar/board"
	"manofwar/gokrazy/instance"
	"manofwar/gokrazy/kernel"
	"manofwar/internal/service"
	"manofwar/internal/slot"
	"manofwar/rootfs"
)

// root makes the tree of the root file system.
func (b *build) root(ctx context.Context, programs []program) (*rootfs.Tree, error) {
	units, err := b.units(programs)
	if err != nil {
		return nil, err
	}
	tree, err := b.baseRoot(ctx, programs, units)
	if err != nil {
		return nil, err
	}
	services, err := json.MarshalIndent(units, "", " ")
	if err != nil {
		return nil, err
	}
	entries := append(b.identity(), text(service.UnitsPath, append(services, '\n')))
	for _, p := range programs {
		if p.own() {
			continue
		}
		content, err := rootfs.File(p.file)
		if err != nil {
			return nil, err
		}
		entries = append(entries, rootfs.Entry{Path: p.dest, Mode: 0o755, Content: content, Origin: p.pkg})
	}
	modules, err := b.rootModules()
	if err != nil {
		return nil, err
	}
	if err := tree.Add(append(entries, modules...)...); err != nil {
		return nil, err
	}
	return tree, b.extraFiles(tree)
}

// baseRoot is what every image has in its root.
func (b *build) baseRoot(ctx context.Context, programs []program, units []service.Unit) (*rootfs.Tree, error) {
	licenses, err := b.goLicenses(ctx, programs)
	if err != nil {
		return nil, err
	}
	o := rootfs.Options{
		WiFi: b.Board.Image.WiFi, Hostname: b.config.Hostname, Version: b.version(), Licenses: licenses,
	}
	for _, u := range units {
		o.Users = append(o.Users, u.Account())
	}
	for _, p := range programs {
		content, err := rootfs.File(p.file)
		switch {
		case err != nil:
			return nil, err
		case p.pkg == initPackage:
			o.Init = content
		case p.pkg == mainPackage:
			o.Manofwar = content
		}
	}
	for name, file := range map[string]string{
		"linux":                filepath.Join(b.kernel.Dir, "LICENSE.linux"),
		"raspberrypi-firmware": filepath.Join(b.boot, "LICENSE.broadcom"),
	} {
		content, err := rootfs.File(file)
		if errors.Is(err, fs.ErrNotExist) {
			continue // another kernel, or a board without firmware
		}
		if err != nil {
			return nil, err
		}
		o.Licenses[name] = content
	}
	return b.Root(ctx, o)
}

// prepareRoot is the root file system proper. What it builds and fetches once says so in lines.
func prepareRoot(goarch string, progress func(string)) func(context.Context, rootfs.Options) (*rootfs.Tree, error) {
	return func(ctx context.Context, o rootfs.Options) (*rootfs.Tree, error) {
		var err error
		if o.Parts, err = rootfs.Prepare(ctx, goarch, &lines{each: progress}); err != nil {
			return nil, err
		}
		return rootfs.Build(o)
	}
}

// lines hands what is written on, line by line.
type lines struct {
	each func(string)
	rest []byte
}

// Write implements [io.Writer].
func (l *lines) Write(p []byte) (int, error) {
	l.rest = append(l.rest, p...)
	for {
		line, rest, ok := bytes.Cut(l.rest, []byte("\n"))
		if !ok {
			return len(p), nil
		}
		l.each(string(line))
		l.rest = rest
	}
}

// text is a small file that everyone may read.
func text(name string, content []byte) rootfs.Entry {
	return rootfs.Entry{Path: strings.TrimPrefix(name, "/"), Mode: 0o644, Content: rootfs.Bytes(content), Origin: "the image builder"}
}

// identity is what both phases must know: the board and the keys.
func (b *build) identity() []rootfs.Entry {
	entries := []rootfs.Entry{
		text(board.NamePath, []byte(b.Board.Name+"\n")),
		text(path.Join(slot.KeysDir, b.KeyName+".pub"), publicKey(b.Key.Public().(ed25519.PublicKey))),
	}
	for _, k := range b.Trusted {
		entries = append(entries, text(path.Join(slot.KeysDir, k.Name+".pub"), publicKey(k.Public)))
	}
	return entries
}

func publicKey(key ed25519.PublicKey) []byte {
	return []byte(base64.StdEncoding.EncodeToString(key) + "\n")
}

// rootModules returns the modules that the board names. A kernel of the owner's choice may have as a module what is built
// in to ours, so that it comes with all that it has.
func (b *build) rootModules() ([]rootfs.Entry, error) {
	files, err := b.kernel.Closure(slices.Concat(b.Board.Modules.Stage1, b.Board.Modules.Boot, b.Board.Modules.Extra))
	if err != nil {
		return nil, err
	}
	if b.Board.Image.Kernel == "" && b.kernelName != instance.DefaultKernel {
		files = b.kernel.All()
	}
	return b.moduleEntries(files)
}

// moduleEntries returns module files with depmod's tables cut down to them.
func (b *build) moduleEntries(modules []string) ([]rootfs.Entry, error) {
	files, err := b.kernel.Files(modules)
	if err != nil {
		return nil, err
	}
	var entries []rootfs.Entry
	for _, f := range files {
		e, err := moduleEntry(f)
		if err != nil {
			return nil, err
		}
		e.Origin = b.kernelName
		entries = append(entries, e)
	}
	return entries, nil
}

func moduleEntry(f kernel.File) (rootfs.Entry, error) {
	if f.Source == "" {
		return text(f.Path, f.Content), nil
	}
	content, err := rootfs.File(f.Source)
	return rootfs.Entry{Path: f.Path, Mode: 0o644, Content: content}, err
}

// extraFiles adds every package's ExtraFileContents and ExtraFilePaths.
func (b *build) extraFiles(tree *rootfs.Tree) error {
	for _, pkg := range b.config.Packages {
		pc := b.config.PackageConfig[pkg]
		for _, dest := range slices.Sorted(maps.Keys(pc.ExtraFileContents)) {
			e := text(dest, []byte(pc.ExtraFileContents[dest]))
			e.Origin = pkg
			if err := tree.Add(e); err != nil {
				return b.fieldError(pkg, "ExtraFileContents", err)
			}
		}
		for _, dest := range slices.Sorted(maps.Keys(pc.ExtraFilePaths)) {
			if err := b.extraPath(tree, pkg, dest, pc.ExtraFilePaths[dest]); err != nil {
				return b.fieldError(pkg, "ExtraFilePaths", err)
			}
		}
	}
	return nil
}

// extraPath adds source, looked up as gokrazy does: a tar for the architecture, a tar, a directory or file.
func (b *build) extraPath(tree *rootfs.Tree, pkg, dest, source string) error {
	if !filepath.IsAbs(source) {
		source = filepath.Join(b.goTool.instance, source)
	}
	for _, archive := range []string{source + "_" + b.Board.GOARCH + ".tar", source + ".tar"} {
		if _, err := os.Stat(archive); err == nil {
			return addTar(tree, pkg, dest, archive)
		}
	}
	info, err := os.Stat(source)
	at := strings.Trim(dest, "/")
	switch {
	case err != nil:
		return err
	case info.IsDir():
		if at == "" {
			at = "."
		}
		return tree.AddFS(at, os.DirFS(source), pkg)
	}
	content, err := rootfs.File(source)
	if err != nil {
		return err
	}
	return tree.Add(rootfs.Entry{Path: at, Mode: 0o644 | info.Mode()&0o111, Content: content, Origin: pkg})
}

// maxTarFile bounds a file of an archive, in bytes: its content is kept in memory.
const maxTarFile = 512 << 20

// addTar unpacks an archive into the tree: directories, files and symbolic links, all root's.
func addTar(tree *rootfs.Tree, pkg, dest, archive string) error {
	f, err := os.Open(archive)
	if err != nil {
		return err
	}
	defer f.Close()
	for r := tar.NewReader(f); ; {
		h, err := r.Next()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return fmt.Errorf("%s: %w", archive, err)
		}
		name := path.Join(strings.Trim(dest, "/"), path.Clean("/" + h.Name)[1:])
		if name == "" {
			name = "."
		}
		e := rootfs.Entry{Path: name, Mode: h.FileInfo().Mode(), Origin: pkg, Link: h.Linkname}
		switch {
		case e.Mode.IsDir():
			e.Link = ""
		case e.Mode.Type() == fs.ModeSymlink:
		case e.Mode.IsRegular() && h.Typeflag == tar.TypeReg && h.Size <= maxTarFile:
			data, err := io.ReadAll(r)
			if err != nil {
				return fmt.Errorf("%s: %s: %w", archive, h.Name, err)
			}
			e.Content, e.Link = rootfs.Bytes(data), ""
		default:
			return fmt.Errorf("%s: %s: only directories, files up to %d MiB and symbolic links are supported", archive, h.Name, maxTarFile>>20)
		}
		if err := tree.Add(e); err != nil {
			return fmt.Errorf("%s: %w", archive, err)
		}
	}
}
