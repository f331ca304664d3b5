//go:build linux && hwsim

package kms

import (
	"fmt"
	"image"
	"image/color"
	"image/draw"
	"testing"
	"time"

	"manofwar/player"
)

// TestPictures shows pictures that the lab compares with what they should be.
func TestPictures(t *testing.T) {
	d := virtioGPU.open(t).Display
	defer d.Close()
	for _, size := range []image.Point{{1280, 720}, {1920, 1080}, {640, 480}} {
		t.Run(fmt.Sprintf("%dx%d", size.X, size.Y), func(t *testing.T) {
			setSize(t, d, size.X, size.Y)
			showPictures(t, d, size)
		})
	}
}

func showPictures(t *testing.T, d *Display, size image.Point) {
	name := func(what string) string { return fmt.Sprintf("look %s-%dx%d", what, size.X, size.Y) }
	show := func(f *player.Frame, dst image.Rectangle) {
		t.Helper()
		if _, err := d.Show(f, dst); err != nil {
			t.Fatal(err)
		}
	}
	over := func(img *image.RGBA, at image.Point) {
		t.Helper()
		if err := d.Overlay(img, at); err != nil {
			t.Fatal(err)
		}
	}
	whole := image.Rectangle{Max: size}
	full := newFrame(t, d, size.X, size.Y)
	pattern(full)
	show(full, whole)
	ask(t, name("pattern"))

	// What lies over the picture comes, moves and goes while the picture stands.
	box := panel(size.X/2, size.Y/8)
	over(box, image.Pt(size.X/4, size.Y*3/4))
	settle(t, d)
	ask(t, name("overlay"))
	over(box, image.Pt(size.X*3/4, size.Y*3/4+10)) // partly beyond the edge, and partly where it was
	settle(t, d)
	ask(t, name("overlay-moved"))
	over(nil, image.Point{})
	settle(t, d)
	ask(t, name("pattern"))

	// Between black bars, with an overlay on the picture and on a bar.
	wide := newFrame(t, d, size.X, size.Y*3/4)
	pattern(wide)
	at := image.Rect(0, size.Y/8, size.X, size.Y/8+size.Y*3/4)
	show(wide, at)
	ask(t, name("letterbox"))
	over(box, image.Pt(size.X/4, size.Y*13/16))
	show(wide, at)
	ask(t, name("letterbox-overlay"))

	// A picture in the middle, larger than the screen on one side, and moved: nothing is left of what was before.
	large := newFrame(t, d, size.X+64, size.Y/2)
	pattern(large)
	over(nil, image.Point{})
	show(large, image.Rect(-32, size.Y/4, size.X+32, size.Y/4+size.Y/2))
	ask(t, name("cropped"))

	// The first frame is as it was, although something was blended into it.
	over(box, image.Pt(10, 10))
	show(full, whole)
	over(nil, image.Point{})
	show(full, whole)
	ask(t, name("pattern"))
	go func() { // it is on the screen: until black is
		d.Free(full)
	}()
	black := newFrame(t, d, size.X, size.Y)
	clear(black.Planes[0].Data)
	show(black, whole)
	d.Free(wide)
	d.Free(large)
}

// settle waits until what lies over the picture was shown without a Show.
func settle(t *testing.T, d *Display) {
	t.Helper()
	for deadline := time.Now().Add(5 * time.Second); ; {
		d.mu.Lock()
		stale := d.stale
		d.mu.Unlock()
		if !stale {
			return
		}
		if time.Now().After(deadline) {
			t.Fatal("an overlay is not shown by itself")
		}
		<-time.After(time.Millisecond)
	}
}

// pattern fills a frame: bars of colours, a ramp of greys, and a line of white along each edge.
func pattern(f *player.Frame) {
	bars := []color.RGBA{
		{255, 255, 255, 255},
		{255, 255, 0, 255},
		{0, 255, 255, 255},
		{0, 255, 0, 255},
		{255, 0, 255, 255},
		{255, 0, 0, 255},
		{0, 0, 255, 255},
		{0, 0, 0, 255},
	}
	for y := range f.Height {
		row := f.Planes[0].Data[y*f.Planes[0].Pitch:][:4*f.Width]
		for x := range f.Width {
			c := bars[x*len(bars)/f.Width]
			if y > f.Height*3/4 {
				grey := byte(x * 255 / (f.Width - 1))
				c = color.RGBA{grey, grey, grey, 255}
			}
			if x == 0 || y == 0 || x == f.Width-1 || y == f.Height-1 {
				c = color.RGBA{255, 255, 255, 255}
			}
			copy(row[4*x:], []byte{c.B, c.G, c.R, 0})
		}
	}
}

// panel is an overlay: half transparent, with an opaque bar in it, and a transparent border.
func panel(w, h int) *image.RGBA {
	img := image.NewRGBA(image.Rect(0, 0, w, h))
	draw.Draw(img, img.Rect.Inset(4), image.NewUniform(color.NRGBA{20, 40, 80, 160}), image.Point{}, draw.Src)
	draw.Draw(img, image.Rect(w/8, h/3, w*5/8, h*2/3), image.NewUniform(color.NRGBA{255, 160, 0, 255}), image.Point{}, draw.Src)
	return img
}

// TestCosts prints what calls cost at 1080p. Where there are blanks, waiting for them is in it.
func TestCosts(t *testing.T) {
	for _, driver := range []driver{virtioGPU, vkms} {
		t.Run(driver.name, func(t *testing.T) { printCosts(t, driver.open(t).Display) })
	}
}

func printCosts(t *testing.T, d *Display) {
	defer d.Close()
	began := time.Now()
	setSize(t, d, 1920, 1080)
	t.Logf("set mode: %v", time.Since(began))
	whole := image.Rect(0, 0, 1920, 1080)
	frames := [2]*player.Frame{newFrame(t, d, 1920, 1080), newFrame(t, d, 1920, 1080)}
	low := [2]*player.Frame{newFrame(t, d, 1920, 800), newFrame(t, d, 1920, 800)}
	measure := func(what string, frames [2]*player.Frame, dst image.Rectangle) {
		const n = 20
		began := time.Now()
		for i := range n {
			if _, err := d.Show(frames[i%2], dst); err != nil {
				t.Fatal(err)
			}
		}
		t.Logf("%s: %v", what, time.Since(began)/n)
	}
	measure("show", frames, whole)
	measure("show between bars", low, image.Rect(0, 140, 1920, 940))
	if err := d.Overlay(panel(1920, 240), image.Pt(0, 800)); err != nil {
		t.Fatal(err)
	}
	measure("show below an overlay of 1920 × 240", frames, whole)
	measure("show between bars, below an overlay", low, image.Rect(0, 140, 1920, 940))
}
