package catalog_test

import (
	"maps"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"manofwar/services/catalog"
	"manofwar/services/catalog/api"
)

// mountTmpfs mounts a file system that the test may fill, lock or pull away.
func mountTmpfs(t *testing.T, options string) string {
	t.Helper()
	if os.Geteuid() != 0 {
		t.Skip("needs root, to mount a file system")
	}
	t.Parallel()
	dir := t.TempDir()
	if err := syscall.Mount("tmpfs", dir, "tmpfs", 0, options); err != nil {
		t.Skipf("needs to mount a file system: %v", err)
	}
	t.Cleanup(func() { _ = syscall.Unmount(dir, syscall.MNT_DETACH) }) // some tests have unmounted it already
	return dir
}

// TestCardIsReadOnly has the state directory on a file system that turned read-only.
func TestCardIsReadOnly(t *testing.T) {
	state, dir := mountTmpfs(t, "size=8m"), library(t, 30)
	h := start(t, state, catalog.Options{Dirs: []string{dir}})
	h.until(t, "scan", scanned)
	before := h.paths(t)
	h.stop()
	if err := syscall.Mount("", state, "", syscall.MS_REMOUNT|syscall.MS_RDONLY, ""); err != nil {
		t.Fatal(err)
	}
	h = start(t, state, catalog.Options{Dirs: []string{dir}})
	st := h.until(t, "scan", scanned)
	if !strings.Contains(st.Trouble, "read-only") || st.Music != 30 || !maps.Equal(before, h.paths(t)) {
		t.Errorf("status %+v: want the trouble told and all items", st)
	}
}

// TestCardIsFull has no room for the index, until there is.
func TestCardIsFull(t *testing.T) {
	state, dir := mountTmpfs(t, "size=256k"), library(t, 600)
	ballast := filepath.Join(state, "ballast")
	if err := os.WriteFile(ballast, make([]byte, 180<<10), 0o644); err != nil {
		t.Fatal(err)
	}
	h := start(t, state, catalog.Options{Dirs: []string{dir}})
	h.until(t, "all items", func(st api.Status) bool { return scanned(st) && st.Music == 600 })
	h.until(t, "trouble", func(st api.Status) bool { return strings.Contains(st.Trouble, "no space left") })
	before := h.paths(t)
	if err := syscall.Mount("", state, "", syscall.MS_REMOUNT, "size=8m"); err != nil {
		t.Fatal(err)
	}
	h.until(t, "end of the trouble", func(st api.Status) bool { return st.Trouble == "" })
	h.stop()
	h = start(t, state, catalog.Options{Dirs: []string{dir}})
	if got := h.paths(t); !maps.Equal(got, before) {
		t.Errorf("after a restart %d items, want %d", len(got), len(before))
	}
}

// TestUnmountedUnderneath unmounts a library while it is scanned, without a word from PID 1.
func TestUnmountedUnderneath(t *testing.T) {
	dir := mountTmpfs(t, "size=64m")
	addSongs(t, dir, 300)
	state := t.TempDir()
	h := start(t, state, catalog.Options{Dirs: []string{dir}})
	h.until(t, "scan", scanned)
	if err := h.Scan(t.Context()); err != nil {
		t.Fatal(err)
	}
	if err := syscall.Unmount(dir, syscall.MNT_DETACH); err != nil {
		t.Fatal(err)
	}
	h.until(t, "the scan's end", func(st api.Status) bool { return !st.Scan.Running })
	if err := h.Scan(t.Context()); err != nil {
		t.Fatal(err)
	}
	if st := h.until(t, "away", func(st api.Status) bool { return !st.Scan.Running && st.Roots[0].Away }); st.Music != 300 {
		t.Errorf("%d items are left of 300", st.Music)
	}
}
