package gokrazy_test

import (
	"bytes"
	"crypto/ed25519"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"manofwar/board"
	"manofwar/board/qemu"
	"manofwar/board/raspberrypi"
	"manofwar/gokrazy"
	"manofwar/gokrazy/fat"
	"manofwar/internal/mbr"
	"manofwar/internal/slot"
)

// volume opens a partition's file system.
func volume(t *testing.T, image string, p slot.Partition) *fat.Volume {
	t.Helper()
	v, err := fat.Open(openAt(t, image, p.Start, p.Size), p.Size)
	if err != nil {
		t.Fatal(err)
	}
	return v
}

func TestBuild(t *testing.T) {
	for _, b := range []board.Board{qemu.Board(), raspberrypi.Board()} {
		t.Run(b.Name, func(t *testing.T) {
			o := testOptions(t, testInstance(t, nil), b)
			o.Board = b
			r, err := gokrazy.Build(t.Context(), o)
			if err != nil {
				t.Fatal(err)
			}
			t.Logf("%+v", r)
			checkTable(t, r.Image)
			checkFileSystems(t, r.Image)
			checkSlot(t, r.Image, b.Name)
			checkInitramfs(t, r.Image)
			if b.Name == "raspberrypi" {
				checkFirmware(t, r.Image)
			}
		})
	}
}

// checkInitramfs looks for what a built-in driver asks for before there is a root. The archive is not compressed.
func checkInitramfs(t *testing.T, image string) {
	t.Helper()
	archive, err := fs.ReadFile(volume(t, image, slot.A), slot.InitramfsName)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Contains(archive, []byte(testRules)) {
		t.Error("the initramfs lacks the regulatory database")
	}
}

func checkTable(t *testing.T, image string) {
	t.Helper()
	sector := make([]byte, mbr.SectorSize)
	if _, err := openAt(t, image, 0, mbr.SectorSize).ReadAt(sector, 0); err != nil {
		t.Fatal(err)
	}
	table, err := mbr.Parse(sector)
	if err != nil {
		t.Fatal(err)
	}
	if err := table.Matches(); err != nil {
		t.Error(err)
	}
	info, err := os.Stat(image)
	if err != nil {
		t.Fatal(err)
	}
	data := table.Entries[3]
	if end := int64(data.Start+data.Count) * mbr.SectorSize; end != info.Size() {
		t.Errorf("/data ends at %d, the image at %d", end, info.Size())
	}
}

func checkFileSystems(t *testing.T, image string) {
	t.Helper()
	prog, err := exec.LookPath("fsck.fat")
	if err != nil {
		t.Skip("needs fsck.fat (apt package dosfstools)")
	}
	for _, p := range []slot.Partition{slot.Boot, slot.A, slot.B} {
		name := filepath.Join(t.TempDir(), p.Label)
		copySparse(t, name, openAt(t, image, p.Start, p.Size), p.Size)
		if out, err := exec.Command(prog, "-n", name).CombinedOutput(); err != nil {
			t.Errorf("partition %d: %v\n%s", p.Number, err, out)
		}
	}
}

// copySparse writes a file without its zeros: most of a card is empty.
func copySparse(t *testing.T, name string, r io.Reader, size int64) {
	t.Helper()
	f, err := os.Create(name)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if err := f.Truncate(size); err != nil {
		t.Fatal(err)
	}
	buf, zeros := make([]byte, slot.MiB), make([]byte, slot.MiB)
	for off := int64(0); off < size; off += int64(len(buf)) {
		if _, err := io.ReadFull(r, buf); err != nil {
			t.Fatal(err)
		}
		if bytes.Equal(buf, zeros) {
			continue
		}
		if _, err := f.WriteAt(buf, off); err != nil {
			t.Fatal(err)
		}
	}
}

func checkSlot(t *testing.T, image, boardName string) {
	t.Helper()
	keys := []ed25519.PublicKey{testKey().Public().(ed25519.PublicKey)}
	m, _, err := slot.Verify(volume(t, image, slot.A), keys)
	if err != nil {
		t.Fatal(err)
	}
	if m.Board != boardName || m.Version != "dev-1.2.3" || m.Epoch != 1 {
		t.Errorf("manifest of %s %s, epoch %d", m.Board, m.Version, m.Epoch)
	}
	for _, name := range []string{slot.KernelName, slot.InitramfsName, slot.RootName, slot.CmdlineName} {
		if _, ok := m.File(name); !ok {
			t.Errorf("the slot has no %s", name)
		}
	}
	if entries, err := fs.ReadDir(volume(t, image, slot.B), "."); err != nil || len(entries) != 0 {
		t.Errorf("slot B: %v, %v; want it empty", entries, err)
	}
	boot := volume(t, image, slot.Boot)
	text, err := fs.ReadFile(boot, slot.AutobootName)
	if err != nil {
		t.Fatal(err)
	}
	if a, err := slot.ParseAutoboot(text); err != nil || a != (slot.Autoboot{Default: 2, Try: 2}) {
		t.Errorf("autoboot.txt: %v, %v", a, err)
	}
	if x, err := boot.Extents(slot.AutobootName); err != nil || len(x) != 1 || x[0].Size != slot.SectorSize || x[0].Offset%slot.SectorSize != 0 {
		t.Errorf("autoboot.txt lies at %v, %v; want one whole sector", x, err)
	}
}

// checkFirmware wants what the Raspberry Pi documentation's chapter on the boot folder's contents lists for the models.
func checkFirmware(t *testing.T, image string) {
	t.Helper()
	boot, a := volume(t, image, slot.Boot), volume(t, image, slot.A)
	if _, err := fs.Stat(boot, "bootcode.bin"); err != nil {
		t.Error(err)
	}
	for model, names := range map[string]string{
		"Zero 2 W": "start.elf fixup.dat bcm2710-rpi-zero-2-w.dtb bcm2710-rpi-zero-2.dtb",
		"3":        "start.elf fixup.dat bcm2710-rpi-3-b.dtb bcm2710-rpi-3-b-plus.dtb",
		"4":        "start4.elf fixup4.dat bcm2711-rpi-4-b.dtb bcm2711-rpi-400.dtb bcm2711-rpi-cm4.dtb overlays/vc4-kms-v3d-pi4.dtbo",
		"5":        "bcm2712-rpi-5-b.dtb bcm2712d0-rpi-5-b.dtb overlays/vc4-kms-v3d-pi5.dtbo",
		"all":      "config.txt cmdline.txt vmlinuz initramfs.cpio overlays/overlay_map.dtb overlays/vc4-kms-v3d.dtbo",
	} {
		for name := range strings.FieldsSeq(names) {
			if info, err := fs.Stat(a, name); err != nil || info.Size() == 0 {
				t.Errorf("Raspberry Pi %s: %s: %v", model, name, err)
			}
		}
	}
}
