//go:build linux

package rootfs_test

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"testing/iotest"
	"time"

	"manofwar/rootfs"
)

var epoch = time.Date(2025, 3, 1, 12, 0, 0, 0, time.UTC)

// oddTree has what the formats treat specially: sizes around block limits, an empty file, a directory whose listing
// needs several runs and one whose listing needs the large kind of inode, owners, modes, links, devices.
func oddTree(t *testing.T) *rootfs.Tree {
	t.Helper()
	tree := new(rootfs.Tree)
	add := func(e rootfs.Entry) {
		t.Helper()
		if err := tree.Add(e); err != nil {
			t.Fatal(err)
		}
	}
	file := func(path string, mode fs.FileMode, uid, gid uint32, content []byte) {
		t.Helper()
		add(rootfs.Entry{Path: path, Mode: mode, UID: uid, GID: gid, Content: rootfs.Bytes(content)})
	}
	for _, size := range []int{0, 1, 4095, 4096, 4097, 128 << 10, 128<<10 + 1, 256 << 10, 300_001} {
		file(fmt.Sprintf("sizes/%d", size), 0o644, 0, 0, pattern(size))
	}
	for i := range 700 {
		file(fmt.Sprintf("many/%03d", i), 0o600, 1000, uint32(2000+i), []byte(fmt.Sprint(i)))
	}
	for i := range 1500 {
		file(fmt.Sprintf("large/%s-%04d", strings.Repeat("n", 60), i), 0o644, 0, 0, nil)
	}
	file("bin/su", 0o755|fs.ModeSetuid, 0, 0, pattern(10))
	add(rootfs.Entry{Path: "tmp", Mode: fs.ModeDir | fs.ModeSticky | 0o777})
	add(rootfs.Entry{Path: "srv/mail", Mode: fs.ModeDir | fs.ModeSetgid | 0o770, UID: 8, GID: 12})
	add(rootfs.Entry{Path: "a/deep/er/path/link", Mode: fs.ModeSymlink | 0o777, Link: "../../" + strings.Repeat("x", 300)})
	add(rootfs.Entry{Path: "a.b", Mode: fs.ModeSymlink | 0o777, Link: "/bin/su"}) // sorts before a/deep as a string, not as a path
	add(rootfs.Entry{Path: "dev/null", Mode: fs.ModeDevice | fs.ModeCharDevice | 0o666, Major: 1, Minor: 3})
	add(rootfs.Entry{Path: "dev/sda", Mode: fs.ModeDevice | 0o660, GID: 6, Major: 259, Minor: 300})
	return tree
}

func pattern(n int) []byte {
	b := make([]byte, n)
	for i := range b {
		b[i] = byte(i>>12*7 + i)
	}
	return b
}

func writeSquash(t *testing.T, tree *rootfs.Tree) string {
	t.Helper()
	f, err := os.Create(filepath.Join(t.TempDir(), "root.squashfs"))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	size, err := rootfs.WriteSquashFS(f, tree, epoch)
	if err != nil {
		t.Fatal(err)
	}
	info, err := f.Stat()
	if err != nil {
		t.Fatal(err)
	}
	if info.Size() != size || size%4096 != 0 {
		t.Errorf("returned %d bytes, the file has %d; want the same multiple of 4096", size, info.Size())
	}
	return f.Name()
}

func TestSquashFSIsReproducible(t *testing.T) {
	first, err := os.ReadFile(writeSquash(t, oddTree(t)))
	if err != nil {
		t.Fatal(err)
	}
	second, err := os.ReadFile(writeSquash(t, oddTree(t)))
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(first, second) {
		t.Error("two writes of one tree differ")
	}
}

func TestSquashFSUnpacks(t *testing.T) {
	need(t, "unsquashfs", "squashfs-tools")
	file := writeSquash(t, oddTree(t))
	dir := filepath.Join(t.TempDir(), "root")
	cmd := exec.Command("unsquashfs", "-no-progress", "-no-xattrs", "-d", dir, file)
	if os.Getuid() != 0 {
		cmd.Args = append(cmd.Args, "-ignore-errors") // owners and devices need root
	}
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("unsquashfs: %v\n%s", err, out)
	}
	compareDir(t, oddTree(t), dir)
}

func TestSquashFSMounts(t *testing.T) {
	if os.Getuid() != 0 {
		t.Skip("needs root to mount")
	}
	dir := t.TempDir()
	out, err := exec.Command("mount", "-t", "squashfs", "-o", "loop,ro", writeSquash(t, oddTree(t)), dir).CombinedOutput()
	if err != nil {
		t.Skipf("this kernel cannot mount a squashfs from a loop device: %v: %s", err, out)
	}
	defer func() {
		if out, err := exec.Command("umount", dir).CombinedOutput(); err != nil {
			t.Errorf("umount: %v: %s", err, out)
		}
	}()
	compareDir(t, oddTree(t), dir)
}

