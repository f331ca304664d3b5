package kms

import (
	"bytes"
	"errors"
	"fmt"
	"image"
	"log/slog"
	"os"
	"slices"
	"testing"

	"manofwar/player"
	"manofwar/player/kms/drm"
)

func TestNothingIsLost(t *testing.T) {
	for _, h := range everyHardware {
		r := newRig(t, h)
		for i := range 3 {
			s, _ := r.Screen()
			if err := r.SetMode(s.Modes[i%len(s.Modes)]); err != nil {
				t.Fatal(err)
			}
			s, _ = r.Screen()
			whole := bounds(s.Mode)
			full, small := r.fill(t, player.XRGB8888, whole.Max, 1), r.fill(t, player.XRGB8888, image.Pt(64, 64), 2)
			video := r.fill(t, s.Formats[0], image.Pt(96, 80), 3)
			r.lay(t, noisy(40, 40+i*20), image.Pt(5, 5))
			r.show(t, full, whole)
			r.show(t, small, image.Rect(3, 3, 67, 67))
			r.show(t, video, image.Rect(3, 3, 99, 83))
			r.lay(t, noisy(60, 20), image.Pt(9, 9))
			r.show(t, full, whole)
			for _, f := range []*player.Frame{small, video} {
				r.Free(f)
				r.Free(f)
			}
			if i == 1 {
				r.Unplug()
				r.Plug()
			}
			gone := make(chan struct{})
			go func() { r.Free(full); close(gone) }()
			r.Unplug()
			<-gone
			r.Plug()
		}
		if err := r.Close(); err != nil {
			t.Error(err)
		}
		if lost := r.card.leaks(); lost != "" {
			t.Errorf("%s: %s were not given back", h.name, lost)
		}
	}
}

func TestImport(t *testing.T) {
	r := newRig(t, broadcom)
	f, err := os.Open(os.DevNull)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	const modifier = 0x0700000000000004 // columns of the Raspberry Pi's decoder
	fr, err := r.Import(player.Imported{
		Format: player.NV12, Width: 1920, Height: 1080, Modifier: modifier,
		Planes: []player.ImportedPlane{{File: f, Pitch: 1920}, {File: f, Pitch: 1920, Offset: 1920 * 1088}},
	})
	if err != nil {
		t.Fatal(err)
	}
	r.show(t, fr, image.Rect(0, 0, 320, 180))
	got := r.card.layouts()[0].buffer
	handle := uint32(10_000 + f.Fd())
	want := []drm.FramebufferPlane{{Handle: handle, Pitch: 1920}, {Handle: handle, Pitch: 1920, Offset: 1920 * 1088}}
	if !slices.Equal(got.Planes, want) || got.Modifier != modifier || !got.Explicit || got.Width != 1920 || got.Format != uint32(player.NV12) {
		t.Errorf("got %+v, want %+v", got, want)
	}
	if fr.Planes[0].Data != nil {
		t.Error("the frame has data")
	}
	if len(r.card.imports) > 0 {
		t.Error("the handle was not given back")
	}
	for _, p := range []player.Imported{
		{Format: player.NV12, Width: 64, Height: 64, Planes: []player.ImportedPlane{{File: f, Pitch: 64}}},
		{Format: player.NV12, Width: 63, Height: 64, Planes: make([]player.ImportedPlane, 2)},
		{Format: 1, Width: 64, Height: 64},
	} {
		if _, err := r.Import(p); !errors.Is(err, player.ErrFormat) {
			t.Errorf("%+v: %v", p, err)
		}
	}

	// With a plane above alone it can be shown only as large as the screen.
	r = newRig(t, menu)
	fr, err = r.Import(player.Imported{Format: player.XRGB8888, Width: 320, Height: 180, Planes: []player.ImportedPlane{{File: f, Pitch: 1280}}})
	if err != nil {
		t.Fatal(err)
	}
	r.show(t, fr, image.Rect(0, 0, 320, 180))
	if _, err := r.Show(fr, image.Rect(1, 0, 321, 180)); !errors.Is(err, player.ErrFormat) {
		t.Errorf("got %v", err)
	}

	// Without planes it cannot be shown: what lies over it would be painted into it.
	r = newRig(t, virtual)
	fr, err = r.Import(player.Imported{Format: player.XRGB8888, Width: 320, Height: 180, Planes: []player.ImportedPlane{{File: f, Pitch: 1280}}})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := r.Show(fr, image.Rect(0, 0, 320, 180)); !errors.Is(err, player.ErrFormat) {
		t.Errorf("got %v", err)
	}
}

