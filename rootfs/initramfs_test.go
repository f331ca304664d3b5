//go:build linux

package rootfs_test

import (
	"bytes"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"manofwar/rootfs"
)

func TestInitramfsIsReproducible(t *testing.T) {
	var first, second bytes.Buffer
	for _, w := range []*bytes.Buffer{&first, &second} {
		if err := rootfs.WriteInitramfs(w, oddTree(t), epoch); err != nil {
			t.Fatal(err)
		}
	}
	if !bytes.Equal(first.Bytes(), second.Bytes()) {
		t.Error("two writes of one tree differ")
	}
	if first.Len()%4 != 0 {
		t.Errorf("%d bytes: not a multiple of 4", first.Len())
	}
}

func TestInitramfsUnpacks(t *testing.T) {
	need(t, "cpio", "cpio")
	if os.Getuid() != 0 {
		t.Skip("needs root to make device nodes")
	}
	var archive bytes.Buffer
	if err := rootfs.WriteInitramfs(&archive, oddTree(t), epoch); err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	cmd := exec.Command("cpio", "-id", "--no-absolute-filenames", "--preserve-modification-time", "--quiet")
	cmd.Dir, cmd.Stdin = dir, &archive
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("cpio: %v\n%s", err, out)
	}
	// The archive does not hold the root itself, and cpio does not set the times of directories that it fills.
	for _, e := range oddTree(t).Entries() {
		if e.Path != "." && !e.Mode.IsDir() {
			compareFile(t, e, filepath.Join(dir, e.Path))
		}
	}
}

func TestInitramfs(t *testing.T) {
	module := rootfs.Entry{Path: "lib/modules/6.12.47/kernel/net/a.ko", Mode: 0o644, Content: rootfs.Bytes([]byte("a"))}
	tree, err := rootfs.Initramfs(rootfs.Bytes([]byte("ELF")), module)
	if err != nil {
		t.Fatal(err)
	}
	var list strings.Builder
	if err := tree.List(&list); err != nil {
		t.Fatal(err)
	}
	golden(t, "initramfs.txt", list.String())

	if dev, ok := tree.Get("dev/null"); !ok || dev.Mode&fs.ModeCharDevice == 0 {
		t.Error("no /dev/null: Go's runtime stops without it")
	}
}
