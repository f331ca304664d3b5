package boot

import (
	"archive/tar"
	"bytes"
	"context"
	"errors"
	"io"
	"io/fs"
	"log/slog"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"testing/fstest"

	"golang.org/x/sys/unix"

	"manofwar/internal/mbr"
	"manofwar/internal/slot"
)

// cardSize is that of the test's card: /data gets 200 MiB of it.
const cardSize = 1060*slot.MiB + 200*slot.MiB

// newCard returns Data on a card as it comes from the image builder, in a loop device.
func newCard(t *testing.T) (d Data, file string) {
	t.Helper()
	if os.Geteuid() != 0 {
		t.Skip("needs root: it makes loop devices and mounts them")
	}
	for _, program := range []string{"mke2fs", "e2fsck", "losetup"} {
		if _, err := exec.LookPath(program); err != nil {
			t.Skip("needs ", program)
		}
	}
	file = filepath.Join(t.TempDir(), "card.img")
	table, err := mbr.ForDisk(slot.Data.Start+slot.MinData, 1)
	if err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(os.WriteFile(file, table.Sector(), 0o600), os.Truncate(file, cardSize)); err != nil {
		t.Fatal(err)
	}
	out, err := exec.Command("losetup", "--find", "--show", "--partscan", file).CombinedOutput()
	if err != nil {
		t.Skipf("needs loop devices: losetup: %s", out)
	}
	disk := strings.TrimSpace(string(out))
	t.Cleanup(func() {
		if out, err := exec.Command("losetup", "--detach", disk).CombinedOutput(); err != nil {
			t.Errorf("losetup --detach %s: %s", disk, out)
		}
	})
	d = Data{Disk: filepath.Base(disk), Dir: t.TempDir(), Log: slog.New(slog.DiscardHandler), Command: runProgram}
	if err := addPartition(d, table.Entries[dataEntry]); err != nil {
		t.Skip("needs loop devices with partitions: ", err)
	}
	return d, file
}

// addPartition does what a kernel that reads partition tables has done already.
func addPartition(d Data, e mbr.Entry) error {
	disk, err := os.Open("/dev/" + d.Disk)
	if err != nil {
		return err
	}
	defer disk.Close()
	if err := tellKernel(disk, slot.Data.Number, e); err != nil {
		return err
	}
	_, err = os.Stat(d.Device())
	return err
}

func runProgram(ctx context.Context, argv ...string) (int, string, error) {
	out, err := exec.CommandContext(ctx, argv[0], argv[1:]...).CombinedOutput()
	if exit, ok := errors.AsType[*exec.ExitError](err); ok {
		return exit.ExitCode(), string(out), nil
	}
	return 0, string(out), err
}

