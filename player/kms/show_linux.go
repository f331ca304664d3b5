package kms

import (
	"errors"
	"fmt"
	"image"
	"time"

	"golang.org/x/sys/unix"

	"manofwar/internal/monotonic"
	"manofwar/player"
	"manofwar/player/kms/drm"
)

// picture is a frame as it is on the screen, or is to be.
type picture struct {
	buffer  *buffer // the frame's
	layers  []layer // without what lies over it
	overlay int     // the plane for that; -1: it is blended into face
	face    *buffer // as large as the screen
	board   *buffer // on the overlay's plane; nil: none
}

// of tells whether it is the picture of a frame's buffer.
func (p *picture) of(b *buffer) bool { return p != nil && p.buffer == b }

// Show implements [player.Display].
func (d *Display) Show(f *player.Frame, dst image.Rectangle) (time.Time, error) {
	d.turn.Lock()
	defer d.turn.Unlock()
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.out == nil {
		return time.Time{}, player.ErrGone
	}
	b := d.frames[f]
	if b == nil {
		return time.Time{}, fmt.Errorf("show a frame that was freed: %w", player.ErrFormat)
	}
	there, err := d.home(b)
	if err != nil {
		return time.Time{}, err
	}
	p, err := d.arrange(there, dst)
	if err != nil {
		return time.Time{}, err
	}
	p.buffer = b
	return d.present(p)
}

// arrange decides how a frame gets onto the screen.
func (d *Display) arrange(b *buffer, dst image.Rectangle) (*picture, error) {
	o := d.out
	screen := bounds(o.modes[o.mode])
	visible := dst.Intersect(screen)
	r, routed := o.routes[b.format]
	same, rgb := dst.Size() == b.size(), b.format == player.XRGB8888
	switch {
	case dst.Empty() || visible.Empty() || !same && !r.scales:
		return nil, fmt.Errorf("show %d × %d at %v: %w", b.width, b.height, dst, player.ErrFormat)
	case rgb && b.memory == nil && (o.base.overlay < 0 || !routed && !(same && dst == screen)): // it can be neither copied nor painted into
		return nil, fmt.Errorf("show imported memory on a screen without planes for it: %w", player.ErrFormat)
	case rgb && same && dst == screen:
		return o.picture(o.base, b, layer{buffer: b, dst: screen}), nil
	case routed:
		return o.picture(r, b, layer{buffer: b, crop: crop(b.size(), dst, visible), dst: visible}), nil
	case rgb:
		canvas, err := d.compose(b, dst, visible)
		if err != nil {
			return nil, d.explain("show", err)
		}
		return o.picture(o.base, b, layer{buffer: canvas, dst: screen}), nil
	}
	return nil, fmt.Errorf("show format %08x: %w", uint32(b.format), player.ErrFormat)
}

// picture puts a layer on a route.
func (o *output) picture(r route, frame *buffer, l layer) *picture {
	l.plane = r.plane
	p := &picture{buffer: frame, layers: append(o.under(r), l), overlay: r.overlay}
	if r.overlay < 0 {
		p.face = l.buffer
	}
	return p
}

// crop returns the part of a picture shown at dst that is at visible, in 65536ths of its pixels.
func crop(size image.Point, dst, visible image.Rectangle) image.Rectangle {
	at := func(p image.Point) image.Point {
		return image.Pt((p.X-dst.Min.X)*(size.X<<16)/dst.Dx(), (p.Y-dst.Min.Y)*(size.Y<<16)/dst.Dy())
	}
	return image.Rectangle{at(visible.Min), at(visible.Max)}
}

// present brings a picture and what lies over it onto the screen. Both locks are held; mu is not while it waits.
func (d *Display) present(p *picture) (time.Time, error) {
	over, layers := d.over, p.layers
	p.board = nil
	if p.overlay >= 0 {
		if l, ok := d.drawBoard(p.overlay); ok {
			layers, p.board = append(layers[:len(layers):len(layers)], l), l.buffer
		}
	} else {
		p.face.blend(over)
	}
	at, err := d.flip(p, layers)
	if err != nil && p.board != nil && errors.Is(err, player.ErrFormat) { // the picture is more than what lies over it
		d.log.Warn("what lies over the picture is left out", "err", err)
		p.board = nil
		at, err = d.flip(p, p.layers)
	}
	if err != nil {
		if p.face != nil && (d.shown == nil || d.shown.face != p.face) {
			p.face.blend(nil)
		}
		return time.Time{}, err
	}
	if old := d.shown; old != nil && old.face != nil && old.face != p.face {
		old.face.blend(nil) // whoever fills it next, or shows it as it is, finds it as it was
	}
	d.shown, d.stale = p, d.over != over
	d.turned.Broadcast()
	return at, nil
}

// flipLimit is how long a commit may take to be on the screen. The slowest mode takes 42 ms; an emulated machine may stall.
const flipLimit = 2 * time.Second

// errNoFlip says that a commit was accepted, and nothing came of it.
var errNoFlip = errors.New("the screen does not take pictures")

// flip commits a picture's layers, and returns when they are on the screen and since when.
func (d *Display) flip(p *picture, layers []layer) (time.Time, error) {
	t := new(drm.Commit)
	d.out.put(t, d.out.active, layers)
	d.number++
	err := d.card.Commit(t, drm.WithFlip|drm.NonBlock, d.number)
	if errors.Is(err, unix.EBUSY) { // the mode was just set: wait in the kernel
		err = d.card.Commit(t, drm.WithFlip, d.number)
	}
	if err != nil {
		return time.Time{}, d.explain("show", err)
	}
	d.flying = p
	defer func() {
		d.flying = nil
		d.turned.Broadcast()
	}()
	return d.await(d.card, d.number)
}

// await waits for a commit's flip, without mu.
func (d *Display) await(c card, number uint64) (time.Time, error) {
	d.mu.Unlock()
	defer d.mu.Lock()
	for deadline := time.Now().Add(flipLimit); ; {
		flips, err := c.Flips(deadline)
		if err != nil {
			return time.Time{}, fmt.Errorf("%w: %w", errNoFlip, err)
		}
		for _, f := range flips {
			if f.User == number {
				return monotonic.Time(f.At), nil
			}
		}
	}
}

// clearShown forgets what is on the screen, which gets black or is gone.
func (d *Display) clearShown() {
	if d.shown != nil && d.shown.face != nil {
		d.shown.face.blend(nil)
	}
	d.shown, d.ready = nil, nil
	d.turned.Broadcast()
}
