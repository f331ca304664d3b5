package gokrazy_test

import (
	"bytes"
	"errors"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"manofwar/board/qemu"
	"manofwar/gokrazy"
	"manofwar/gokrazy/fat"
	"manofwar/internal/mounttest"
	"manofwar/internal/setup"
	"manofwar/internal/slot"
)

// shared is the image that the flash tests write, built once.
var shared struct {
	once sync.Once
	dir  string
	err  error
}

func TestMain(m *testing.M) {
	code := mounttest.Run(m)
	if shared.dir != "" {
		os.RemoveAll(shared.dir)
	}
	os.Exit(code)
}

// sharedImage returns the path of an image, and of the same compressed.
func sharedImage(t *testing.T) (image, zst string) {
	t.Helper()
	o := testOptions(t, testInstance(t, nil), qemu.Board())
	shared.once.Do(func() {
		if shared.dir, shared.err = os.MkdirTemp("", "manofwar-test-"); shared.err == nil {
			o.Out, o.NoZstd = filepath.Join(shared.dir, "manofwar.img"), false
			_, shared.err = gokrazy.Build(t.Context(), o)
		}
	})
	if shared.err != nil {
		t.Fatal(shared.err)
	}
	image = filepath.Join(shared.dir, "manofwar.img")
	return image, image + ".zst"
}

// target makes a plain file of a size, with old content wherever a flash could leave some.
func target(t *testing.T, size int64) string {
	t.Helper()
	name := filepath.Join(t.TempDir(), "card.img")
	f, err := os.Create(name)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if err := f.Truncate(size); err != nil {
		t.Fatal(err)
	}
	old := bytes.Repeat([]byte("old!"), 1<<18)
	for _, off := range []int64{0, slot.Boot.Start, slot.A.Start, slot.A.Start + slot.MiB, slot.B.Start, slot.Data.Start, slot.Data.Start + 8*slot.MiB} {
		if off+int64(len(old)) <= size {
			if _, err := f.WriteAt(old, off); err != nil {
				t.Fatal(err)
			}
		}
	}
	return name
}

const cardSize = 1200 * slot.MiB

func TestFlashFile(t *testing.T) {
	image, zst := sharedImage(t)
	for _, from := range []string{image, zst} {
		t.Run(filepath.Base(from), func(t *testing.T) {
			card := target(t, cardSize)
			var phases []string
			err := gokrazy.Flash(t.Context(), gokrazy.FlashOptions{
				Image: from, Target: card, Yes: true,
				Setup: &setup.Setup{WiFi: []setup.WiFi{{SSID: "Home", Passphrase: "correct horse"}}},
				Progress: func(p gokrazy.FlashProgress) {
					if p.Done == p.Total {
						phases = append(phases, p.Phase)
					}
				},
			})
			if err != nil {
				t.Fatal(err)
			}
			if got := strings.Join(phases, " "); got != "write verify" {
				t.Errorf("phases %q", got)
			}
			checkTable(t, image)
			checkFileSystems(t, card)
			checkSlot(t, card, "qemu")
			text, err := fs.ReadFile(volume(t, card, slot.Boot), setup.Name)
			if err != nil {
				t.Fatal(err)
			}
			if s, err := setup.Parse(text); err != nil || s.WiFi[0].SSID != "Home" {
				t.Errorf("setup.json: %+v, %v", s, err)
			}
			head := make([]byte, slot.MiB)
			if _, err := openAt(t, card, slot.Data.Start, slot.MiB).ReadAt(head, 0); err != nil || len(bytes.Trim(head, "\x00")) > 0 {
				t.Errorf("the old file system of /data is still there (%v)", err)
			}
		})
	}
}

