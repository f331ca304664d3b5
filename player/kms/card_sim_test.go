//go:build linux && hwsim

package kms

import (
	"errors"
	"image"
	"os"
	"path/filepath"
	"testing"

	"manofwar/player"
)

// TestTheCardIsTakenAway takes the driver away from a card while its pictures are shown, and gives it back.
func TestTheCardIsTakenAway(t *testing.T) {
	d := virtioGPU.open(t)
	defer d.Close()
	fr := newFrame(t, d.Display, 320, 180)
	pattern(fr)
	place := image.Rect(8, 8, 328, 188)
	if _, err := d.Show(fr, place); err != nil {
		t.Fatal(err)
	}
	device, err := filepath.EvalSymlinks(filepath.Join("/sys/class/drm", filepath.Base(d.path), "device"))
	if err != nil {
		t.Fatal(err)
	}
	driver, err := filepath.EvalSymlinks(filepath.Join(device, "driver"))
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(driver, "unbind"), []byte(filepath.Base(device)), 0); err != nil {
		t.Fatal(err)
	}
	until(t, d, func(_ player.Screen, ok bool) bool { return !ok })
	if _, err := d.Show(fr, place); !errors.Is(err, player.ErrGone) {
		t.Errorf("show without a card: %v", err)
	}
	if err := os.WriteFile(filepath.Join(driver, "bind"), []byte(filepath.Base(device)), 0); err != nil {
		t.Fatal(err)
	}
	// It has another number now.
	if err := os.Symlink(virtioGPU.card(t), filepath.Join(d.dir, "card1")); err != nil {
		t.Fatal(err)
	}
	until(t, d, func(_ player.Screen, ok bool) bool { return ok })
	if _, err := d.Show(fr, place); err != nil {
		t.Errorf("a frame did not outlive its card: %v", err)
	}
}
