package gokrazy

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"context"
	"fmt"
	"io"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"

	"manofwar/gokrazy/fat"
	"manofwar/gokrazy/instance"
	"manofwar/gokrazy/kernel"
	"manofwar/internal/slot"
	"manofwar/internal/strictjson"
	"manofwar/rootfs"
)

// content is what a slot holds, each file with the name of its part for [Result].
type content struct {
	files []fat.File
	parts map[string]int64
}

func (c *content) add(part string, f fat.File) {
	c.files = append(c.files, f)
	c.parts[part] += f.Size
}

func (c *content) addBytes(part, name string, data []byte) { c.add(part, bytesFile(name, data)) }

func (c *content) addFile(part, name, source string) error {
	f, err := diskFile(name, source)
	if err != nil {
		return err
	}
	c.add(part, f)
	return nil
}

func bytesFile(name string, data []byte) fat.File {
	return fat.File{Path: name, Size: int64(len(data)), Open: func() (io.ReadCloser, error) {
		return io.NopCloser(bytes.NewReader(data)), nil
	}}
}

func diskFile(name, source string) (fat.File, error) {
	info, err := os.Stat(source)
	if err != nil {
		return fat.File{}, err
	}
	return fat.File{Path: name, Size: info.Size(), Open: func() (io.ReadCloser, error) { return os.Open(source) }}, nil
}

// slot makes everything that a slot holds, and signs it.
func (b *build) slot(ctx context.Context, programs []program) (*content, error) {
	c := &content{parts: map[string]int64{}}
	var tree *rootfs.Tree
	for _, step := range []struct {
		what string
		do   func() error
	}{
		{"firmware", func() error { return b.firmware(c) }},
		{"kernel", func() error { return b.kernelImage(c) }},
		{"root file system", func() (err error) {
			if tree, err = b.root(ctx, programs); err == nil {
				err = b.rootImage(c, tree)
			}
			return err
		}},
		{"initramfs", func() error { return b.initramfs(c, programs, tree) }},
		{"signature", func() error { return b.sign(c) }},
	} {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		b.Progress(step.what)
		if err := step.do(); err != nil {
			return nil, err
		}
	}
	return c, nil
}

// firmware adds the firmware's own files, the device trees and overlays, and what the firmware reads.
func (b *build) firmware(c *content) error {
	img := b.Board.Image
	for _, name := range img.SlotFiles {
		if err := c.addFile("firmware", name, filepath.Join(b.boot, name)); err != nil {
			return &strictjson.Error{File: b.Config, Field: "FirmwarePackage", Err: err}
		}
	}
	if img.Trees {
		if err := b.trees(c); err != nil {
			return &strictjson.Error{File: b.Config, Field: "KernelPackage", Err: err}
		}
	}
	c.addBytes("settings", slot.CmdlineName, []byte(b.cmdline()+"\n"))
	if len(img.Config) > 0 {
		c.addBytes("settings", slot.ConfigName, []byte(strings.Join(b.firmwareConfig(), "\n")+"\n"))
	}
	return nil
}

func (b *build) trees(c *content) error {
	for _, name := range b.Board.DeviceTrees() {
		if err := c.addFile("device trees", name, filepath.Join(b.kernel.Dir, name)); err != nil {
			return err
		}
	}
	overlays, err := b.kernel.Overlays()
	if err != nil {
		return err
	}
	for _, name := range overlays {
		if err := c.addFile("device trees", path.Join(kernel.OverlaysDir, name), filepath.Join(b.kernel.Dir, kernel.OverlaysDir, name)); err != nil {
			return err
		}
	}
	return nil
}

// cmdline is the kernel's command line: consoles, the board's arguments, the instance's. The last console is where PID 1
// writes, so a serial one goes before the board's.
func (b *build) cmdline() string {
	consoles := slices.Clone(b.Board.Image.Console)
	serial := b.config.SerialConsole
	if serial == "" {
		serial = b.Board.Image.SerialConsole
	}
	if serial != instance.NoSerial && serial != "" && !slices.Contains(consoles, serial) {
		consoles = slices.Insert(consoles, 0, serial)
	}
	var args []string
	for _, c := range consoles {
		args = append(args, "console="+c)
	}
	return strings.Join(slices.Concat(args, b.Board.Image.Cmdline, b.config.KernelExtraArgs), " ")
}

// firmwareConfig is config.txt, by lines.
func (b *build) firmwareConfig() []string {
	lines := slices.Clone(b.Board.Image.Config)
	if b.config.SerialConsole != instance.NoSerial {
		lines = append(lines, b.Board.Image.SerialConfig...)
	}
	return append(lines, b.config.BootloaderExtraLines...)
}

