package native

import (
	"image"
	"runtime/debug"
	"sync"
	"time"

	"manofwar/player"
	"manofwar/player/screen"
)

// painter turns scenes into pictures. It belongs to the stage's goroutine.
type painter struct {
	stage *stage
	size  image.Point
	base  *screen.Picture // shown; nil: nothing of ours
	over  *screen.Picture // overlays shown; nil: none
	laid  []byte          // memory of what was laid over
	film  bool            // fills the screen
}

// still is a picture of the artist's, who does one thing at a time: the engine paints while the next one is composed.
type still struct {
	picture *screen.Picture
	atWork  *sync.Mutex
}

// Paint implements [player.Still]: of a frame that holds an earlier picture, only what has changed since is painted.
func (s *still) Paint(f *player.Frame, before player.Still) {
	s.atWork.Lock()
	defer s.atWork.Unlock()
	var last *screen.Picture
	if b, ok := before.(*still); ok {
		last = b.picture
	}
	if s.picture.Size != (image.Point{X: f.Width, Y: f.Height}) { // the screen is another one by now, and told
		clear(f.Planes[0].Data)
		last = nil
	}
	for _, r := range s.picture.Changes(last) {
		s.picture.PaintXRGB(f.Planes[0].Data, f.Planes[0].Pitch, r.Intersect(image.Rect(0, 0, f.Width, f.Height)))
	}
}

// paint has a scene shown, and returns when to come back; zero: when something is told.
func (p *painter) paint(now time.Time, size image.Point, s scene) (next time.Time) {
	if size != p.size {
		*p = painter{stage: p.stage, size: size}
	}
	if size == (image.Point{}) {
		return time.Time{} // a screen that comes is told
	}
	p.stage.atWork.Lock()
	defer p.stage.atWork.Unlock()
	if s.film && !p.film {
		p.stage.artist.Forget()
		debug.FreeOSMemory() // it is the decoder's now; the collector would keep it, as a film makes no garbage
	}
	if p.film = s.film; s.film {
		p.base = nil
		return sooner(s.until, p.lay(now, s.over))
	}
	p.lay(now, nil)
	pic := p.stage.artist.Compose(size, now, append([]screen.Layer{s.base}, s.over...)...)
	if p.base == nil || len(pic.Changes(p.base)) > 0 {
		p.base = pic
		p.stage.out.SetScreen(&still{pic, &p.stage.atWork})
	}
	return sooner(s.until, pic.Next)
}

// lay puts overlays over the film.
func (p *painter) lay(now time.Time, layers []screen.Layer) (next time.Time) {
	pic := p.stage.artist.Compose(p.size, now, layers...)
	if p.over == nil && pic.Bounds.Empty() || p.over != nil && len(pic.Changes(p.over)) == 0 {
		return pic.Next
	}
	p.stage.out.Overlay(func() (*image.RGBA, image.Point) {
		img, at := pic.Overlay(p.laid)
		if p.over = pic; img == nil {
			p.over = nil
		} else {
			p.laid = img.Pix
		}
		return img, at
	})
	if p.over == nil && cap(p.laid) > mostLaid {
		p.laid = nil
		debug.FreeOSMemory()
	}
	return pic.Next
}

// mostLaid is how many bytes are kept from one overlay to the next: those of a subtitle.
const mostLaid = 2 << 20

// sooner returns the earlier of two times; a zero time is never.
func sooner(a, b time.Time) time.Time {
	if a.IsZero() || !b.IsZero() && b.Before(a) {
		return b
	}
	return a
}