func TestNoCardAtFirst(t *testing.T) {
	c := newSimulated(virtual)
	problem := fmt.Errorf("not allowed to use the screen: %w", os.ErrPermission)
	there := false
	d := begin(slog.New(slog.DiscardHandler), nil, func() (card, error) {
		if !there {
			return nil, problem
		}
		return c, nil
	})
	defer d.Close()
	if _, ok := d.Screen(); ok || !errors.Is(d.Problem(), os.ErrPermission) {
		t.Errorf("got %v", d.Problem())
	}
	if _, err := d.NewFrame(player.XRGB8888, 64, 64); !errors.Is(err, player.ErrGone) {
		t.Errorf("new frame: %v", err)
	}
	if err := d.Overlay(image.NewRGBA(image.Rect(0, 0, 1, 1)), image.Point{}); !errors.Is(err, player.ErrGone) {
		t.Errorf("overlay: %v", err)
	}
	d.mu.Lock()
	there = true
	d.mu.Unlock()
	d.look(true)
	select {
	case <-d.Changed():
	default:
		t.Error("Changed did not receive")
	}
	if _, ok := d.Screen(); !ok || d.Problem() != nil {
		t.Errorf("no screen, %v", d.Problem())
	}
}

func TestFramesOutliveTheirCard(t *testing.T) {
	for _, h := range everyHardware {
		first, second := newSimulated(h), newSimulated(h)
		now := first
		d := begin(slog.New(slog.DiscardHandler), nil, func() (card, error) {
			if now == nil {
				return nil, errNoCard
			}
			return now, nil
		})
		r := rig{d, first}
		whole := image.Rect(0, 0, 320, 180)
		s, _ := r.Screen()
		full, video := r.fill(t, player.XRGB8888, whole.Max, 1), r.fill(t, s.Formats[0], image.Pt(100, 60), 5)
		place := image.Rect(20, 20, 120, 80)
		var want [2][]layout
		r.lay(t, noisy(50, 30), image.Pt(5, 5))
		r.show(t, video, place)
		want[0] = first.layouts()
		r.show(t, full, whole)
		want[1] = first.layouts()
		picture := first.picture()

		first.mu.Lock()
		first.gone = true
		first.mu.Unlock()
		d.mu.Lock()
		now = nil
		d.mu.Unlock()
		if _, err := r.Show(full, whole); !errors.Is(err, player.ErrGone) {
			t.Errorf("%s: show: %v", h.name, err)
		}
		r.look(true)
		if _, ok := r.Screen(); ok {
			t.Errorf("%s: there is a screen without a card", h.name)
		}
		if _, err := r.NewFrame(player.XRGB8888, 64, 64); !errors.Is(err, player.ErrGone) {
			t.Errorf("%s: new frame: %v", h.name, err)
		}
		d.mu.Lock()
		now = second
		d.mu.Unlock()
		r.look(true)
		r.card = second
		for i, f := range []*player.Frame{video, full} {
			r.show(t, f, []image.Rectangle{place, whole}[i])
			got := second.layouts()
			if !slices.Equal(planesOf(got), planesOf(want[i])) || got[len(got)-1].dst != want[i][len(got)-1].dst {
				t.Errorf("%s: got %+v, want %+v", h.name, got, want[i])
			}
		}
		if !bytes.Equal(second.picture().Pix, picture.Pix) {
			t.Errorf("%s: the picture is another on the new card", h.name)
		}
		r.Free(video)
		r.Unplug()
		r.Free(full)
		if err := d.Close(); err != nil {
			t.Error(err)
		}
		if lost := second.leaks() + first.leaks(); lost != "" {
			t.Errorf("%s: %s were not given back", h.name, lost)
		}
	}
}
