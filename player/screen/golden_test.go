package screen

import (
	"flag"
	"image"
	"image/png"
	"os"
	"path/filepath"
	"testing"
)

var (
	view = flag.String("view", "", "write every golden scene in full size to this directory")
)

func TestView(t *testing.T) {
	if *view == "" {
		t.Skip("-view names no directory")
	}
	a := New(imageFonts(t)...)
	for _, s := range goldenScenes() {
		img := image.NewRGBA(image.Rectangle{Max: s.size})
		a.Compose(s.size, noon, s.layers...).Paint(img)
		f, err := os.Create(filepath.Join(*view, s.name+".png"))
		if err != nil {
			t.Fatal(err)
		}
		if err := (&png.Encoder{CompressionLevel: png.BestSpeed}).Encode(f, img); err != nil {
			t.Fatal(err)
		}
		f.Close()
	}
}
