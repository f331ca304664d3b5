package player

import (
	"image"
	"testing"

	"manofwar/internal/media"
)

var fullHD = Mode{Width: 1920, Height: 1080, Refresh: 60}

func TestFit(t *testing.T) {
	for _, c := range []struct {
		name   string
		mode   Mode
		scales bool
		frame  image.Point
		aspect float64
		want   image.Rectangle
	}{
		{"the same shape", fullHD, true, image.Pt(1280, 720), 16. / 9, image.Rect(0, 0, 1920, 1080)},
		{"letter box", fullHD, true, image.Pt(1920, 800), 2.4, image.Rect(0, 140, 1920, 940)},
		{"pillar box", fullHD, true, image.Pt(768, 576), 4. / 3, image.Rect(240, 0, 1680, 1080)},
		{"anamorphic", fullHD, true, image.Pt(720, 576), 16. / 9, image.Rect(0, 0, 1920, 1080)},
		{"no aspect is known", fullHD, true, image.Pt(400, 400), 0, image.Rect(420, 0, 1500, 1080)},
		{"a strange one", fullHD, true, image.Pt(400, 400), 1e9, image.Rect(420, 0, 1500, 1080)},
		{"pixel by pixel", fullHD, false, image.Pt(1440, 1080), 4. / 3, image.Rect(240, 0, 1680, 1080)},
		{"an upright screen", Mode{Width: 1080, Height: 1920}, true, image.Pt(1920, 1080), 16. / 9, image.Rect(0, 656, 1080, 1264)},
	} {
		if got := fit(Screen{Mode: c.mode, Scales: c.scales}, c.frame, c.aspect); got != c.want {
			t.Errorf("%s: %v, want %v", c.name, got, c.want)
		}
	}
}

func TestCanvas(t *testing.T) {
	letter, pillar, all := image.Rect(0, 140, 1920, 940), image.Rect(240, 0, 1680, 1080), image.Rect(0, 0, 1920, 1080)
	for _, c := range []struct {
		name           string
		film           image.Rectangle
		stored, canvas image.Point
		want           image.Rectangle
	}{
		{"a DVD of 4:3", pillar, image.Pt(720, 576), image.Pt(720, 576), pillar},
		{"a wide DVD", all, image.Pt(720, 576), image.Pt(720, 576), all},
		{"a Blu-ray without its black", letter, image.Pt(1920, 800), image.Pt(1920, 1080), all},
		{"the same, smaller", letter, image.Pt(1280, 533), image.Pt(1920, 1080), all},
		{"a Blu-ray of 4:3 without its black", pillar, image.Pt(1440, 1080), image.Pt(1920, 1080), all},
		{"nobody knows", letter, image.Point{}, image.Pt(1920, 1080), letter},
	} {
		got := canvas(c.film, c.stored, c.canvas)
		if d := got.Min.Sub(c.want.Min); d.X < -1 || d.X > 1 || d.Y < -1 || d.Y > 1 || got.Dy()-c.want.Dy() > 2 || c.want.Dy()-got.Dy() > 2 || got.Dx() != c.want.Dx() {
			t.Errorf("%s: %v, want %v", c.name, got, c.want)
		}
	}
}

func TestDecodeSize(t *testing.T) {
	for _, c := range []struct {
		name   string
		scales bool
		stored image.Point
		aspect float64
		want   image.Point
	}{
		{"the screen scales", true, image.Pt(1280, 720), 16. / 9, image.Pt(1280, 720)},
		{"odd", true, image.Pt(853, 481), 16. / 9, image.Pt(852, 480)},
		{"anamorphic", true, image.Pt(720, 576), 16. / 9, image.Pt(720, 576)},
		{"larger than the screen", true, image.Pt(3840, 2160), 16. / 9, image.Pt(1920, 1080)},
		{"larger, wide", true, image.Pt(3840, 1600), 2.4, image.Pt(1920, 800)},
		{"the decoder scales", false, image.Pt(720, 576), 4. / 3, image.Pt(1440, 1080)},
	} {
		got := decodeSize(Screen{Mode: fullHD, Scales: c.scales}, media.Stream{Width: c.stored.X, Height: c.stored.Y}, c.aspect)
		if got != c.want {
			t.Errorf("%s: %v, want %v", c.name, got, c.want)
		}
	}
}

func TestModeFor(t *testing.T) {
	mode := func(hz float64) Mode { return Mode{Width: 1920, Height: 1080, Refresh: hz} }
	tv := []Mode{mode(60), mode(60000. / 1001), mode(50), mode(24), mode(24000. / 1001), {Width: 1280, Height: 720, Refresh: 25}, {Width: 1920, Height: 1080, Refresh: 25, Interlaced: true}}
	monitor := []Mode{mode(60), mode(75)}
	for _, c := range []struct {
		name  string
		modes []Mode
		now   float64
		rate  Rational
		want  float64
		worth bool
	}{
		{"cinema", tv, 60, Rational{24, 1}, 24, true},
		{"cinema in America", tv, 60, Rational{24000, 1001}, 24000. / 1001, true},
		{"it is right already", tv, 50, Rational{25, 1}, 50, false},
		{"European television", tv, 60, Rational{25, 1}, 50, true},
		{"fifty", tv, 60000. / 1001, Rational{50, 1}, 50, true},
		{"thirty", tv, 60, Rational{30, 1}, 60, false},
		{"American television", tv, 60, Rational{30000, 1001}, 60000. / 1001, true},
		{"nearly is as good as it gets", monitor, 60, Rational{30000, 1001}, 60, false},
		{"nothing suits", monitor, 60, Rational{24, 1}, 60, false},
		{"unknown", tv, 60, Rational{}, 60, false},
	} {
		got, worth := modeFor(Screen{Mode: mode(c.now), Modes: c.modes}, c.rate)
		if got.Refresh != c.want || worth != c.worth || got.Width != 1920 || got.Interlaced {
			t.Errorf("%s: %+v, %v", c.name, got, worth)
		}
	}
}
