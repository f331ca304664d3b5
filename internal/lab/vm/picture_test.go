//go:build vm

package vm

import (
	"bytes"
	"fmt"
	"image"
	"image/draw"
	"image/png"
	"math"
	"net/http"
	"os"
	"path/filepath"
	"testing"

	"manofwar/internal/lab"
)

// film plays one, looks at its picture, and lets it wait.
func (tv *television) film(t *testing.T) {
	still := tv.media.stillAt(t, 640, 480)
	tv.play(t, filmName)
	tv.await(t, "the film plays", func(s session) bool { return s.State == "playing" && s.Position > 1 })
	tv.until(t, "the film's picture and nothing else", func(img image.Image) bool { return distance(img, still) < 6 })
	tv.set.heard(t, ": IMAGE_VIEW_ON ")
	tv.set.heard(t, ": ACTIVE_SOURCE ")
	tv.control(t, map[string]any{"do": "pause"})
	paused := tv.await(t, "it waits", func(s session) bool { return s.State == "paused" })
	tv.until(t, "where it is", func(img image.Image) bool { return distance(img, still) > 6 })
	tv.control(t, map[string]any{"do": "seek", "to": 20})
	tv.await(t, "it is elsewhere", func(s session) bool { return s.State == "paused" && math.Abs(s.Position-20) < 0.5 })
	tv.control(t, map[string]any{"do": "play"})
	tv.await(t, "it goes on", func(s session) bool { return s.State == "playing" && s.Position > 20.5 })
	if paused.Position < 1 || paused.Position > 599 {
		t.Errorf("it waited at %v", paused.Position)
	}
}

// captions shows the film's subtitles, and takes them away.
func (tv *television) captions(t *testing.T) {
	id := tv.showFilm(t, 200).ID
	show := func(track int) {
		t.Helper()
		tv.post(t, "/api/v1/cast/sessions/"+id+"/change", map[string]any{"subtitle": track})
		at := tv.await(t, "a session", func(session) bool { return true }).Position
		tv.await(t, "the line that tells where it is has gone", func(s session) bool { return s.Position > at+5 })
	}
	show(-1)
	bare, err := tv.Screendump(t.Context())
	must(t, err)
	show(2)
	words := image.Rect(160, 420, 480, 460)
	tv.golden(t, "subtitles", words, 0)
	shown, err := tv.Screendump(t.Context())
	must(t, err)
	if d := distance(crop(shown, words), crop(bare, words)); d < 3 {
		t.Errorf("with words the picture differs by %.2f", d)
	}
	show(-1)
	tv.until(t, "the words are gone", func(img image.Image) bool { return distance(crop(img, words), crop(bare, words)) < 0.5 })
}

// crop returns a part of a picture.
func crop(img image.Image, part image.Rectangle) image.Image {
	out := image.NewRGBA(part)
	draw.Draw(out, part, img, part.Min, draw.Src)
	return out
}

// screens pulls the screen's plug while the film plays, and puts it into others. It plays on.
func (tv *television) screens(t *testing.T) {
	s := tv.showFilm(t, 0)
	must(t, tv.UnplugScreen(t.Context()))
	must(t, tv.Await(t.Context(), "it knows that there is none", func() bool { return tv.settings(t).Display == nil }))
	tv.await(t, "it plays on unseen", func(now session) bool { return now.State == "playing" && now.Position > s.Position+2 })
	for _, size := range []lab.Screen{{Width: 1024, Height: 768}, {Width: 1280, Height: 720}, {Width: 640, Height: 480}} {
		must(t, tv.PlugScreen(t.Context(), size))
		still := tv.media.stillAt(t, size.Width, size.Height)
		var last any
		if err := tv.Await(within(t, patience), fmt.Sprintf("it knows of a screen of %v", size), func() bool {
			d := tv.settings(t).Display
			last = d
			return d != nil && d.Width == size.Width && d.Height == size.Height
		}); err != nil {
			t.Fatalf("%v; it says %+v", err, last)
		}
		tv.until(t, fmt.Sprintf("the film's picture of %v", size), func(img image.Image) bool { return distance(img, still) < 6 })
	}
	if s := tv.await(t, "it plays on", func(s session) bool { return s.State == "playing" }); s.Problem != nil {
		t.Errorf("there was no trouble, but %+v", s.Problem)
	}
}

// settings is the part of the player's settings page that the tests look at.
type settings struct {
	Settings map[string]any
	Display  *struct{ Width, Height int }
	Sound    *struct {
		Card  string
		Cards []struct{ ID, Name string }
	}
}

func (tv *television) settings(t *testing.T) (s settings) {
	t.Helper()
	must(t, tv.Ask(t.Context(), http.MethodGet, "/api/v1/player/settings", nil, &s))
	return s
}

// golden waits until a part of the screen looks as it is kept, wherever up to wander pixels it is: what stands on a screen
// for long is moved a little, lest it burn in. A film's pictures and letters at their edges may differ by a little with who
// scales them; letters that are elsewhere or others may not.
func (tv *television) golden(t *testing.T, name string, part image.Rectangle, wander int) {
	t.Helper()
	file := filepath.Join("testdata", "television-"+name+".png")
	if *update {
		var last image.Image
		tv.until(t, "a screen that stands still", func(img image.Image) bool {
			same := last != nil && distance(img, last) == 0
			last = img
			return same
		})
		must(t, writePNG(file, crop(last, part)))
		return
	}
	data, err := os.ReadFile(file)
	must(t, err)
	want, err := png.Decode(bytes.NewReader(data))
	must(t, err)
	tv.until(t, "the screen is as in "+file, func(img image.Image) bool {
		for x := -wander; x <= wander; x++ {
			for y := -wander; y <= wander; y++ {
				if distance(crop(img, part.Add(image.Pt(x, y))), want) < 1.5 {
					return true
				}
			}
		}
		return false
	})
}

// distance is the mean difference of two pictures of one size, of the channels' 255.
func distance(a, b image.Image) float64 {
	if a.Bounds().Size() != b.Bounds().Size() {
		return 255
	}
	var sum float64
	n := 0
	from, with := a.Bounds().Min, b.Bounds().Min
	for y := 0; y < a.Bounds().Dy(); y += 3 {
		for x := 0; x < a.Bounds().Dx(); x += 3 {
			r, g, bl, _ := a.At(from.X+x, from.Y+y).RGBA()
			r2, g2, bl2, _ := b.At(with.X+x, with.Y+y).RGBA()
			for _, d := range []int{int(r) - int(r2), int(g) - int(g2), int(bl) - int(bl2)} {
				sum += math.Abs(float64(d)) / 257
				n++
			}
		}
	}
	return sum / float64(n)
}
