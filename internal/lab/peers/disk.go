package peers

import (
	"archive/tar"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"strings"
	"time"

	"manofwar/board/qemu"
	"manofwar/gokrazy/kernel"
	"manofwar/internal/lab"
	"manofwar/rootfs"
)

// modules are what the peers ask the kernel for, besides the radios: with these any program of the Debian works as usual.
var modules = []string{
	"mac80211_hwsim", "ccm", "ctr", "cmac", "gcm", "virtio_net", "veth", "bridge", "dummy", "tun", "sch_netem", "sch_tbf",
	"nf_tables", "nft_chain_nat", "nft_masq", "nft_redir", "nft_nat", "nft_ct", "nft_fib_inet", "nft_reject_inet", "nft_limit",
	"dummy_hcd", "g_ether", "usb_f_ecm", "usb_f_rndis", "cdc_ether", // phones on a cable
	"virtio_gpu",                                                      // a screen
	"snd_intel8x0", "snd_usb_audio", "snd_dummy", "xhci_pci", "vivid", // sound cards, and televisions with CEC
}

// diskModules are what the disk itself needs.
var diskModules = []string{"virtio_pci", "virtio_blk", "squashfs", "overlay"}

// disk returns the image of the disk that holds the peers' Debian, with the modules of the dongle's kernel. It is made
// once, and kept in the cache.
func disk(ctx context.Context, k *kernel.Package, progress io.Writer) (string, error) {
	archive, err := debian(ctx, progress)
	if err != nil {
		return "", err
	}
	made, err := script(ctx, progress, "modules.sh", k.Dir)
	if err != nil {
		return "", err
	}
	recipe := fmt.Sprint("v4 ", archive, k.Dir, modules, made)
	dir, err := lab.Cached("peers-disk", recipe, func(dir string) error {
		tree := new(rootfs.Tree)
		f, err := os.Open(archive)
		if err != nil {
			return err
		}
		defer f.Close()
		if err := addArchive(tree, f); err != nil {
			return fmt.Errorf("%s: %w", archive, err)
		}
		extra, err := filepath.Glob(filepath.Join(made, "*.ko"))
		if err != nil {
			return err
		}
		if err := addIndexed(ctx, tree, k, extra...); err != nil {
			return err
		}
		out, err := os.Create(filepath.Join(dir, "peers.img"))
		if err != nil {
			return err
		}
		_, err = rootfs.WriteSquashFS(out, tree, time.Unix(0, 0))
		return errors.Join(err, out.Close())
	})
	return filepath.Join(dir, "peers.img"), err
}

// debian returns the archive that tree.sh makes.
func debian(ctx context.Context, progress io.Writer) (string, error) {
	return script(ctx, progress, "tree.sh")
}

// script runs a script of this package and returns what it prints: what it has made.
func script(ctx context.Context, progress io.Writer, name string, args ...string) (string, error) {
	root, err := lab.ModuleRoot(ctx)
	if err != nil {
		return "", err
	}
	cmd := exec.CommandContext(ctx, "bash", append([]string{filepath.Join(root, "internal/lab/peers", name)}, args...)...)
	var out bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, progress
	if err := cmd.Run(); err != nil {
		return "", fmt.Errorf("%s: %w", name, err)
	}
	return strings.TrimSpace(out.String()), nil
}

// addArchive adds what is in a tar archive. Contents stay in the file.
func addArchive(tree *rootfs.Tree, f *os.File) error {
	for r := tar.NewReader(f); ; {
		h, err := r.Next()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
		at, err := f.Seek(0, io.SeekCurrent) // the reader reads no further than it has to
		if err != nil {
			return err
		}
		e := rootfs.Entry{
			Path: path.Join(".", path.Clean("/" + h.Name)[1:]), Mode: h.FileInfo().Mode(), UID: uint32(h.Uid), GID: uint32(h.Gid),
			Link: h.Linkname, Major: uint32(h.Devmajor), Minor: uint32(h.Devminor), Origin: "Debian",
		}
		if e.Path == "" {
			e.Path = "."
		}
		switch h.Typeflag {
		case tar.TypeReg:
			e.Content, e.Link = section(f.Name(), at, h.Size), ""
		case tar.TypeLink: // another name of a file that came before
			other, ok := tree.Get(path.Clean("/" + h.Linkname)[1:])
			if !ok {
				return fmt.Errorf("%s is a link to %s, which is not there", h.Name, h.Linkname)
			}
			e.Mode, e.Content, e.Link = other.Mode, other.Content, ""
		case tar.TypeFifo:
			continue
		}
		if err := tree.Add(e); err != nil {
			return err
		}
	}
}