// mounted mounts /data, calls f, and unmounts it.
func mounted(t *testing.T, d Data, f func()) (repaired bool) {
	t.Helper()
	repaired, err := d.Mount(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	f()
	if err := UnmountData(d.Dir); err != nil {
		t.Fatal(err)
	}
	return repaired
}

// damage writes to the card behind the file systems' backs.
func damage(t *testing.T, d Data, off int64, data []byte) {
	t.Helper()
	f, err := os.OpenFile("/dev/"+d.Disk, os.O_WRONLY|unix.O_SYNC, 0)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := f.WriteAt(data, off); err != nil {
		t.Fatal(err)
	}
	if err := f.Close(); err != nil {
		t.Fatal(err)
	}
}

func TestDataLivesThroughBoots(t *testing.T) {
	d, file := newCard(t)
	note := filepath.Join(d.Dir, "note")
	mounted(t, d, func() {
		var st unix.Statfs_t
		if err := unix.Statfs(d.Dir, &st); err != nil || int64(st.Blocks)*st.Bsize < 150*slot.MiB {
			t.Errorf("/data has %d MiB, %v; want it to fill the card", int64(st.Blocks)*st.Bsize/slot.MiB, err)
		}
		if full, readOnly, err := DataState(d.Dir); full || readOnly || err != nil {
			t.Errorf("full %t, read-only %t, %v", full, readOnly, err)
		}
		if err := os.WriteFile(note, []byte("kept"), 0o600); err != nil {
			t.Error(err)
		}
	})
	if sector, err := os.ReadFile(file); err != nil {
		t.Error(err)
	} else if table, err := mbr.Parse(sector[:mbr.SectorSize]); err != nil || table.Matches() != nil || table.Entries[dataEntry].Count != 200*slot.MiB/mbr.SectorSize {
		t.Errorf("partition table %+v, %v", table, err)
	}
	if repaired := mounted(t, d, func() { wantContent(t, note, "kept") }); repaired {
		t.Error("a clean file system was repaired")
	}

	damage(t, d, slot.Data.Start, make([]byte, slot.MiB)) // the superblock and what is near it
	if repaired := mounted(t, d, func() {}); !repaired {
		t.Error("a lost superblock was not repaired, but taken for a card that was never formatted")
	}

	if err := d.Forget(); err != nil {
		t.Fatal(err)
	}
	mounted(t, d, func() {
		if _, err := os.Stat(note); !errors.Is(err, fs.ErrNotExist) {
			t.Errorf("after a factory reset: %v", err)
		}
	})
}

func wantContent(t *testing.T, name, want string) {
	t.Helper()
	if got, err := os.ReadFile(name); err != nil || string(got) != want {
		t.Errorf("%s: %q, %v; want %q", name, got, err, want)
	}
}

// TestDataIsNeverLost: what is there and is not /data, or cannot be repaired, is left as it is.
func TestDataIsNeverLost(t *testing.T) {
	garbage := bytes.Repeat([]byte{0xa5, 0x5a, 0x11, 0x93}, 140*slot.MiB/4)
	ntfs := append([]byte("\xeb\x52\x90NTFS    "), make([]byte, 501)...)
	tests := []struct {
		name string
		data []byte
		want string
	}{
		{"garbage", garbage, "damaged beyond repair"},
		{"another file system", ntfs, "of type ntfs3"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			d, file := newCard(t)
			damage(t, d, slot.Data.Start, tt.data)
			if _, err := d.Mount(t.Context()); err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("got %v; want %q", err, tt.want)
			}
			if err := d.Retry(t.Context()); err == nil {
				t.Error("a retry found it well")
			}
			f, err := os.Open(file)
			if err != nil {
				t.Fatal(err)
			}
			defer f.Close()
			left := make([]byte, len(tt.data))
			if _, err := f.ReadAt(left, slot.Data.Start); err != nil || !bytes.Equal(left, tt.data) {
				t.Errorf("what was there has changed (%v)", err)
			}
			if err := d.MountRescue(); err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(filepath.Join(d.Dir, "x"), nil, 0o600); err != nil {
				t.Errorf("rescue: %v", err)
			}
			if err := UnmountData(d.Dir); err != nil {
				t.Error(err)
			}
		})
	}
}

// zeroDisk reads as zeros, like a card that has lost what was on it.
type zeroDisk struct{}

func (zeroDisk) ReadAt(p []byte, _ int64) (int, error) {
	clear(p)
	return len(p), nil
}

func TestBlank(t *testing.T) {
	start := uint32(slot.Data.Start / mbr.SectorSize)
	for _, tt := range []struct {
		name  string
		entry mbr.Entry
		want  bool
	}{
		{"no partition", mbr.Entry{}, true},
		{"a fresh image's", mbr.Entry{Type: slot.Data.Type, Start: start, Count: slot.MinData / mbr.SectorSize}, true},
		{"one that has been formatted", mbr.Entry{Type: slot.Data.Type, Start: start, Count: slot.MinData/mbr.SectorSize + 2048}, false},
	} {
		if got, err := blank(zeroDisk{}, tt.entry); got != tt.want || err != nil {
			t.Errorf("%s: %t, %v", tt.name, got, err)
		}
	}
}

func TestInterruptedFormatIsDoneAgain(t *testing.T) {
	d, _ := newCard(t)
	whole := d.Command
	d.Command = func(context.Context, ...string) (int, string, error) { return 0, "", errors.New("power cut") }
	if _, err := d.Mount(t.Context()); err == nil || !strings.Contains(err.Error(), "power cut") {
		t.Fatalf("got %v", err)
	}
	damage(t, d, slot.Data.Start+slot.MiB, bytes.Repeat([]byte{7}, 4096)) // half of a file system
	damage(t, d, slot.Data.Start, bytes.Repeat([]byte{7}, 4096))
	d.Command = whole
	mounted(t, d, func() {})
}

