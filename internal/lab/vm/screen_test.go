//go:build vm

package vm

import (
	"image"
	"image/color"
	"testing"

	"manofwar/internal/lab"
)

// TestTheDongleHasAScreen boots everyone's image with a television, pulls its plug, and puts it into another one.
func TestTheDongleHasAScreen(t *testing.T) {
	m := booted(t, lab.Config{Board: amd64, Memory: 768, Screen: new(lab.Screen)})
	awaitPicture(t, m, "the player draws", image.Pt(1280, 720))
	must(t, m.UnplugScreen(t.Context()))
	must(t, m.PlugScreen(t.Context(), lab.Screen{Width: 1024, Height: 768}))
	awaitPicture(t, m, "the player draws on another screen", image.Pt(1024, 768))
	s := await(t, m, "all services are well", allReady)
	if p := s.service("player"); p.Restarts > 0 {
		t.Errorf("the player was restarted %d times: %s", p.Restarts, p.Reason)
	}
}

// awaitPicture waits until the screen has that size and a picture with more colours than the kernel's console.
func awaitPicture(t *testing.T, m *lab.Machine, what string, size image.Point) {
	t.Helper()
	must(t, m.Await(t.Context(), what, func() bool {
		img, err := m.Screendump(t.Context())
		return err == nil && img.Bounds().Size() == size && colours(img) > 32
	}))
}

// colours counts those of a picture, of every fourth pixel.
func colours(img image.Image) int {
	seen := make(map[color.Color]bool)
	for y := img.Bounds().Min.Y; y < img.Bounds().Max.Y; y += 2 {
		for x := img.Bounds().Min.X; x < img.Bounds().Max.X; x += 2 {
			seen[img.At(x, y)] = true
		}
	}
	return len(seen)
}