// compareDir holds an unpacked or mounted file system against the tree it was written from.
func compareDir(t *testing.T, want *rootfs.Tree, dir string) {
	t.Helper()
	found := 0
	err := filepath.WalkDir(dir, func(name string, _ fs.DirEntry, err error) error {
		found++
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	if n := len(want.Entries()); found != n {
		t.Errorf("%d files, want %d", found, n)
	}
	for _, e := range want.Entries() {
		compareFile(t, e, filepath.Join(dir, e.Path))
	}
}

func compareFile(t *testing.T, e rootfs.Entry, name string) {
	t.Helper()
	info, err := os.Lstat(name)
	if err != nil {
		if e.Mode&fs.ModeDevice == 0 || os.Getuid() == 0 {
			t.Error(err)
		}
		return
	}
	if info.Mode() != e.Mode {
		t.Errorf("/%s: mode %s, want %s", e.Path, info.Mode(), e.Mode)
	}
	stat := info.Sys().(*syscall.Stat_t)
	if os.Getuid() == 0 && (stat.Uid != e.UID || stat.Gid != e.GID) {
		t.Errorf("/%s: owner %d:%d, want %d:%d", e.Path, stat.Uid, stat.Gid, e.UID, e.GID)
	}
	if e.Mode&fs.ModeSymlink == 0 && !info.ModTime().Equal(epoch) {
		t.Errorf("/%s: time %s, want %s", e.Path, info.ModTime(), epoch)
	}
	switch {
	case e.Mode&fs.ModeSymlink != 0:
		if link, _ := os.Readlink(name); link != e.Link {
			t.Errorf("/%s: link to %q, want %q", e.Path, link, e.Link)
		}
	case e.Mode&fs.ModeDevice != 0:
		if want := uint64(e.Minor&0xff | e.Major<<8 | e.Minor&^0xff<<12); stat.Rdev != want {
			t.Errorf("/%s: device %#x, want %#x", e.Path, stat.Rdev, want)
		}
	case e.Mode.IsRegular():
		got, err := os.ReadFile(name)
		if err != nil {
			t.Error(err)
		}
		if want := read(t, e.Content); !bytes.Equal(got, want) {
			t.Errorf("/%s: %d bytes differ from the %d that were written", e.Path, len(got), len(want))
		}
	}
}

func read(t *testing.T, c rootfs.Content) []byte {
	t.Helper()
	r, err := c.Open()
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	b, err := io.ReadAll(r)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// A change of one small file, or of a large one within its padding, leaves the data of all others where it was.
func TestSquashFSKeepsPlaces(t *testing.T) {
	build := func(small, large int) []byte {
		tree := new(rootfs.Tree)
		for name, size := range map[string]int{"a": large, "b": 1 << 20, "etc/c": small, "z": 1 << 20} {
			if err := tree.Add(rootfs.Entry{Path: name, Mode: 0o644, Content: rootfs.Bytes(pattern(size))}); err != nil {
				t.Fatal(err)
			}
		}
		b, err := os.ReadFile(writeSquash(t, tree))
		if err != nil {
			t.Fatal(err)
		}
		return b
	}
	one, other := build(100, 9000), build(1000, 9100)
	if !bytes.Equal(one[12<<10+4096:2<<20], other[12<<10+4096:2<<20]) {
		t.Error("the data of unchanged files moved")
	}
}

func TestWritersNameTheBadFile(t *testing.T) {
	bad := errors.New("card on fire")
	for name, c := range map[string]rootfs.Content{
		"grown":  {Size: 2, Open: rootfs.Bytes([]byte("three")).Open},
		"shrunk": {Size: 9, Open: rootfs.Bytes([]byte("three")).Open},
		"broken": {Size: 9, Open: func() (io.ReadCloser, error) { return io.NopCloser(iotest.ErrReader(bad)), nil }},
		"gone":   {Size: 9, Open: func() (io.ReadCloser, error) { return nil, bad }},
	} {
		tree := new(rootfs.Tree)
		if err := tree.Add(rootfs.Entry{Path: "etc/" + name, Mode: 0o644, Content: c}); err != nil {
			t.Fatal(err)
		}
		f, err := os.Create(filepath.Join(t.TempDir(), "x"))
		if err != nil {
			t.Fatal(err)
		}
		defer f.Close()
		if _, err := rootfs.WriteSquashFS(f, tree, epoch); err == nil || !strings.Contains(err.Error(), "/etc/"+name) {
			t.Errorf("squashfs, %s: error %v; want one that names the file", name, err)
		}
		if err := rootfs.WriteInitramfs(io.Discard, tree, epoch); err == nil || !strings.Contains(err.Error(), "/etc/"+name) {
			t.Errorf("initramfs, %s: error %v; want one that names the file", name, err)
		}
	}
}

func TestWriteSquashFSOfNothing(t *testing.T) {
	if _, err := rootfs.WriteSquashFS(nil, new(rootfs.Tree), epoch); err == nil {
		t.Error("an empty tree was written")
	}
}

// need skips the test where a program is missing; CI installs the package.
func need(t *testing.T, program, pkg string) {
	t.Helper()
	if _, err := exec.LookPath(program); err != nil {
		t.Skipf("needs %s: apt-get install %s", program, pkg)
	}
}