// TestNothingIsMountedThatSomebodyMayWrite: an updater that still has a slot open, as PID 1 opens it for it, could change
// it after the verification.
func TestNothingIsMountedThatSomebodyMayWrite(t *testing.T) {
	d, _ := newCard(t)
	mounted(t, d, func() {})
	f, err := os.OpenFile(d.Device(), os.O_RDWR|os.O_EXCL, 0)
	if err != nil {
		t.Fatal(err)
	}
	m := Mount{Source: d.Device(), Target: t.TempDir(), FSType: "ext4", Flags: unix.MS_RDONLY}
	if err := m.mount(); !errors.Is(err, unix.EBUSY) {
		t.Errorf("while it is open: %v", err)
	}
	if err := f.Close(); err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(m.mount(), unmount(m.Target)); err != nil {
		t.Error(err)
	}
}

func TestExport(t *testing.T) {
	d, _ := newCard(t)
	mounted(t, d, func() {
		if err := errors.Join(os.MkdirAll(filepath.Join(d.Dir, "portal"), 0o700),
			os.WriteFile(filepath.Join(d.Dir, "portal", "users.json"), []byte("[]"), 0o600)); err != nil {
			t.Fatal(err)
		}
	})
	var archive bytes.Buffer
	mounted(t, d, func() { // as something else has it: then there is nothing at the directory, and that is no export
		if err := d.Export(t.Context(), t.TempDir(), &archive); !errors.Is(err, unix.EBUSY) {
			t.Errorf("of a file system that is in use: %v", err)
		}
	})
	archive.Reset()
	if err := d.Export(t.Context(), t.TempDir(), &archive); err != nil {
		t.Fatal(err)
	}
	if got := untar(t, &archive); got["portal/users.json"] != "[]" {
		t.Errorf("got %q", got)
	}
}

func untar(t *testing.T, r io.Reader) map[string]string {
	t.Helper()
	files := make(map[string]string)
	for in := tar.NewReader(r); ; {
		h, err := in.Next()
		if errors.Is(err, io.EOF) {
			return files
		}
		if err != nil {
			t.Fatal(err)
		}
		text, err := io.ReadAll(in)
		if err != nil {
			t.Fatal(err)
		}
		files[h.Name] = string(text)
	}
}

// badFS has one file that cannot be read past its third byte, and one that cannot be opened.
type badFS struct{ fstest.MapFS }

func (b badFS) Open(name string) (fs.File, error) {
	f, err := b.MapFS.Open(name)
	switch name {
	case "bad":
		return badFile{f}, err
	case "worse":
		return nil, &fs.PathError{Op: "open", Path: name, Err: unix.EIO}
	}
	return f, err
}

type badFile struct{ fs.File }

func (b badFile) Read(p []byte) (int, error) {
	n := copy(p, "abc")
	return n, unix.EIO
}

func TestExportOfADamagedCard(t *testing.T) {
	tree := badFS{fstest.MapFS{"bad": {Data: []byte("abcdef")}, "good": {Data: []byte("good")}, "worse": {Data: []byte("x")}}}
	var archive bytes.Buffer
	if err := exportTree(t.Context(), tree, &archive); err != nil {
		t.Fatal(err)
	}
	got := untar(t, &archive)
	if got["good"] != "good" || got["bad"] != "abc\x00\x00\x00" {
		t.Errorf("got %q", got)
	}
	if list := got[unreadableName]; !strings.Contains(list, "bad: from byte 3 on") || !strings.Contains(list, "worse: ") {
		t.Errorf("list of what is missing: %q", list)
	}
	if err := exportTree(t.Context(), tree, fullWriter{}); err == nil {
		t.Error("an archive that nobody takes is no error")
	}
}

type fullWriter struct{}

func (fullWriter) Write([]byte) (int, error) { return 0, errors.New("the reader has left") }

func TestClock(t *testing.T) {
	c := Clock{Path: filepath.Join(t.TempDir(), "time")}
	if err := c.Restore(); err != nil {
		t.Errorf("without a file: %v", err)
	}
	if err := c.Save(); err != nil {
		t.Fatal(err)
	}
	if err := c.Restore(); err != nil { // not later than now: nothing is set
		t.Error(err)
	}
	if err := os.WriteFile(c.Path, []byte("yesterday\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	if err := c.Restore(); err == nil || !strings.Contains(err.Error(), c.Path) {
		t.Errorf("got %v; want an error that names the file", err)
	}
}