// kernelImage adds the kernel, compressed where the board's firmware can undo it.
func (b *build) kernelImage(c *content) error {
	source := filepath.Join(b.kernel.Dir, kernel.Image)
	if b.Board.Image.GzipKernel {
		packed := filepath.Join(b.tmp, slot.KernelName)
		if err := gzipFile(packed, source); err != nil {
			return err
		}
		source = packed
	}
	return c.addFile("kernel", slot.KernelName, source)
}

// gzipFile compresses source unless it already is a gzip file.
func gzipFile(to, source string) error {
	in, err := os.Open(source)
	if err != nil {
		return err
	}
	defer in.Close()
	r := bufio.NewReaderSize(in, 1<<20)
	return writeFile(to, func(w io.Writer) error {
		if head, _ := r.Peek(2); bytes.Equal(head, []byte{0x1f, 0x8b}) {
			_, err := io.Copy(w, r)
			return err
		}
		z := gzip.NewWriter(w) // the best level takes five times as long for a two-thousandth less
		if _, err := io.Copy(z, r); err != nil {
			return err
		}
		return z.Close()
	})
}

// writeFile makes a file of what write writes.
func writeFile(name string, write func(io.Writer) error) error {
	f, err := os.Create(name)
	if err != nil {
		return err
	}
	w := bufio.NewWriterSize(f, 1<<20)
	if err := write(w); err != nil {
		f.Close()
		return err
	}
	if err := w.Flush(); err != nil {
		f.Close()
		return err
	}
	return f.Close()
}

// initramfs adds stage 1: the init program, the keys, the modules without which it cannot read the card, and what the kernel
// asks for before there is a root.
func (b *build) initramfs(c *content, programs []program, root *rootfs.Tree) error {
	i := slices.IndexFunc(programs, func(p program) bool { return p.pkg == initPackage })
	init, err := rootfs.File(programs[i].file)
	if err != nil {
		return err
	}
	var modules []rootfs.Entry
	if names := b.Board.Modules.Stage1; len(names) > 0 {
		files, err := b.kernel.Closure(names)
		if err != nil {
			return err
		}
		if modules, err = b.moduleEntries(files); err != nil {
			return err
		}
	}
	tree, err := rootfs.Initramfs(init, slices.Concat(b.identity(), modules, earlyFirmware(root))...)
	if err != nil {
		return err
	}
	name := filepath.Join(b.tmp, slot.InitramfsName)
	if err := writeFile(name, func(w io.Writer) error { return rootfs.WriteInitramfs(w, tree, b.Time) }); err != nil {
		return err
	}
	return c.addFile("initramfs", slot.InitramfsName, name)
}

// earlyFirmware is what of the root's firmware the kernel looks for once only, when its drivers start: cfg80211 is built in to
// the Raspberry Pi's, and without its database knows no country for as long as it runs.
func earlyFirmware(root *rootfs.Tree) (entries []rootfs.Entry) {
	for _, name := range []string{"lib/firmware/regulatory.db", "lib/firmware/regulatory.db.p7s"} {
		if e, ok := root.Get(name); ok {
			entries = append(entries, e)
		}
	}
	return entries
}

// rootImage adds the root file system.
func (b *build) rootImage(c *content, tree *rootfs.Tree) error {
	name := filepath.Join(b.tmp, slot.RootName)
	f, err := os.Create(name)
	if err != nil {
		return err
	}
	if _, err := rootfs.WriteSquashFS(f, tree, b.Time); err != nil {
		f.Close()
		return err
	}
	if err := f.Close(); err != nil {
		return err
	}
	return c.addFile("root", slot.RootName, name)
}

// sign adds the manifest of all files so far, and its signature.
func (b *build) sign(c *content) error {
	m := slot.Manifest{Board: b.Board.Name, Version: b.version(), Epoch: b.Epoch}
	for _, f := range c.files {
		r, err := f.Open()
		if err != nil {
			return err
		}
		sum, n, err := slot.DigestOf(r)
		r.Close()
		if err != nil {
			return fmt.Errorf("%s: %w", f.Path, err)
		}
		m.Files = append(m.Files, slot.File{Path: f.Path, Size: n, SHA256: sum})
	}
	manifest, signature, err := slot.Sign(m, b.Key)
	if err != nil {
		return err
	}
	c.addBytes("settings", slot.ManifestName, manifest)
	c.addBytes("settings", slot.SignatureName, signature)
	return nil
}

// version marks what a developer signed.
func (b *build) version() string {
	if b.developer() {
		return "dev-" + b.Version
	}
	return b.Version
}

func (b *build) developer() bool { return b.KeyName == DeveloperKeyName }