func TestFlashKeepData(t *testing.T) {
	image, _ := sharedImage(t)
	card := target(t, cardSize)
	flash := func(o gokrazy.FlashOptions) {
		t.Helper()
		o.Image, o.Target, o.Yes = image, card, true
		if err := gokrazy.Flash(t.Context(), o); err != nil {
			t.Fatal(err)
		}
	}
	flash(gokrazy.FlashOptions{})
	// The owner has data, a file on the boot partition, and switched to slot B.
	f, err := os.OpenFile(card, os.O_RDWR, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	data := bytes.Repeat([]byte("data"), 1<<18)
	if _, err := f.WriteAt(data, slot.Data.Start); err != nil {
		t.Fatal(err)
	}
	if err := fat.Write(io.NewOffsetWriter(f, slot.Boot.Start), fat.Format{Bits: 16, Size: slot.Boot.Size, Start: slot.Boot.Start}, []fat.File{
		testFile(slot.AutobootName, slot.Autoboot{Default: 3, Try: 2}.Sector()), testFile("Notes/mine.txt", []byte("mine")), testFile("readme.TXT", []byte("old")),
	}); err != nil {
		t.Fatal(err)
	}
	if _, err := f.WriteAt(data, slot.A.Start); err != nil {
		t.Fatal(err)
	}

	flash(gokrazy.FlashOptions{KeepData: true})
	checkFileSystems(t, card)
	checkSlot(t, card, "qemu") // and autoboot.txt names slot A again
	boot := volume(t, card, slot.Boot)
	if text, err := fs.ReadFile(boot, "Notes/mine.txt"); err != nil || string(text) != "mine" {
		t.Errorf("the owner's file: %q, %v", text, err)
	}
	if text, err := fs.ReadFile(boot, "README.txt"); err != nil || string(text) == "old" {
		t.Errorf("README.txt: %.20q, %v", text, err)
	}
	got := make([]byte, len(data))
	if _, err := f.ReadAt(got, slot.Data.Start); err != nil || !bytes.Equal(got, data) {
		t.Errorf("the data is gone (%v)", err)
	}
}

func testFile(name string, data []byte) fat.File {
	return fat.File{Path: name, Size: int64(len(data)), Open: func() (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(data)), nil }}
}

func TestFlashAsks(t *testing.T) {
	image, _ := sharedImage(t)
	for _, tt := range []struct {
		answer string
		write  bool
	}{{"yes\n", true}, {"", false}, {"\n", false}, {"no\n", false}, {"y\n", false}} {
		card := target(t, cardSize)
		var out strings.Builder
		err := gokrazy.Flash(t.Context(), gokrazy.FlashOptions{Image: image, Target: card, In: strings.NewReader(tt.answer), Out: &out})
		if tt.write != (err == nil) || err != nil && !errors.Is(err, gokrazy.ErrDeclined) {
			t.Errorf("answer %q: %v", tt.answer, err)
		}
		if !strings.Contains(out.String(), card+" (a file, 1.3 GB): all that is on it will be erased.") {
			t.Errorf("it said %q", out.String())
		}
		head := make([]byte, 4)
		if _, err := openAt(t, card, slot.A.Start, 4).ReadAt(head, 0); err != nil || (string(head) == "old!") == tt.write {
			t.Errorf("answer %q: slot A starts with %q, %v", tt.answer, head, err)
		}
	}
}

func TestFlashRefuses(t *testing.T) {
	image, _ := sharedImage(t)
	junk := filepath.Join(t.TempDir(), "junk.img")
	if err := os.WriteFile(junk, make([]byte, 4096), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct {
		name string
		o    gokrazy.FlashOptions
		want string
	}{
		{"too small a target", gokrazy.FlashOptions{Image: image, Target: target(t, 64*slot.MiB)}, "too small: it has 67 MB, manofwar needs at least 1.2 GB"},
		{"no target", gokrazy.FlashOptions{Image: image, Target: "/nonexistent"}, "/nonexistent: there is no such"},
		{"a character device", gokrazy.FlashOptions{Image: image, Target: "/dev/null"}, "/dev/null: "},
		{"a directory", gokrazy.FlashOptions{Image: image, Target: t.TempDir()}, "neither a disk nor a file"},
		{"no image", gokrazy.FlashOptions{Image: "/nonexistent.img", Target: junk}, "/nonexistent.img"},
		{"not an image", gokrazy.FlashOptions{Image: junk, Target: target(t, cardSize)}, "junk.img is not a sound image of manofwar"},
		{"a damaged image", gokrazy.FlashOptions{Image: damagedImage(t, image), Target: target(t, cardSize)}, "vmlinuz is damaged: get or make the image again"},
		{"a foreign card, keeping data", gokrazy.FlashOptions{Image: image, Target: target(t, cardSize), KeepData: true}, "not a card of manofwar"},
		{"a bad setup", gokrazy.FlashOptions{Image: image, Target: target(t, cardSize), Setup: &setup.Setup{ClaimCode: "1"}}, "claim_code: want six digits"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			tt.o.Yes = true
			wantError(t, gokrazy.Flash(t.Context(), tt.o), tt.want)
		})
	}
}

