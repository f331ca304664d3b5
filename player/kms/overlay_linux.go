package kms

import (
	"context"
	"image"
	"time"

	"manofwar/player"
	"manofwar/player/kms/drm"
)

// overlay is what lies over the picture: premultiplied, four bytes a pixel as in [drm.ARGB8888].
type overlay struct {
	rect image.Rectangle // on the screen; parts of it may be beyond the edges
	pix  []byte
	runs [][]run // of each line
}

// Overlay implements [player.Display]. It waits no refresh: the next Show takes it along, or, where none comes, it is
// shown after some refreshes.
func (d *Display) Overlay(img *image.RGBA, at image.Point) error {
	over := newOverlay(img, at)
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.out == nil {
		return player.ErrGone
	}
	if over == nil && d.over == nil {
		return nil
	}
	d.over, d.stale = over, true
	select {
	case d.overlay <- struct{}{}:
	default:
	}
	return nil
}

// patience is how many refreshes a Show has to take an overlay along. A film of 24 pictures on a screen of 60 Hz has one
// in each three.
const patience = 3

// followOverlay shows what no Show took along, until ctx ends.
func (d *Display) followOverlay(ctx context.Context) {
	for {
		select {
		case <-ctx.Done():
			return
		case <-d.overlay:
		}
		select {
		case <-ctx.Done():
			return
		case <-time.After(d.refreshes(patience)):
		}
		d.catchUp()
	}
}

// catchUp shows the overlay over the picture that is on the screen, if it is another than what is seen.
func (d *Display) catchUp() {
	d.turn.Lock()
	defer d.turn.Unlock()
	d.mu.Lock()
	defer d.mu.Unlock()
	if !d.stale || d.shown == nil {
		return
	}
	if _, err := d.present(d.shown); err != nil {
		d.log.Debug("overlay not shown", "err", err) // the next Show says so to whom it concerns
	}
}

// refreshes returns how long n of them take.
func (d *Display) refreshes(n int) time.Duration {
	hz := 60.0
	if s, ok := d.Screen(); ok {
		hz = s.Mode.Refresh
	}
	return time.Duration(float64(n) / hz * float64(time.Second))
}

// newOverlay copies the part of an image that is not transparent; nil: all of it is.
func newOverlay(img *image.RGBA, at image.Point) *overlay {
	if img == nil {
		return nil
	}
	box := opaque(img)
	if box.Empty() {
		return nil
	}
	o := &overlay{rect: box.Sub(img.Rect.Min).Add(at), pix: make([]byte, 4*box.Dx()*box.Dy())}
	for y := range box.Dy() {
		from := img.Pix[img.PixOffset(box.Min.X, box.Min.Y+y):][:4*box.Dx()]
		to := o.pix[4*box.Dx()*y:][:len(from)]
		swapColours(to, from)
		o.runs = append(o.runs, runsOf(to))
	}
	return o
}

// swapColours turns red, green, blue, alpha into blue, green, red, alpha.
func swapColours(to, from []byte) {
	for len(from) >= 4 && len(to) >= 4 {
		v := order.Uint32(from)
		order.PutUint32(to, v&0xff00ff00|v>>16&0xff|v<<16&0xff0000)
		to, from = to[4:], from[4:]
	}
}

// opaque returns the smallest rectangle that holds every pixel that is not transparent.
func opaque(img *image.RGBA) (box image.Rectangle) {
	for y := img.Rect.Min.Y; y < img.Rect.Max.Y; y++ {
		row := img.Pix[img.PixOffset(img.Rect.Min.X, y):][:4*img.Rect.Dx()]
		first, last := 3, len(row)-1 // alphas
		for first < len(row) && row[first] == 0 {
			first += 4
		}
		for last > first && row[last] == 0 {
			last -= 4
		}
		if first < len(row) {
			box = box.Union(image.Rect(img.Rect.Min.X+first/4, y, img.Rect.Min.X+last/4+1, y+1))
		}
	}
	return box
}

// row returns the pixels of a line of the screen from x0 to x1, which must be in the overlay.
func (o *overlay) row(y, x0, x1 int) []byte {
	at := 4 * ((y-o.rect.Min.Y)*o.rect.Dx() + x0 - o.rect.Min.X)
	return o.pix[at : at+4*(x1-x0)]
}

// drawBoard returns the overlay as a layer for a plane of its own. ok is false where there is none, or nothing of it is on
// the screen.
func (d *Display) drawBoard(plane int) (l layer, ok bool) {
	if d.over == nil {
		return layer{}, false
	}
	visible := d.over.rect.Intersect(bounds(d.out.modes[d.out.mode]))
	if visible.Empty() {
		return layer{}, false
	}
	b := d.shownBoard()
	if d.stale || b == nil {
		var err error
		if b, err = d.freeBoard(visible.Size()); err != nil {
			d.log.Warn("no memory for what lies over the picture", "err", err)
			return layer{}, false
		}
		for y := visible.Min.Y; y < visible.Max.Y; y++ {
			copy(b.memory.Data[(y-visible.Min.Y)*b.memory.Pitch:], d.over.row(y, visible.Min.X, visible.Max.X))
		}
	}
	return layer{plane: plane, buffer: b, crop: image.Rect(0, 0, visible.Dx()<<16, visible.Dy()<<16), dst: visible}, true
}

func (d *Display) shownBoard() *buffer {
	if d.shown == nil {
		return nil
	}
	return d.shown.board
}

// freeBoard returns a board that is not on the screen and has room. Boards only grow: menus come again.
func (d *Display) freeBoard(size image.Point) (*buffer, error) {
	o, i := d.out, 0
	if b := d.shownBoard(); b != nil && b == o.boards[0] {
		i = 1
	}
	old := o.boards[i]
	if old != nil && old.width >= size.X && old.height >= size.Y {
		return old, nil
	}
	if old != nil {
		size.X, size.Y = max(size.X, old.width), max(size.Y, old.height)
	}
	b, err := newBuffer(d.card, drm.ARGB8888, size.X, size.Y)
	if err != nil {
		return nil, err
	}
	if old != nil {
		old.free(d.card)
	}
	o.boards[i] = b
	return b, nil
}