// section is a part of a file as a content.
func section(name string, at, size int64) rootfs.Content {
	return rootfs.Content{Size: size, Open: func() (io.ReadCloser, error) {
		f, err := os.Open(name)
		if err != nil {
			return nil, err
		}
		return struct {
			io.Reader
			io.Closer
		}{io.NewSectionReader(f, at, size), f}, nil
	}}
}

// addModules adds modules and what they need below a directory that stands for lib/modules.
func addModules(tree *rootfs.Tree, k *kernel.Package, dir string, names []string) error {
	closure, err := k.Closure(names)
	if err != nil {
		return err
	}
	files, err := k.Files(closure)
	if err != nil {
		return err
	}
	for _, f := range files {
		e := rootfs.Entry{Path: path.Join(dir, strings.TrimPrefix(f.Path, "lib/modules/")), Mode: 0o644, Content: rootfs.Bytes(f.Content)}
		if f.Source != "" {
			if e.Content, err = rootfs.File(f.Source); err != nil {
				return err
			}
		}
		if err := tree.Add(e); err != nil {
			return err
		}
	}
	return nil
}

// addIndexed adds the peers' modules, and others that are files, with depmod's binary tables, which are the ones that
// Debian's modprobe reads.
func addIndexed(ctx context.Context, tree *rootfs.Tree, k *kernel.Package, more ...string) error {
	dir, err := os.MkdirTemp("", "manofwar-modules-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	closure, err := k.Closure(modules)
	if err != nil {
		return err
	}
	from, to := filepath.Join(k.Dir, "lib/modules", k.Release), filepath.Join(dir, "lib/modules", k.Release)
	files := make(map[string]string) // where they go, and where they are
	for _, name := range append(closure, "modules.builtin", "modules.builtin.modinfo", "modules.order") {
		files[name] = filepath.Join(from, name)
	}
	for _, file := range more {
		files["extra/"+filepath.Base(file)] = file
	}
	for name, file := range files {
		data, err := os.ReadFile(file)
		if err != nil {
			return err
		}
		if err := os.MkdirAll(filepath.Dir(filepath.Join(to, name)), 0o755); err != nil {
			return err
		}
		if err := os.WriteFile(filepath.Join(to, name), data, 0o644); err != nil {
			return err
		}
	}
	if out, err := exec.CommandContext(ctx, "/sbin/depmod", "-b", dir, k.Release).CombinedOutput(); err != nil {
		return fmt.Errorf("depmod: %w: %s", err, out)
	}
	// Contents are read when the tree is written, after this directory is gone.
	return addBytes(tree, "usr/lib/modules", os.DirFS(filepath.Join(dir, "lib/modules")))
}

// addBytes adds the files of fsys with their contents in memory.
func addBytes(tree *rootfs.Tree, at string, fsys fs.FS) error {
	return fs.WalkDir(fsys, ".", func(name string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		data, err := fs.ReadFile(fsys, name)
		if err != nil {
			return err
		}
		return tree.Add(rootfs.Entry{Path: path.Join(at, name), Mode: 0o644, Content: rootfs.Bytes(data), Origin: "the kernel"})
	})
}

// openKernel opens the kernel of the dongle's board.
func openKernel(ctx context.Context, progress io.Writer) (*kernel.Package, error) {
	b := qemu.AMD64()
	dir, err := rootfs.Kernel(ctx, b.Image.Kernel, b.GOARCH, progress)
	if err != nil {
		return nil, err
	}
	return kernel.Open(dir)
}

// beside writes the archive that joins the dongle's initramfs: the program outside, and the modules that it needs to reach
// the disk.
func beside(ctx context.Context, k *kernel.Package, dir string) (string, error) {
	program := filepath.Join(dir, "outside")
	if err := lab.GoBuild(ctx, program, "manofwar/internal/lab/outside", "GOARCH="+qemu.AMD64().GOARCH); err != nil {
		return "", err
	}
	content, err := rootfs.File(program)
	if err != nil {
		return "", err
	}
	tree := new(rootfs.Tree)
	directory := func(name string) rootfs.Entry { return rootfs.Entry{Path: name, Mode: fs.ModeDir | 0o755} }
	if err := tree.Add(
		rootfs.Entry{Path: "outside", Mode: 0o755, Content: content},
		directory("lab/disk"), directory("lab/memory"), directory("lab/root"),
	); err != nil {
		return "", err
	}
	if err := addModules(tree, k, "lab/lib/modules", diskModules); err != nil {
		return "", err
	}
	archive, err := os.Create(filepath.Join(dir, "beside.cpio"))
	if err != nil {
		return "", err
	}
	err = rootfs.WriteInitramfs(archive, tree, time.Unix(0, 0))
	return archive.Name(), errors.Join(err, archive.Close())
}