// damagedImage is a copy of an image with one byte of its kernel changed.
func damagedImage(t *testing.T, image string) string {
	t.Helper()
	name := filepath.Join(t.TempDir(), "damaged.img")
	info, err := os.Stat(image)
	if err != nil {
		t.Fatal(err)
	}
	copySparse(t, name, openAt(t, image, 0, info.Size()), info.Size())
	x, err := volume(t, image, slot.A).Extents(slot.KernelName)
	if err != nil {
		t.Fatal(err)
	}
	f, err := os.OpenFile(name, os.O_RDWR, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	at := slot.A.Start + x[0].Offset + x[0].Size/2
	b := make([]byte, 1)
	if _, err := f.ReadAt(b, at); err != nil {
		t.Fatal(err)
	}
	b[0] ^= 1
	if _, err := f.WriteAt(b, at); err != nil {
		t.Fatal(err)
	}
	return name
}

// loopDevice attaches a file to a loop device with partitions, and returns its name.
func loopDevice(t *testing.T, file string) string {
	t.Helper()
	if os.Getuid() != 0 {
		t.Skip("needs root for loop devices")
	}
	out, err := exec.Command("losetup", "--show", "-fP", file).CombinedOutput()
	if err != nil {
		t.Skipf("no loop devices here: %v: %s", err, out)
	}
	dev := strings.TrimSpace(string(out))
	t.Cleanup(func() {
		if out, err := exec.Command("losetup", "-d", dev).CombinedOutput(); err != nil {
			t.Errorf("losetup -d: %v: %s", err, out)
		}
	})
	return dev
}

func TestFlashDisk(t *testing.T) {
	image, _ := sharedImage(t)
	card := target(t, cardSize)
	dev := loopDevice(t, card)
	var out strings.Builder
	err := gokrazy.Flash(t.Context(), gokrazy.FlashOptions{Image: image, Target: dev, In: strings.NewReader(dev + "\n"), Out: &out})
	if err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(out.String(), "It has no partitions.") {
		t.Errorf("it said %q", out.String())
	}
	checkSlot(t, card, "qemu")
	checkFileSystems(t, card)

	// The kernel has seen the new table. A partition is no target, and a second time the partitions are listed.
	if _, err := os.Stat(dev + "p2"); err == nil {
		err := gokrazy.Flash(t.Context(), gokrazy.FlashOptions{Image: image, Target: dev + "p2", Yes: true})
		wantError(t, err, "a partition, not a disk", "Give the whole disk: "+dev)
		out.Reset()
		err = gokrazy.Flash(t.Context(), gokrazy.FlashOptions{Image: image, Target: dev, In: strings.NewReader("no\n"), Out: &out})
		if !errors.Is(err, gokrazy.ErrDeclined) || !strings.Contains(out.String(), "FAT32    SLOT-A") {
			t.Errorf("%v; it said %q", err, out.String())
		}
	}
}

func TestFlashRefusesAMountedDisk(t *testing.T) {
	image, _ := sharedImage(t)
	card := target(t, cardSize)
	if out, err := exec.Command("mke2fs", "-q", "-F", card).CombinedOutput(); err != nil {
		t.Skipf("needs mke2fs (apt package e2fsprogs): %v: %s", err, out)
	}
	dev, dir := loopDevice(t, card), t.TempDir()
	if out, err := exec.Command("mount", dev, dir).CombinedOutput(); err != nil {
		t.Skipf("cannot mount here: %v: %s", err, out)
	}
	t.Cleanup(func() {
		if out, err := exec.Command("umount", dir).CombinedOutput(); err != nil {
			t.Errorf("umount: %v: %s", err, out)
		}
	})
	err := gokrazy.Flash(t.Context(), gokrazy.FlashOptions{Image: image, Target: dev, Yes: true})
	wantError(t, err, "in use: mounted at "+dir, "umount "+dir)
}

func TestFlashRefusesThisComputersDisk(t *testing.T) {
	image, _ := sharedImage(t)
	out, err := exec.Command("findmnt", "-no", "SOURCE", "/").Output()
	disk := strings.TrimRight(strings.TrimSpace(string(out)), "0123456789")
	if err != nil || !strings.HasPrefix(disk, "/dev/") {
		t.Skipf("the root is not on a disk: %q, %v", out, err)
	}
	err = gokrazy.Flash(t.Context(), gokrazy.FlashOptions{Image: image, Target: strings.TrimSpace(string(out)), In: strings.NewReader("")})
	if err == nil || errors.Is(err, gokrazy.ErrDeclined) {
		t.Errorf("error %v; want a refusal before any question", err)
	}
}
