package screen

import (
	"bufio"
	"bytes"
	"encoding/binary"
	"errors"
	"hash/crc32"
	"image"
	"image/color"
	"image/jpeg"
	"image/png"
	"math"
	"os/exec"
	"path/filepath"
	"testing"
)

func encodedPNG(t testing.TB, img image.Image) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := png.Encode(&b, img); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func TestDecodeArt(t *testing.T) {
	wide := cover(300, 100, 20, 200)
	var jpg bytes.Buffer
	if err := jpeg.Encode(&jpg, wide, nil); err != nil {
		t.Fatal(err)
	}
	for name, test := range map[string]struct {
		data []byte
		side int
		want image.Point
	}{
		"png":            {encodedPNG(t, wide), 150, image.Pt(150, 50)},
		"small":          {encodedPNG(t, wide), 4000, image.Pt(300, 100)},
		"jpeg":           {jpg.Bytes(), 90, image.Pt(90, 30)},
		"grey":           {encodedPNG(t, image.NewGray(image.Rect(0, 0, 7, 9))), 3, image.Pt(2, 3)},
		"sixteen":        {encodedPNG(t, image.NewNRGBA64(image.Rect(0, 0, 8, 8))), 4, image.Pt(4, 4)},
		"very narrow":    {encodedPNG(t, image.NewGray(image.Rect(0, 0, 1000, 1))), 10, image.Pt(10, 1)},
		"one pixel":      {encodedPNG(t, image.NewGray(image.Rect(0, 0, 1, 1))), 10, image.Pt(1, 1)},
		"with a profile": {append(jpg.Bytes()[:2:2], append([]byte{0xff, 0xe2, 0, 4, 'x', 'y'}, jpg.Bytes()[2:]...)...), 300, image.Pt(300, 100)},
	} {
		a, err := DecodeArt(bytes.NewReader(test.data), test.side)
		if err != nil {
			t.Errorf("%s: %v", name, err)
		} else if a.pixels.Rect.Size() != test.want {
			t.Errorf("%s: %v, not %v", name, a.pixels.Rect.Size(), test.want)
		}
	}
}

func TestDecodeWebP(t *testing.T) {
	ffmpeg, err := exec.LookPath("ffmpeg")
	if err != nil {
		t.Skip("needs ffmpeg, which makes a WebP: ", err)
	}
	file := filepath.Join(t.TempDir(), "cover.webp")
	out, err := exec.CommandContext(t.Context(), ffmpeg, "-v", "error", "-f", "lavfi", "-i", "testsrc=s=64x48", "-frames:v", "1", file).CombinedOutput()
	if err != nil {
		t.Skipf("this ffmpeg writes no WebP: %v %s", err, out)
	}
	a, err := DecodeArt(bytes.NewReader(readFile(t, file)), 32)
	if err != nil {
		t.Fatal(err)
	}
	if got := a.pixels.Rect.Size(); got != image.Pt(32, 24) {
		t.Errorf("size %v", got)
	}
}

