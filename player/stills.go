package player

import "image"

// showScreen shows what is to be seen while no film is on.
func (p *projector) showScreen() {
	screen, ok := p.display.Screen()
	if !ok || p.blind || p.still == p.p.screen && p.held.frame != nil && p.held.pool == nil {
		return
	}
	f := p.stillFrame(screen.Mode)
	if f == nil {
		return
	}
	draw(f, p.p.screen)
	at, err := p.display.Show(f, image.Rect(0, 0, f.Width, f.Height))
	if err != nil {
		p.failed(err)
		return
	}
	p.still = p.p.screen
	p.shown(showing{frame: f}, at)
}

// stillFrame returns a frame of the mode's size that is not on the screen; nil: there is no memory for it.
func (p *projector) stillFrame(m Mode) *Frame {
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
				return nil
			}
			p.stills[i] = made
		}
		return p.stills[i]
	}
	return nil
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

// draw copies a picture into a frame, its middle into the middle, black around it.
func draw(f *Frame, img *image.RGBA) {
	plane := f.Planes[0]
	clear(plane.Data)
	if img == nil {
		return
	}
	size := img.Bounds().Size()
	x, y := (f.Width-size.X)/2, (f.Height-size.Y)/2
	for row := max(0, y); row < min(f.Height, y+size.Y); row++ {
		from, to := max(0, x), min(f.Width, x+size.X)
		src := img.Pix[(row-y)*img.Stride+(from-x)*4:]
		dst := plane.Data[row*plane.Pitch+from*4 : row*plane.Pitch+to*4]
		for i := 0; i+3 < len(dst); i += 4 {
			dst[i], dst[i+1], dst[i+2] = src[i+2], src[i+1], src[i]
		}
	}
}
