package boot

import (
	"bytes"
	"context"
	"crypto/ed25519"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"manofwar/internal/slot"
)

// signedSlot makes a slot in a directory, with the given root, signed by the key that it returns.
func signedSlot(t *testing.T, root []byte) (dir string, keys []Key) {
	t.Helper()
	dir = t.TempDir()
	private := ed25519.NewKeyFromSeed(bytes.Repeat([]byte{3}, ed25519.SeedSize))
	m := slot.Manifest{Board: "qemu", Version: "1"}
	for name, data := range map[string][]byte{slot.KernelName: []byte("kernel"), slot.RootName: root} {
		sum, n, err := slot.DigestOf(bytes.NewReader(data))
		if err != nil {
			t.Fatal(err)
		}
		m.Files = append(m.Files, slot.File{Path: name, Size: n, SHA256: sum})
		writeFile(t, filepath.Join(dir, name), data)
	}
	manifest, signature, err := slot.Sign(m, private)
	if err != nil {
		t.Fatal(err)
	}
	writeFile(t, filepath.Join(dir, slot.ManifestName), manifest)
	writeFile(t, filepath.Join(dir, slot.SignatureName), signature)
	other := ed25519.NewKeyFromSeed(bytes.Repeat([]byte{4}, ed25519.SeedSize))
	return dir, []Key{
		{Name: "release", Public: other.Public().(ed25519.PublicKey)},
		{Name: "developer", Public: private.Public().(ed25519.PublicKey)},
	}
}

func writeFile(t *testing.T, name string, data []byte) {
	t.Helper()
	if err := os.WriteFile(name, data, 0o644); err != nil {
		t.Fatal(err)
	}
}

// openFiles is how many descriptors this process has in dir.
func openFiles(t *testing.T, dir string) (n int) {
	t.Helper()
	fds, err := os.ReadDir("/proc/self/fd")
	if err != nil {
		t.Fatal(err)
	}
	for _, fd := range fds {
		if target, err := os.Readlink("/proc/self/fd/" + fd.Name()); err == nil && strings.HasPrefix(target, dir) {
			n++
		}
	}
	return n
}

func TestVerifiedRootIsTheOneThatWasHashed(t *testing.T) {
	dir, keys := signedSlot(t, []byte("root"))
	v, err := verifyDir(dir, keys)
	if err != nil {
		t.Fatal(err)
	}
	defer v.Root.Close()
	if !v.Key.Developer() || v.Manifest.Version != "1" {
		t.Errorf("%+v", v)
	}
	writeFile(t, filepath.Join(dir, "evil"), []byte("evil"))
	if err := os.Rename(filepath.Join(dir, "evil"), filepath.Join(dir, slot.RootName)); err != nil {
		t.Fatal(err)
	}
	got := make([]byte, 4)
	if _, err := v.Root.ReadAt(got, 0); err != nil || string(got) != "root" {
		t.Errorf("read %q, %v", got, err)
	}
	if n := openFiles(t, dir); n != 1 {
		t.Errorf("%d files of the slot are open; want the root only", n)
	}
}

func TestVerifyNamesTheFileAndLetsGo(t *testing.T) {
	for _, name := range []string{slot.RootName, slot.KernelName, slot.ManifestName} {
		dir, keys := signedSlot(t, []byte("root"))
		file := filepath.Join(dir, name)
		data, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		data[len(data)/2] ^= 1
		writeFile(t, file, data)
		_, err = verifyDir(dir, keys)
		if bad, ok := errors.AsType[*slot.VerifyError](err); !ok || bad.File != name {
			t.Errorf("%s: %v", name, err)
		}
		if n := openFiles(t, dir); n != 0 {
			t.Errorf("%s: %d files are still open: the slot could not be unmounted", name, n)
		}
	}
}

func TestMountRoot(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Skip("needs root: it mounts")
	}
	if _, err := exec.LookPath("mksquashfs"); err != nil {
		t.Skip("needs mksquashfs (apt package squashfs-tools)")
	}
	tree, image, dir := t.TempDir(), filepath.Join(t.TempDir(), "root"), t.TempDir()
	writeFile(t, filepath.Join(tree, "version"), []byte("1"))
	if out, err := exec.Command("mksquashfs", tree, image, "-quiet", "-no-progress", "-noI", "-noD").CombinedOutput(); err != nil {
		t.Fatalf("mksquashfs: %v: %s", err, out)
	}
	data, err := os.ReadFile(image)
	if err != nil {
		t.Fatal(err)
	}
	from, keys := signedSlot(t, data)
	v, err := verifyDir(from, keys)
	if err != nil {
		t.Fatal(err)
	}
	defer v.Root.Close()
	if err := v.MountRoot(dir); errors.Is(err, unix.ENODEV) || errors.Is(err, os.ErrNotExist) {
		t.Skip("needs loop devices and squashfs in the kernel: ", err)
	} else if err != nil {
		t.Fatal(err)
	}
	wantContent(t, filepath.Join(dir, "version"), "1")
	if err := os.WriteFile(filepath.Join(dir, "x"), nil, 0o600); !errors.Is(err, unix.EROFS) {
		t.Errorf("the root can be written: %v", err)
	}
	if err := unmount(dir); err != nil {
		t.Error(err)
	}
}

func TestFindDiskSaysWhatItSaw(t *testing.T) {
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond)
	defer cancel()
	_, err := FindDisk(ctx, []string{"no-such-disk"})
	if err == nil || !strings.Contains(err.Error(), "none of the disks [no-such-disk]") || !strings.Contains(err.Error(), "seen:") {
		t.Errorf("got %v", err)
	}
}

func TestSwitchRootIsPID1s(t *testing.T) {
	if err := SwitchRoot(t.TempDir(), nil); err == nil || !strings.Contains(err.Error(), "not PID 1") {
		t.Errorf("got %v", err)
	}
}

func TestMountTables(t *testing.T) {
	var seen []string
	for _, m := range slices.Concat(EarlyMounts, RootMounts) {
		if !filepath.IsAbs(m.Target) || m.Flags&unix.MS_NOSUID == 0 {
			t.Errorf("%+v: want an absolute target and nosuid", m)
		}
		seen = append(seen, m.Target)
	}
	for _, dir := range Moved {
		if !slices.Contains(seen, dir) {
			t.Errorf("%s is handed over, but never mounted", dir)
		}
	}
	dir := t.TempDir()
	if err := MountAll([]Mount{
		{Source: "none", Target: filepath.Join(dir, "a"), FSType: "no-such-type", Optional: true},
		{Source: "none", Target: filepath.Join(dir, "b"), FSType: "no-such-type"},
	}); err == nil || !strings.Contains(err.Error(), filepath.Join(dir, "b")) || strings.Contains(err.Error(), filepath.Join(dir, "a")) {
		t.Errorf("got %v; want an error about b alone", err)
	}
}
