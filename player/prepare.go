package player

import (
	"image"
	"time"
)

// prepared is a picture that the display has been told of before it is due.
type prepared struct {
	track   *track
	picture picture
	dst     image.Rectangle
	show    func() (time.Time, error) // nil: the display has nothing to do before
}

// prepare tells the display of the picture that is shown next, once. It returns whether that took time.
func (p *projector) prepare(pic picture, screen Screen) bool {
	d, ok := p.display.(Preparer)
	if !ok || p.ahead.track == p.track && p.ahead.picture == pic {
		return false
	}
	p.ahead = prepared{track: p.track, picture: pic, dst: p.place(pic, screen)}
	p.ahead.show = d.Prepare(pic.frame, p.ahead.dst)
	return p.ahead.show != nil
}

// show shows a picture, by what was prepared if that is still right.
func (p *projector) show(pic picture, screen Screen) (time.Time, error) {
	a, dst := p.ahead, p.place(pic, screen)
	p.ahead = prepared{}
	if a.show != nil && a.track == p.track && a.picture == pic && a.dst == dst {
		return a.show()
	}
	return p.display.Show(pic.frame, dst)
}

// place returns where on the screen a picture goes.
func (p *projector) place(pic picture, screen Screen) image.Rectangle {
	return fit(screen, image.Pt(pic.frame.Width, pic.frame.Height), p.track.req.Info.Aspect)
}
