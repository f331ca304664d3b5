package screen

import (
	"image"
	"testing"
	"time"
)

// BenchmarkSecond is what a playing song costs each second: composing, and painting what changed.
func BenchmarkSecond(b *testing.B) {
	a := New(imageFonts(b)...)
	img := image.NewRGBA(image.Rectangle{Max: hd})
	s, at := song(), noon
	before := a.Compose(hd, at, s)
	before.Paint(img)
	pixels := 0
	for b.Loop() {
		at = at.Add(time.Second)
		if at.Sub(noon) > 9*time.Second { // it wanders on every tenth, which is BenchmarkFull's
			at = noon
		}
		p := a.Compose(hd, at, s)
		for _, r := range p.Changes(before) {
			p.Paint(img.SubImage(r).(*image.RGBA))
			pixels += area(r)
		}
		before = p
	}
	b.ReportMetric(float64(pixels)/float64(b.N), "pixels/op")
}

// BenchmarkShelf is what the idle screen costs twice a second.
func BenchmarkShelf(b *testing.B) {
	a := New(imageFonts(b)...)
	img := image.NewRGBA(image.Rectangle{Max: hd})
	s, at := Idle{Language: English, Heading: "New", Fresh: album()}, noon
	before := a.Compose(hd, at, s)
	before.Paint(img)
	for b.Loop() {
		at = at.Add(shelfStep)
		if at.Sub(noon) > 9*time.Second {
			at = noon
		}
		p := a.Compose(hd, at, s)
		for _, r := range p.Changes(before) {
			p.Paint(img.SubImage(r).(*image.RGBA))
		}
		before = p
	}
}

// BenchmarkFull paints whole screens.
func BenchmarkFull(b *testing.B) {
	fonts := imageFonts(b)
	for _, s := range goldenScenes() {
		if s.size != hd && s.size.Y != 2160 {
			continue
		}
		b.Run(s.name, func(b *testing.B) {
			a := New(fonts...)
			img := image.NewRGBA(image.Rectangle{Max: s.size})
			for b.Loop() {
				a.Compose(s.size, noon, s.layers...).Paint(img)
			}
		})
	}
}

// BenchmarkFirst is the first picture of an artist who has nothing yet, fonts neither.
func BenchmarkFirst(b *testing.B) {
	fonts := imageFonts(b)
	img := image.NewRGBA(image.Rectangle{Max: hd})
	for b.Loop() {
		New(fonts...).Compose(hd, noon, song()).Paint(img)
	}
}
