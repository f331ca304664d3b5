package screen

import (
	"bytes"
	"flag"
	"image"
	"image/draw"
	"image/png"
	"os"
	"path/filepath"
	"runtime"
	"testing"
)

var (
	update = flag.Bool("update", false, "write the golden pictures anew")
	view   = flag.String("view", "", "write every scene, dithered and whole, to this directory")
)

// flat is no dither: rounding only. Golden pictures are a third as large for it.
var flat = func() (out [8][8]uint8) {
	for y := range out {
		for x := range out[y] {
			out[y][x] = 32
		}
	}
	return out
}()

// TestGolden compares every pixel. They depend on the fonts' version, which is that of the image: see imageFonts.
// Other processors may round a colour otherwise, so that only amd64 is held to them.
func TestGolden(t *testing.T) {
	if runtime.GOARCH != "amd64" {
		t.Skip("golden pictures are those of amd64")
	}
	a := New(imageFonts(t)...)
	a.dither = &flat
	for _, s := range goldenScenes() {
		t.Run(s.name, func(t *testing.T) {
			window := s.window
			if window.Empty() {
				window = image.Rectangle{Max: s.size}
			}
			got := image.NewRGBA(window)
			a.Compose(s.size, noon, s.layers...).Paint(got)
			path := filepath.Join("testdata", s.name+".png")
			if *update {
				writePNG(t, path, got)
				return
			}
			data, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			img, err := png.Decode(bytes.NewReader(data))
			if err != nil {
				t.Fatal(err)
			}
			want := image.NewRGBA(window)
			draw.Draw(want, window, img, img.Bounds().Min, draw.Src)
			if n, at := differing(got, want); n > 0 {
				out := filepath.Join(t.ArtifactDir(), s.name+".png")
				writePNG(t, out, got)
				t.Errorf("%d pixels differ, in %v; see %s (go test -artifacts keeps it)", n, at, out)
			}
		})
	}
}

// TestView writes pictures for people.
func TestView(t *testing.T) {
	if *view == "" {
		t.Skip("-view names no directory")
	}
	a := New(imageFonts(t)...)
	for _, s := range goldenScenes() {
		img := image.NewRGBA(image.Rectangle{Max: s.size})
		a.Compose(s.size, noon, s.layers...).Paint(img)
		writePNG(t, filepath.Join(*view, s.name+".png"), img)
	}
}

// differing counts the pixels that differ, and says where they are.
func differing(a, b *image.RGBA) (n int, at image.Rectangle) {
	if bytes.Equal(a.Pix, b.Pix) {
		return 0, at
	}
	for y := a.Rect.Min.Y; y < a.Rect.Max.Y; y++ {
		for x := a.Rect.Min.X; x < a.Rect.Max.X; x++ {
			if a.RGBAAt(x, y) != b.RGBAAt(x, y) {
				n++
				at = at.Union(image.Rect(x, y, x+1, y+1))
			}
		}
	}
	return n, at
}

func writePNG(t *testing.T, path string, img *image.RGBA) {
	t.Helper()
	var b bytes.Buffer
	if err := (&png.Encoder{CompressionLevel: png.BestCompression}).Encode(&b, img); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, b.Bytes(), 0o666); err != nil {
		t.Fatal(err)
	}
}