// TestRefuseArt gives pictures that say they are enormous, in few bytes.
func TestRefuseArt(t *testing.T) {
	for name, data := range map[string][]byte{
		"50000 × 50000":        bomb(50000, 50000, 8),
		"6200 × 6200":          bomb(6200, 6200, 8),
		"5000 × 5000, 16 bits": bomb(5000, 5000, 16),
	} {
		if _, err := DecodeArt(bytes.NewReader(data), 600); !errors.Is(err, ErrLarge) {
			t.Errorf("%s: %v", name, err)
		}
	}
	for name, data := range map[string][]byte{"empty": nil, "text": []byte("no picture"), "cut": bomb(8, 8, 8)} {
		if _, err := DecodeArt(bytes.NewReader(data), 600); err == nil || errors.Is(err, ErrLarge) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// bomb is the beginning of a PNG.
func bomb(w, h uint32, depth byte) []byte {
	head := binary.BigEndian.AppendUint32([]byte("IHDR"), w)
	head = binary.BigEndian.AppendUint32(head, h)
	head = append(head, depth, 6, 0, 0, 0)
	out := append([]byte("\x89PNG\r\n\x1a\n\x00\x00\x00\x0d"), head...)
	return binary.BigEndian.AppendUint32(out, crc32.ChecksumIEEE(head))
}

// TestResize shrinks a ramp and a checkerboard: averages must be exact.
func TestResize(t *testing.T) {
	ramp := image.NewGray(image.Rect(10, 20, 10+250, 20+3))
	for x := range 250 {
		for y := range 3 {
			ramp.SetGray(10+x, 20+y, color.Gray{uint8(x)})
		}
	}
	for _, w := range []int{1, 2, 5, 7, 100, 249, 250} {
		got := resize(ramp, ramp.Rect, image.Pt(w, 2))
		for x := range w {
			want := (float64(x)+0.5)*250/float64(w) - 0.5
			if v := got.RGBAAt(x, 1); math.Abs(float64(v.R)-want) > 1 || v.A != 0xff || v.R != v.B {
				t.Fatalf("width %d: pixel %d is %v, not %.1f", w, x, v, want)
			}
		}
	}
}

// TestTint compares with what the page finds: its lib/colour.ts has these cases.
func TestTint(t *testing.T) {
	plain := func(c color.Color) *image.RGBA {
		img := image.NewRGBA(image.Rect(0, 0, 40, 40))
		for i := range 1600 {
			img.Set(i%40, i/40, c)
		}
		return img
	}
	if got := tintOfImage(plain(color.Gray{0x80})); got != (tint{260, 260, 0.012}) {
		t.Errorf("grey: %v", got)
	}
	for name, test := range map[string]struct {
		colour color.Color
		hue    float64
	}{
		"red": {color.RGBA{0xff, 0, 0, 0xff}, 30}, "green": {color.RGBA{0, 0xff, 0, 0xff}, 150}, "blue": {color.RGBA{0, 0, 0xff, 0xff}, 270},
	} {
		if got := tintOfImage(plain(test.colour)); got.hue != test.hue || got.chroma != 0.12 {
			t.Errorf("%s: %v", name, got)
		}
	}
	if got := hash("Café 🎵"); got != 0xaf6fe497 {
		t.Errorf("hash: %#x", got)
	}
}

func TestJPEGCost(t *testing.T) {
	soi := []byte{0xff, 0xd8, 0xff, 0xe0, 0, 4, 1, 2, 0xff, 0xff}
	frame := func(sof byte, factors ...byte) []byte {
		out := append(bytes.Clone(soi), sof, 0, byte(8+3*len(factors)), 8, 0, 1, 0, 1, byte(len(factors)))
		for i, f := range factors {
			out = append(out, byte(i), f, 0)
		}
		return out
	}
	for name, test := range map[string]struct {
		data []byte
		want float64
	}{
		"grey":              {frame(0xc0, 0x11), 1},
		"4:2:0":             {frame(0xc0, 0x22, 0x11, 0x11), 1.5},
		"4:2:0 progressive": {frame(0xc2, 0x22, 0x11, 0x11), 7.5},
		"4:4:4 progressive": {frame(0xc2, 0x11, 0x11, 0x11), 15},
		"four colours":      {frame(0xc0, 0x11, 0x11, 0x11, 0x11), 8},
		"no frame":          {soi, 24},
		"cut":               {frame(0xc2, 0x11, 0x11, 0x11)[:14], 24},
		"nothing":           {nil, 24},
	} {
		if got := jpegCost(bufio.NewReader(bytes.NewReader(test.data))); got != test.want {
			t.Errorf("%s: %v, not %v", name, got, test.want)
		}
	}
}

func FuzzDecodeArt(f *testing.F) {
	var jpg bytes.Buffer
	if err := jpeg.Encode(&jpg, cover(16, 16, 0, 100), nil); err != nil {
		f.Fatal(err)
	}
	f.Add(jpg.Bytes())
	f.Add(encodedPNG(f, cover(16, 16, 0, 100)))
	f.Add([]byte("RIFF\x1a\x00\x00\x00WEBPVP8L\x0d\x00\x00\x00\x2f\x00\x00\x00\x10\x07\x10\x11\x11\x88\x88\xfe\x07\x00"))
	f.Fuzz(func(t *testing.T, data []byte) {
		// Declared sizes are bounded before anything is decoded; a tenth of the bound keeps fuzzing fast.
		if c, _, err := image.DecodeConfig(bytes.NewReader(data)); err == nil && c.Width*c.Height > artPixels/10 {
			t.Skip()
		}
		a, err := DecodeArt(bytes.NewReader(data), 64)
		if err == nil && (a.pixels.Rect.Dx() > 64 || a.pixels.Rect.Dy() > 64 || a.pixels.Rect.Empty()) {
			t.Errorf("size %v", a.pixels.Rect)
		}
	})
}
