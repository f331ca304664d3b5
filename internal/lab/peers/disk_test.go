package peers

import (
	"archive/tar"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"testing"

	"manofwar/rootfs"
)

func TestAddArchive(t *testing.T) {
	f, err := os.Create(filepath.Join(t.TempDir(), "debian.tar"))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	w := tar.NewWriter(f)
	for _, h := range []tar.Header{
		{Name: "./", Typeflag: tar.TypeDir, Mode: 0o755},
		{Name: "./usr/bin/", Typeflag: tar.TypeDir, Mode: 0o755},
		{Name: "./usr/bin/iw", Typeflag: tar.TypeReg, Mode: 0o755, Size: 4, Uid: 7},
		{Name: "./usr/bin/iwx", Typeflag: tar.TypeLink, Linkname: "./usr/bin/iw"},
		{Name: "./bin", Typeflag: tar.TypeSymlink, Linkname: "usr/bin"},
		{Name: "./dev/null", Typeflag: tar.TypeChar, Mode: 0o666, Devmajor: 1, Devminor: 3},
		{Name: "./run/fifo", Typeflag: tar.TypeFifo},
	} {
		if err := w.WriteHeader(&h); err != nil {
			t.Fatal(err)
		}
		if h.Size > 0 {
			if _, err := io.WriteString(w, "text"); err != nil {
				t.Fatal(err)
			}
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	if _, err := f.Seek(0, io.SeekStart); err != nil {
		t.Fatal(err)
	}
	tree := new(rootfs.Tree)
	if err := addArchive(tree, f); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"usr/bin/iw", "usr/bin/iwx"} {
		e, ok := tree.Get(name)
		if !ok || e.Mode != 0o755 {
			t.Fatalf("%s: %+v, %v", name, e, ok)
		}
		r, err := e.Content.Open()
		if err != nil {
			t.Fatal(err)
		}
		text, err := io.ReadAll(r)
		if err != nil || string(text) != "text" || r.Close() != nil {
			t.Errorf("%s: %q, %v", name, text, err)
		}
	}
	if e, _ := tree.Get("bin"); e.Mode.Type() != fs.ModeSymlink || e.Link != "usr/bin" {
		t.Errorf("link: %+v", e)
	}
	if e, _ := tree.Get("dev/null"); e.Mode.Type() != fs.ModeDevice|fs.ModeCharDevice || e.Major != 1 || e.Minor != 3 {
		t.Errorf("device: %+v", e)
	}
	if _, ok := tree.Get("run/fifo"); ok {
		t.Error("a FIFO is in the tree")
	}
}

func TestTestNames(t *testing.T) {
	names, err := testNames("disk_test.go")
	if err != nil || len(names) != 2 || names[0] != "TestAddArchive" {
		t.Errorf("%q, %v", names, err)
	}
}
