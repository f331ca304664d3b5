//go:build linux && hwsim

package kms

import (
	"context"
	"image"
	"image/color"
	"image/draw"
	"math"
	"testing"
	"time"

	"manofwar/internal/lab/guest"
	"manofwar/player"
)

// TestShowsAtBlanks shows pictures as fast as they are taken: each is on the screen at a vertical blank, and the times of
// those lie whole periods apart.
func TestShowsAtBlanks(t *testing.T) {
	d := vkms.open(t)
	defer d.Close()
	setSize(t, d.Display, 640, 480)
	s, _ := d.Screen()
	if !s.VBlank {
		t.Fatalf("got %+v", s)
	}
	period := time.Duration(float64(time.Second) / s.Mode.Refresh)
	frames := [2]*player.Frame{newFrame(t, d.Display, 640, 480), newFrame(t, d.Display, 640, 480)}
	var last time.Time
	for i := range 60 {
		at, err := d.Show(frames[i%2], bounds(s.Mode))
		if err != nil {
			t.Fatal(err)
		}
		if late := time.Since(at); late < 0 {
			t.Errorf("picture %d is on the screen %v from now", i, -late)
		}
		if i > 0 {
			periods := float64(at.Sub(last)) / float64(period)
			if n := math.Round(periods); n < 1 || math.Abs(periods-n) > 0.02 {
				t.Errorf("picture %d came %.3f periods after its predecessor", i, periods)
			}
		}
		last = at
	}
}

// TestAPlaneAboveIsSeenAsIfPainted compares what the kernel says of the whole screen: a picture below an overlay on its own
// plane, and one into which the same was painted. The overlay is opaque where it is not transparent: the kernel blends
// with other roundings.
func TestAPlaneAboveIsSeenAsIfPainted(t *testing.T) {
	d := vkms.open(t)
	defer d.Close()
	setSize(t, d.Display, 640, 480)
	if d.out.base.overlay < 0 {
		t.Fatal("no plane is above the picture")
	}
	sum := sums(t, d.path)
	sum(t) // of black
	whole := image.Rect(0, 0, 640, 480)
	img := image.NewRGBA(image.Rect(0, 0, 200, 100))
	draw.Draw(img, image.Rect(10, 20, 150, 90), image.NewUniform(color.RGBA{200, 100, 50, 255}), image.Point{}, draw.Src)
	img.SetRGBA(180, 50, color.RGBA{1, 2, 3, 255})

	plain, painted := newFrame(t, d.Display, 640, 480), newFrame(t, d.Display, 640, 480)
	pattern(plain)
	pattern(painted)
	seen := make(map[string]string)
	for _, step := range []struct {
		what string
		over *image.RGBA
		at   image.Point
		show *player.Frame
	}{
		{"plain", nil, image.Point{}, plain},
		{"above", img, image.Pt(300, 200), plain},
		{"moved", img, image.Pt(560, 430), plain},
		{"away", nil, image.Point{}, plain},
		{"painted", nil, image.Point{}, painted},
		{"painted moved", nil, image.Point{}, nil},
	} {
		if err := d.Overlay(step.over, step.at); err != nil {
			t.Fatal(err)
		}
		f := step.show
		switch step.what {
		case "painted":
			paint(painted, img, image.Pt(300, 200))
		case "painted moved":
			f = newFrame(t, d.Display, 640, 480)
			pattern(f)
			paint(f, img, image.Pt(560, 430))
		}
		if _, err := d.Show(f, whole); err != nil {
			t.Fatal(err)
		}
		seen[step.what] = sum(t)
	}
	if seen["plain"] != seen["away"] || seen["above"] != seen["painted"] || seen["moved"] != seen["painted moved"] {
		t.Errorf("planes and paint differ: %v", seen)
	}
}

// paint draws what is opaque of an image into a frame.
func paint(f *player.Frame, img *image.RGBA, at image.Point) {
	for y := range img.Rect.Dy() {
		for x := range img.Rect.Dx() {
			c := img.RGBAAt(x, y)
			if p := image.Pt(x, y).Add(at); c.A == 255 && p.X < f.Width && p.Y < f.Height {
				copy(f.Planes[0].Data[p.Y*f.Planes[0].Pitch+4*p.X:], []byte{c.B, c.G, c.R})
			}
		}
	}
}

// sums returns a function that waits until the card shows another picture than when it was called last, and returns the
// checksum of the new one.
func sums(t *testing.T, path string) func(*testing.T) string {
	t.Helper()
	sums, err := guest.NewChecksums(path)
	if err != nil {
		t.Fatal(err)
	}
	return func(t *testing.T) string {
		t.Helper()
		ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
		defer cancel()
		sum, err := sums.Next(ctx)
		if err != nil {
			t.Fatal(err)
		}
		return sum
	}
}
