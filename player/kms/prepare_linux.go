package kms

import (
	"image"
	"time"

	"manofwar/player"
)

var _ player.Preparer = (*Display)(nil)

// ready is a picture that was put together before it is due, on a canvas that is not on the screen.
type ready struct {
	picture *picture
	frame   *player.Frame
}

// Prepare implements [player.Preparer]. What takes time is copying a frame between black bars, and blending what lies over it; a
// frame that is shown as it is needs neither.
func (d *Display) Prepare(f *player.Frame, dst image.Rectangle) func() (time.Time, error) {
	d.turn.Lock()
	defer d.turn.Unlock()
	d.mu.Lock()
	defer d.mu.Unlock()
	b := d.frames[f]
	if b == nil || !d.assembles(b, dst) {
		return nil
	}
	there, err := d.home(b)
	if err != nil {
		return nil // Show says why
	}
	screen := bounds(d.out.modes[d.out.mode])
	canvas, err := d.compose(there, dst, dst.Intersect(screen))
	if err != nil {
		return nil
	}
	p := d.out.picture(d.out.base, there, layer{buffer: canvas, dst: screen})
	if p.face != nil {
		p.face.blend(d.over)
	}
	p.buffer = b
	r := &ready{p, f}
	d.ready = r
	return func() (time.Time, error) { return d.showReady(r, dst) }
}

// assembles tells whether a frame has to be copied, or something to be blended into it.
func (d *Display) assembles(b *buffer, dst image.Rectangle) bool {
	o := d.out
	if o == nil || b.format != player.XRGB8888 || b.memory == nil || dst.Size() != b.size() {
		return false
	}
	screen := bounds(o.modes[o.mode])
	if _, routed := o.routes[b.format]; routed || dst.Intersect(screen).Empty() {
		return false
	}
	return dst != screen || d.over != nil && o.base.overlay < 0
}

// showReady shows a picture that was put together, unless its canvas has been used for something else.
func (d *Display) showReady(r *ready, dst image.Rectangle) (time.Time, error) {
	d.turn.Lock()
	d.mu.Lock()
	if d.ready != r || d.out == nil || d.frames[r.frame] == nil {
		d.mu.Unlock()
		d.turn.Unlock()
		return d.Show(r.frame, dst)
	}
	defer d.turn.Unlock()
	defer d.mu.Unlock()
	d.ready = nil
	return d.present(r.picture)
}
