package catalog_test

import (
	"context"
	"errors"
	"iter"
	"maps"
	"os"
	"path/filepath"
	"testing"

	"manofwar/internal/media"
	"manofwar/services/catalog"
	"manofwar/services/catalog/api"
)

// fakeDisks announces what is sent to it, as PID 1 announces disks.
type fakeDisks chan []catalog.Disk

func (f fakeDisks) Watch(ctx context.Context) iter.Seq2[[]catalog.Disk, error] {
	return func(yield func([]catalog.Disk, error) bool) {
		for {
			select {
			case <-ctx.Done():
				return
			case disks := <-f:
				var err error
				if disks == nil {
					err = errors.New("connection lost")
				}
				if !yield(disks, err) {
					return
				}
			}
		}
	}
}

func away(st api.Status) bool    { return len(st.Roots) == 1 && st.Roots[0].Away && !st.Scan.Running }
func present(st api.Status) bool { return len(st.Roots) == 1 && !st.Roots[0].Away && scanned(st) }

// TestDiskComesAndGoes pulls a disk out, restarts, and plugs it in elsewhere: its items are the same.
func TestDiskComesAndGoes(t *testing.T) {
	mount, state := library(t, 40), t.TempDir()
	disks := make(fakeDisks)
	stick := catalog.Disk{ID: "1234-ABCD", Label: "STICK", Path: mount}
	h := start(t, state, catalog.Options{Disks: disks})
	disks <- []catalog.Disk{stick}
	st := h.until(t, "scan", func(st api.Status) bool { return present(st) && st.Music == 40 })
	if r := st.Roots[0]; r.Name != "STICK" || r.Disk != stick.ID || r.Path != mount || r.Items != 40 {
		t.Errorf("root %+v", r)
	}
	before := h.paths(t)

	disks <- []catalog.Disk{}
	if st := h.until(t, "away", away); st.Music != 40 || st.Roots[0].Items != 40 {
		t.Errorf("away: %+v", st)
	}
	p, err := h.Items(t.Context(), api.Query{Text: "söng 17"})
	if err != nil || p.Total != 1 || !p.Items[0].Away {
		t.Errorf("an item that is away: %+v, %v", p, err)
	}
	if _, err := h.File(t.Context(), p.Items[0].ID); !errors.Is(err, media.ErrAway) {
		t.Errorf("its file: %v, want away", err)
	}
	h.stop()

	h = start(t, state, catalog.Options{Disks: disks})
	if st := h.until(t, "start", away); st.Music != 40 {
		t.Errorf("after a restart: %+v", st)
	}
	elsewhere := filepath.Join(t.TempDir(), "elsewhere")
	if err := os.Rename(mount, elsewhere); err != nil {
		t.Fatal(err)
	}
	stick.Path = elsewhere
	disks <- nil // the connection to PID 1 breaks, and is made again
	disks <- []catalog.Disk{stick}
	h.until(t, "back", present)
	if got := h.paths(t); !maps.Equal(got, before) {
		t.Errorf("%d items, want the %d from before", len(got), len(before))
	}
	if f, err := h.File(t.Context(), p.Items[0].ID); err != nil || filepath.Dir(filepath.Dir(filepath.Dir(f.Path))) != elsewhere {
		t.Errorf("its file: %+v, %v", f, err)
	}
}

// TestLinksOnDisksAreNotFollowed keeps a disk from showing what is on the device.
func TestLinksOnDisksAreNotFollowed(t *testing.T) {
	mount, inside := library(t, 10), library(t, 10)
	if err := errors.Join(os.Symlink(inside, filepath.Join(mount, "out")), os.Symlink(filepath.Join(inside, "Artist 0/Album 0/01.mp3"), filepath.Join(mount, "out.mp3"))); err != nil {
		t.Fatal(err)
	}
	disks := make(fakeDisks)
	h := start(t, t.TempDir(), catalog.Options{Disks: disks})
	disks <- []catalog.Disk{{ID: "x", Label: "x", Path: mount}}
	if st := h.until(t, "scan", present); st.Music != 10 {
		t.Errorf("%d items, want 10", st.Music)
	}
}

// TestDiskVanishesDuringScan pulls a disk out again and again while it is scanned: nothing that was known is lost, and
// in the end all of it is there.
func TestDiskVanishesDuringScan(t *testing.T) {
	const songs = 600
	mount := library(t, songs)
	disks := make(fakeDisks)
	stick := []catalog.Disk{{ID: "1234-ABCD", Label: "STICK", Path: mount}}
	h := start(t, t.TempDir(), catalog.Options{Disks: disks})
	known := 0
	for range 15 {
		disks <- stick
		disks <- []catalog.Disk{}
		st := h.until(t, "away", away)
		if st.Roots[0].Items < known {
			t.Fatalf("%d items, %d were known", st.Roots[0].Items, known)
		}
		known = st.Roots[0].Items
	}
	disks <- stick
	h.until(t, "all", func(st api.Status) bool { return present(st) && st.Music == songs })
}
