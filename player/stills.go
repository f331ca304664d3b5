package player

import "image"

// Still is a picture that stands on the screen while no film is on. It does not change. Stills are compared with ==.
type Still interface {
	// Paint makes f, of [XRGB8888] and the size of the mode, this picture, every pixel of it. before is what f holds; nil:
	// nothing of use. It is called by a goroutine of the engine's.
	Paint(f *Frame, before Still)
}

// showScreen shows what is to be seen while no film is on.
func (p *projector) showScreen() {
	screen, ok := p.display.Screen()
	if !ok || p.blind || p.still == p.p.screen && p.held.frame != nil && p.held.pool == nil {
		return
	}
	n := p.stillFrame(screen.Mode)
	if n < 0 {
		return
	}
	f := p.stills[n]
	if s := p.p.screen; s != nil {
		s.Paint(f, p.painted[n])
	} else {
		clear(f.Planes[0].Data)
	}
	p.painted[n] = p.p.screen
	at, err := p.display.Show(f, image.Rect(0, 0, f.Width, f.Height))
	if err != nil {
		p.failed(err)
		return
	}
	p.still = p.p.screen
	p.shown(showing{frame: f}, at)
}

// stillFrame returns which of the stills is a frame of the mode's size that is not on the screen; -1: there is no memory for it.
func (p *projector) stillFrame(m Mode) int {
	for i, f := range p.stills {
		if f != nil && f == p.held.frame {
			continue
		}
		if f != nil && (f.Width != m.Width || f.Height != m.Height) {
			p.display.Free(f)
			f, p.stills[i] = nil, nil
		}
		if f == nil {
			made, err := p.display.NewFrame(XRGB8888, m.Width, m.Height)
			if err != nil {
				p.failed(err)
				return -1
			}
			p.stills[i], p.painted[i] = made, nil
		}
		return i
	}
	return -1
}

// dropStills frees the frames of the screen: a film needs the memory.
func (p *projector) dropStills() {
	for i, f := range p.stills {
		if f != nil && f != p.held.frame {
			p.display.Free(f)
			p.stills[i] = nil
		}
	}
}
