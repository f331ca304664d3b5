package playertest

import (
	"errors"
	"image"
	"slices"
	"testing"
	"time"

	"manofwar/player"
)

// Display runs the cases for displays. new opens the one under test, which has a screen; each case closes its own.
func Display(t *testing.T, new func(t *testing.T) player.Display) { DisplayIn(t, Real, new) }

// DisplayIn is Display in the time of a clock.
func DisplayIn(t *testing.T, clock Clock, new func(t *testing.T) player.Display) {
	for _, c := range []struct {
		name string
		run  func(*testing.T, player.Display)
	}{
		{"the screen is described", describesScreen},
		{"frames have the shape of their format", shapesFrames},
		{"strange forms are refused", refusesForms},
		{"show tells when", tellsWhen},
		{"pictures have a place", places},
		{"a frame is kept while it is visible", keepsVisible},
		{"an overlay comes and goes", overlays},
		{"modes change", changesModes},
		{"the plug is pulled", survivesUnplug},
	} {
		t.Run(c.name, func(t *testing.T) {
			clock(t, func(t *testing.T) {
				d := new(t)
				defer func() {
					if err := d.Close(); err != nil {
						t.Errorf("close: %v", err)
					}
				}()
				c.run(t, d)
			})
		})
	}
}

// screen returns the connected one.
func screen(t *testing.T, d player.Display) player.Screen {
	t.Helper()
	s, ok := d.Screen()
	if !ok {
		t.Fatal("no screen is connected")
	}
	return s
}

// full is the whole of a mode.
func full(m player.Mode) image.Rectangle { return image.Rect(0, 0, m.Width, m.Height) }

// frame returns one that is filled with one byte.
func frame(t *testing.T, d player.Display, f player.Format, w, h int, fill byte) *player.Frame {
	t.Helper()
	fr, err := d.NewFrame(f, w, h)
	if err != nil {
		t.Fatalf("new frame %x of %d × %d: %v", f, w, h, err)
	}
	for _, p := range fr.Planes {
		for i := range p.Data {
			p.Data[i] = fill
		}
	}
	return fr
}

func describesScreen(t *testing.T, d player.Display) {
	s := screen(t, d)
	preferred := 0
	for _, m := range s.Modes {
		if m.Width <= 0 || m.Height <= 0 || m.Refresh < 10 || m.Refresh > 1000 {
			t.Errorf("mode %+v", m)
		}
		if m.Preferred {
			preferred++
		}
	}
	if !slices.Contains(s.Modes, s.Mode) || preferred > 1 || s.Connector == "" || len(s.Formats) == 0 {
		t.Errorf("got %+v", s)
	}
}

func shapesFrames(t *testing.T, d player.Display) {
	s := screen(t, d)
	lines := map[player.Format][]struct{ width, height int }{ // bytes and lines of each plane, for 64 × 32
		player.XRGB8888: {{256, 32}},
		player.YUV420:   {{64, 32}, {32, 16}, {32, 16}},
		player.NV12:     {{64, 32}, {64, 16}},
	}
	for _, f := range append(slices.Clone(s.Formats), player.XRGB8888) {
		for _, n := range []int{1, 5, 20} { // 64 × 32, 320 × 160, 1280 × 640
			fr := frame(t, d, f, 64*n, 32*n, 0x55)
			if fr.Format != f || fr.Width != 64*n || fr.Height != 32*n {
				t.Errorf("got %+v", fr)
			}
			for i, want := range lines[f] {
				p := fr.Planes[i]
				if w, h := want.width*n, want.height*n; p.Pitch < w || len(p.Data) < p.Pitch*(h-1)+w {
					t.Errorf("plane %d of %x at %d × %d: %d bytes, pitch %d", i, f, fr.Width, fr.Height, len(p.Data), p.Pitch)
				}
			}
			for i := len(lines[f]); i < len(fr.Planes); i++ {
				if fr.Planes[i].Data != nil {
					t.Errorf("%x has a plane %d", f, i)
				}
			}
			d.Free(fr)
		}
	}
}

func refusesForms(t *testing.T, d player.Display) {
	for _, c := range []struct {
		format        player.Format
		width, height int
	}{
		{0, 64, 64},
		{player.XRGB8888, 0, 64},
		{player.XRGB8888, 64, -1},
		{player.XRGB8888, 1 << 20, 1 << 20},
	} {
		if f, err := d.NewFrame(c.format, c.width, c.height); err == nil {
			t.Errorf("%+v was taken", c)
			d.Free(f)
		}
	}
	if err := d.SetMode(player.Mode{Width: 123, Height: 45, Refresh: 67}); err == nil {
		t.Error("a mode that the screen does not have was taken")
	}
}

func tellsWhen(t *testing.T, d player.Display) {
	s := screen(t, d)
	m := s.Mode
	frames := [2]*player.Frame{frame(t, d, player.XRGB8888, m.Width, m.Height, 0), frame(t, d, player.XRGB8888, m.Width, m.Height, 0x40)}
	var at []time.Time
	for i := range 13 {
		before := time.Now()
		shown, err := d.Show(frames[i%2], full(m))
		if err != nil {
			t.Fatal(err)
		}
		if shown.Before(before.Add(-time.Second/50)) || shown.After(time.Now().Add(time.Second/50)) {
			t.Errorf("shown at %v of a call that took %v", shown.Sub(before), time.Since(before))
		}
		if i > 0 && shown.Before(at[i-1]) {
			t.Errorf("picture %d was visible before its predecessor", i)
		}
		at = append(at, shown)
	}
	if took := at[12].Sub(at[2]); s.VBlank {
		if want := time.Duration(10 / m.Refresh * float64(time.Second)); took < want*9/10 || took > want+late {
			t.Errorf("ten pictures took %v, want %v", took, want)
		}
	}
	black := frame(t, d, player.XRGB8888, m.Width, m.Height, 0)
	if _, err := d.Show(black, full(m)); err != nil {
		t.Error(err)
	}
	d.Free(frames[0])
	d.Free(frames[1])
}

