package kms

import (
	"image"
	"slices"
)

// patch is what has been blended into a picture: the pixels that are covered, to be put back.
type patch struct {
	over  *overlay // nil: nothing has
	rect  image.Rectangle
	saved []byte
}

// row returns the covered pixels of a line, which must be in the patch.
func (p *patch) row(y int) []byte {
	return p.saved[4*(y-p.rect.Min.Y)*p.rect.Dx():][:4*p.rect.Dx()]
}

// blend takes away what has been blended into a picture of four bytes a pixel, and blends something else into it; nil:
// nothing. Each pixel is written once, with what it is to be: the picture may be on the screen.
func (b *buffer) blend(over *overlay) {
	if over == b.patch.over {
		return
	}
	old, next := b.patch, patch{over: over}
	if over != nil {
		next.rect = over.rect.Intersect(image.Rectangle{Max: b.size()})
		n := 4 * next.rect.Dx() * next.rect.Dy()
		next.saved = slices.Grow(b.spare[:0], n)[:n]
	}
	region := old.rect.Union(next.rect)
	both := !old.rect.Empty() && !next.rect.Empty()
	var work []byte
	if both {
		work = make([]byte, 4*region.Dx())
	}
	for y := region.Min.Y; y < region.Max.Y; y++ {
		line := b.memory.Data[y*b.memory.Pitch+4*region.Min.X:][:4*region.Dx()]
		to := line
		if both { // one may cover the other
			copy(work, line)
			to = work
		}
		if y >= old.rect.Min.Y && y < old.rect.Max.Y {
			copy(to[4*(old.rect.Min.X-region.Min.X):], old.row(y))
		}
		if y >= next.rect.Min.Y && y < next.rect.Max.Y {
			covered := to[4*(next.rect.Min.X-region.Min.X):][:4*next.rect.Dx()]
			copy(next.row(y), covered)
			over.lay(covered, y, next.rect.Min.X, next.rect.Max.X)
		}
		if both {
			copy(line, work)
		}
	}
	b.patch, b.spare = next, old.saved
}

// compose copies a frame to its place on a canvas that is not on the screen, with black around it.
func (d *Display) compose(b *buffer, dst, visible image.Rectangle) (*buffer, error) {
	d.ready = nil // it is on that canvas
	o, i := d.out, 0
	if d.shown != nil && d.shown.shows(o.canvas[0]) {
		i = 1
	}
	m := o.modes[o.mode]
	if o.canvas[i] == nil {
		c, err := newBuffer(d.card, b.format, m.Width, m.Height)
		if err != nil {
			return nil, err
		}
		clear(c.memory.Data)
		o.canvas[i] = c
	}
	to := o.canvas[i]
	to.blend(nil)
	if to.filled != visible {
		clear(to.memory.Data)
		to.filled = visible
	}
	for y := visible.Min.Y; y < visible.Max.Y; y++ {
		from := b.memory.Data[(y-dst.Min.Y)*b.memory.Pitch+4*(visible.Min.X-dst.Min.X):]
		copy(to.memory.Data[y*to.memory.Pitch+4*visible.Min.X:][:4*visible.Dx()], from)
	}
	return to, nil
}

// shows tells whether a buffer is one of the picture's.
func (p *picture) shows(b *buffer) bool {
	for _, l := range p.layers {
		if l.buffer == b {
			return true
		}
	}
	return false
}
