package kms

import (
	"image"
	"log/slog"
	"testing"
	"time"

	"manofwar/player"
)

// rig is a display on a simulated card, whose plug can be pulled.
type rig struct {
	*Display
	card *simulated
}

func newRig(t *testing.T, h hardware) rig {
	t.Helper()
	c := newSimulated(h)
	d := begin(slog.New(slog.NewTextHandler(t.Output(), nil)), nil, func() (card, error) { return c, nil })
	t.Cleanup(func() {
		if err := d.Close(); err != nil {
			t.Error(err)
		}
	})
	return rig{d, c}
}

func (r rig) connect(yes bool) {
	r.card.mu.Lock()
	r.card.connected = yes
	r.card.mu.Unlock()
	r.look(true)
}

// Unplug implements [playertest.Plug].
func (r rig) Unplug() { r.connect(false) }

// Plug implements [playertest.Plug].
func (r rig) Plug() { r.connect(true) }

// fill returns a frame of noise, for small frames in XRGB.
func (r rig) fill(t *testing.T, f player.Format, size image.Point, seed byte) *player.Frame {
	t.Helper()
	fr, err := r.NewFrame(f, size.X, size.Y)
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range fr.Planes {
		for i := range p.Data {
			p.Data[i] = byte(i)*7 ^ byte(i>>8) ^ seed
		}
	}
	return fr
}

func (r rig) show(t *testing.T, f *player.Frame, dst image.Rectangle) {
	t.Helper()
	if _, err := r.Show(f, dst); err != nil {
		t.Fatal(err)
	}
}

func (r rig) lay(t *testing.T, img *image.RGBA, at image.Point) {
	t.Helper()
	if err := r.Overlay(img, at); err != nil {
		t.Fatal(err)
	}
}

// refresh returns that of the first mode of a width.
func (r rig) refresh(t *testing.T, width int) float64 {
	t.Helper()
	s, _ := r.Screen()
	for _, m := range s.Modes {
		if m.Width == width {
			return m.Refresh
		}
	}
	t.Fatalf("no mode of width %d", width)
	return 0
}

// settle waits until what was laid over is shown by itself.
func (r rig) settle(t *testing.T) {
	t.Helper()
	for deadline := time.Now().Add(5 * time.Second); ; {
		r.mu.Lock()
		stale := r.stale
		r.mu.Unlock()
		if !stale {
			return
		}
		if time.Now().After(deadline) {
			t.Fatal("an overlay is not shown by itself")
		}
		<-time.After(time.Millisecond)
	}
}

func planesOf(list []layout) (planes []int) {
	for _, l := range list {
		planes = append(planes, l.plane)
	}
	return planes
}

// count returns how many commits there were.
func (c *simulated) count() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.commits
}

func (c *simulated) refuse(f func(flags uint32) error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.fail = f
}
