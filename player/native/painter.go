package native

import (
	"image"
	"time"

	"manofwar/player/screen"
)

// painter turns scenes into pictures. It belongs to the stage's goroutine.
type painter struct {
	stage  *stage
	size   image.Point
	canvas [2]*image.RGBA // the one is shown while the other is painted
	turn   int
	base   *screen.Picture // shown; nil: nothing of ours
	over   *screen.Picture // overlays shown; nil: none
	behind [2]*screen.Picture
}

// paint has a scene shown, and returns when to come back; zero: when something is told.
func (p *painter) paint(now time.Time, size image.Point, s scene) (next time.Time) {
	if size != p.size {
		*p = painter{stage: p.stage, size: size}
	}
	if size == (image.Point{}) {
		return time.Time{} // a screen that comes is told
	}
	next = s.until
	if s.film {
		p.canvas, p.behind, p.base = [2]*image.RGBA{}, [2]*screen.Picture{}, nil // a film needs the memory
		return sooner(next, p.lay(now, s.over))
	}
	p.lay(now, nil)
	pic := p.stage.artist.Compose(size, now, append([]screen.Layer{s.base}, s.over...)...)
	p.show(pic)
	return sooner(next, pic.Next)
}

// show paints what has changed since this canvas was shown last, and shows it.
func (p *painter) show(pic *screen.Picture) {
	if p.base != nil && len(pic.Changes(p.base)) == 0 {
		p.base = pic
		return
	}
	canvas := p.canvas[p.turn]
	if canvas == nil {
		canvas = image.NewRGBA(image.Rectangle{Max: p.size})
		p.canvas[p.turn] = canvas
	}
	for _, r := range pic.Changes(p.behind[p.turn]) {
		pic.Paint(canvas.SubImage(r).(*image.RGBA))
	}
	p.behind[p.turn], p.base = pic, pic
	p.stage.out.SetScreen(canvas)
	p.turn = 1 - p.turn
}

// lay puts overlays over the film.
func (p *painter) lay(now time.Time, layers []screen.Layer) (next time.Time) {
	pic := p.stage.artist.Compose(p.size, now, layers...)
	if p.over == nil && pic.Bounds.Empty() || p.over != nil && len(pic.Changes(p.over)) == 0 {
		return pic.Next
	}
	img, at := p.stage.artist.Overlay(p.size, now, layers...)
	p.stage.out.Overlay(img, at)
	p.over = pic
	if img == nil {
		p.over = nil
	}
	return pic.Next
}

// sooner returns the earlier of two times; a zero time is never.
func sooner(a, b time.Time) time.Time {
	if a.IsZero() || !b.IsZero() && b.Before(a) {
		return b
	}
	return a
}