func places(t *testing.T, d player.Display) {
	s := screen(t, d)
	m := s.Mode
	for _, f := range s.Formats {
		w, h := m.Width/4&^1, m.Height/4&^1
		fr := frame(t, d, f, w, h, 0x80)
		at := image.Rect(m.Width/8, m.Height/8, m.Width/8+w, m.Height/8+h)
		if _, err := d.Show(fr, at); err != nil {
			t.Errorf("%x at %v: %v", f, at, err)
		}
		wide := image.Rect(0, m.Height/8, m.Width, m.Height*7/8) // as between the bars of a letter box
		if _, err := d.Show(fr, wide); s.Scales && err != nil {
			t.Errorf("%x scaled to %v: %v", f, wide, err)
		} else if !s.Scales && err == nil {
			t.Errorf("%x was shown at %v by a screen that does not scale", f, wide)
		}
		next := frame(t, d, player.XRGB8888, m.Width, m.Height, 0)
		if _, err := d.Show(next, full(m)); err != nil {
			t.Fatal(err)
		}
		d.Free(fr)
	}
}

func keepsVisible(t *testing.T, d player.Display) {
	m := screen(t, d).Mode
	a, b := frame(t, d, player.XRGB8888, m.Width, m.Height, 0x20), frame(t, d, player.XRGB8888, m.Width, m.Height, 0x60)
	if _, err := d.Show(a, full(m)); err != nil {
		t.Fatal(err)
	}
	freed := make(chan struct{})
	go func() {
		defer close(freed)
		d.Free(a)
	}()
	select {
	case <-freed:
		t.Error("the visible frame was freed")
	case <-time.After(100 * time.Millisecond):
	}
	if _, err := d.Show(b, full(m)); err != nil {
		t.Fatal(err)
	}
	select {
	case <-freed:
	case <-time.After(5 * time.Second):
		t.Error("the frame is not freed although another one is visible")
	}
}

func overlays(t *testing.T, d player.Display) {
	m := screen(t, d).Mode
	fr := frame(t, d, player.XRGB8888, m.Width, m.Height, 0x20)
	if _, err := d.Show(fr, full(m)); err != nil {
		t.Fatal(err)
	}
	img := image.NewRGBA(image.Rect(0, 0, m.Width/2, 64))
	for i := range img.Pix {
		img.Pix[i] = 0x80
	}
	sub := img.SubImage(image.Rect(8, 8, 40, 40)).(*image.RGBA)
	for _, c := range []struct {
		img *image.RGBA
		at  image.Point
	}{
		{img, image.Pt(0, m.Height-64)},
		{img, image.Pt(m.Width/4, m.Height/2)},
		{img, image.Pt(m.Width*3/4, m.Height-32)}, // partly beyond the edge
		{sub, image.Pt(10, 10)},
		{nil, image.Point{}},
		{nil, image.Point{}},
		{image.NewRGBA(full(m)), image.Point{}},
		{nil, image.Point{}},
	} {
		if err := d.Overlay(c.img, c.at); err != nil {
			t.Errorf("overlay at %v: %v", c.at, err)
		}
		if _, err := d.Show(fr, full(m)); err != nil {
			t.Errorf("show below an overlay: %v", err)
		}
	}
}

func changesModes(t *testing.T, d player.Display) {
	first := screen(t, d)
	for _, m := range first.Modes[:min(len(first.Modes), 3)] {
		if err := d.SetMode(m); err != nil {
			t.Errorf("set mode %+v: %v", m, err)
			continue
		}
		if got := screen(t, d).Mode; got.Width != m.Width || got.Height != m.Height || got.Refresh != m.Refresh {
			t.Errorf("in mode %+v instead of %+v", got, m)
		}
		fr := frame(t, d, player.XRGB8888, m.Width, m.Height, 0x30)
		if _, err := d.Show(fr, full(m)); err != nil {
			t.Errorf("show in mode %+v: %v", m, err)
		}
	}
	if err := d.SetMode(first.Mode); err != nil {
		t.Error(err)
	}
}

func survivesUnplug(t *testing.T, d player.Display) {
	s := screen(t, d)
	fr := frame(t, d, s.Formats[0], 320, 180, 0x30)
	show := func() error {
		_, err := d.Show(fr, image.Rect(0, 0, 320, 180))
		return err
	}
	if err := show(); err != nil {
		t.Fatal(err)
	}
	plug := pull(t, d)
	told(t, d.Changed())
	await(t, "the screen is gone", 5*time.Second, func() bool {
		_, ok := d.Screen()
		return !ok
	})
	if err := show(); !errors.Is(err, player.ErrGone) {
		t.Errorf("show without a screen: %v", err)
	}
	if err := d.SetMode(s.Mode); !errors.Is(err, player.ErrGone) {
		t.Errorf("set mode without a screen: %v", err)
	}
	plug.Plug()
	told(t, d.Changed())
	await(t, "the screen is back", 5*time.Second, func() bool {
		_, ok := d.Screen()
		return ok
	})
	if err := show(); err != nil {
		t.Errorf("a frame did not outlive the screen's absence: %v", err)
	}
}
