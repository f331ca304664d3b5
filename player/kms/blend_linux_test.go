package kms

import (
	"bytes"
	"image"
	"image/color"
	"math/rand/v2"
	"testing"

	"manofwar/player"
	"manofwar/player/kms/drm"
)

// newMemory returns a picture in Go's memory, filled with noise.
func newMemory(width, height int) *buffer {
	b := &buffer{format: player.XRGB8888, width: width, height: height, memory: &drm.Memory{Pitch: 4*width + 64}}
	b.memory.Data = make([]byte, b.memory.Pitch*height)
	noise := rand.NewChaCha8([32]byte{1})
	_, _ = noise.Read(b.memory.Data)
	return b
}

func TestLayRoundsAsItShould(t *testing.T) {
	for under := range 256 {
		for alpha := range 256 {
			for _, colour := range []int{0, alpha / 2, alpha} {
				to := []byte{byte(under), byte(255 - under), byte(under), 9}
				lay(to, []byte{byte(colour), byte(colour), byte(colour), byte(alpha)})
				below := func(v int) byte { return byte(colour + (v*(255-alpha)*2+255)/510) }
				if want := []byte{below(under), below(255 - under), below(under)}; !bytes.Equal(to[:3], want) {
					t.Fatalf("%d below %d of alpha %d: got %v, want %v", under, colour, alpha, to[:3], want)
				}
			}
		}
	}
}

func TestBlendTakesBackWhatItCovered(t *testing.T) {
	b := newMemory(64, 48)
	before := bytes.Clone(b.memory.Data)
	var last []byte
	for i, at := range []image.Point{{0, 0}, {10, 10}, {12, 14}, {-8, 30}, {50, 40}, {200, 200}} {
		over := newOverlay(noisy(20, 16), at)
		b.blend(over)
		got := bytes.Clone(b.memory.Data)
		b.blend(over)
		if !bytes.Equal(got, b.memory.Data) {
			t.Errorf("%d: blending the same again is another picture", i)
		}
		fresh := newMemory(64, 48)
		fresh.blend(over)
		if !bytes.Equal(got, fresh.memory.Data) {
			t.Errorf("%d: something is left of what was at the place before", i)
		}
		if bytes.Equal(got, last) {
			t.Errorf("%d: nothing has changed", i)
		}
		last = got
	}
	b.blend(nil)
	if !bytes.Equal(b.memory.Data, before) {
		t.Error("the picture is not what it was")
	}
}

// noisy is an image of all kinds of pixels.
func noisy(w, h int) *image.RGBA {
	img := image.NewRGBA(image.Rect(3, 5, 3+w, 5+h))
	r := rand.New(rand.NewPCG(2, 3))
	for y := img.Rect.Min.Y; y < img.Rect.Max.Y; y++ {
		for x := img.Rect.Min.X; x < img.Rect.Max.X; x++ {
			img.Set(x, y, color.NRGBA{byte(r.Uint32()), byte(r.Uint32()), byte(r.Uint32()), byte(r.Uint32())})
		}
	}
	return img
}

func TestNewOverlayLeavesOutWhatIsTransparent(t *testing.T) {
	img := image.NewRGBA(image.Rect(-4, -4, 60, 60))
	if o := newOverlay(img, image.Pt(5, 5)); o != nil {
		t.Errorf("got %+v of nothing", o.rect)
	}
	img.SetRGBA(10, 20, color.RGBA{1, 2, 3, 4})
	img.SetRGBA(12, 22, color.RGBA{5, 6, 7, 8})
	o := newOverlay(img, image.Pt(100, 200))
	if want := image.Rect(114, 224, 117, 227); o.rect != want {
		t.Fatalf("got %v, want %v", o.rect, want)
	}
	if got := o.row(224, 114, 115); !bytes.Equal(got, []byte{3, 2, 1, 4}) {
		t.Errorf("got %v", got)
	}
	if got := o.row(226, 116, 117); !bytes.Equal(got, []byte{7, 6, 5, 8}) {
		t.Errorf("got %v", got)
	}
}

// BenchmarkBlend is a menu along the lower edge of 1080p, put in and taken out.
func BenchmarkBlend(b *testing.B) {
	picture, over := newMemory(1920, 1080), newOverlay(noisy(1920, 240), image.Pt(0, 820))
	for b.Loop() {
		picture.blend(over)
		picture.blend(nil)
	}
}

// TestRunsAreLaidLikePixels holds lines of shades, letters and nothing to laying each pixel by itself, wherever they are cut off.
func TestRunsAreLaidLikePixels(t *testing.T) {
	r := rand.New(rand.NewPCG(4, 5))
	img := image.NewRGBA(image.Rect(0, 0, 301, 40))
	for y := range 40 {
		for x := 0; x < 301; {
			colour := color.NRGBA{byte(r.Uint32()), byte(r.Uint32()), byte(r.Uint32()), []byte{0, 255, 219, byte(r.Uint32())}[r.IntN(4)]}
			for n := 1 + r.IntN(80)*r.IntN(2); n > 0 && x < 301; n-- {
				img.Set(x, y, colour)
				x++
			}
		}
	}
	o := newOverlay(img, image.Pt(7, 9))
	for y := o.rect.Min.Y; y < o.rect.Max.Y; y++ {
		x0 := o.rect.Min.X + r.IntN(100)
		x1 := x0 + r.IntN(o.rect.Max.X-x0)
		got := newMemory(x1-x0, 1).memory.Data[:4*(x1-x0)]
		want := bytes.Clone(got)
		o.lay(got, y, x0, x1)
		from := o.row(y, x0, x1)
		for i := 0; i < len(want); i += 4 {
			lay(want[i:i+4], from[i:i+4])
		}
		if !bytes.Equal(got, want) {
			t.Fatalf("line %d from %d to %d is not what its pixels are: %v", y, x0, x1, o.runs[y-o.rect.Min.Y])
		}
	}
}
