package cue

import (
	"encoding/binary"
	"image"
	"image/color"
	"time"
)

// DVB reads the subtitles of digital television (ETSI EN 300 743, V1.6.1), bitmaps only.
type DVB struct {
	canvas  image.Point
	regions map[byte]*region
	palette map[byte]*palette
	shown   []spot
	timeout time.Duration
	held    int // pixels in regions
}

// region is a rectangle of pixels, which are indices into a palette.
type region struct {
	size    image.Point
	depth   int // bits of a pixel: 2, 4 or 8
	palette byte
	pixels  []byte
	objects map[uint16]image.Point // where they lie in it
}

// spot is where a region is shown.
type spot struct {
	id byte
	at image.Point
}

// The types of segments (7.2.1, table 7).
const (
	dvbPage    = 0x10
	dvbRegion  = 0x11
	dvbPalette = 0x12
	dvbObject  = 0x13
	dvbDisplay = 0x14
)

// maxRegions bounds what one object is drawn into.
const maxRegions = 64

// NewDVB returns a reader of packets whose canvas is 720×576 unless they say otherwise.
func NewDVB() *DVB {
	d := &DVB{canvas: image.Pt(720, 576)}
	d.reset()
	return d
}

func (d *DVB) reset() {
	d.regions, d.palette, d.held = map[byte]*region{}, map[byte]*palette{}, 0
}

// Next returns what a packet shows from a moment on: a picture, or the end of one. False: neither.
func (d *DVB) Next(packet []byte, at time.Duration) (Cue, bool) {
	page := false
	for len(packet) >= 6 && packet[0] == 0x0F {
		kind, length := packet[1], int(binary.BigEndian.Uint16(packet[4:]))
		if packet = packet[6:]; length > len(packet) {
			break
		}
		body := packet[:length]
		packet = packet[length:]
		switch kind {
		case dvbPage:
			page = d.readPage(body) || page
		case dvbRegion:
			d.readRegion(body)
		case dvbPalette:
			d.readPalette(body)
		case dvbObject:
			d.readObject(body)
		case dvbDisplay:
			d.readDisplay(body)
		}
	}
	if !page {
		return Cue{}, false
	}
	return d.compose(at), true
}

// readPage reads the page composition (7.2.2).
func (d *DVB) readPage(b []byte) bool {
	if len(b) < 2 {
		return false
	}
	d.timeout = time.Duration(b[0]) * time.Second
	if state := b[1] >> 2 & 3; state != 0 { // an acquisition point or a change of mode
		d.reset()
	}
	d.shown = d.shown[:0]
	for b = b[2:]; len(b) >= 6; b = b[6:] {
		d.shown = append(d.shown, spot{b[0], image.Pt(int(binary.BigEndian.Uint16(b[2:])), int(binary.BigEndian.Uint16(b[4:])))})
	}
	return true
}

// readDisplay reads the size of the canvas (7.2.1, display definition).
func (d *DVB) readDisplay(b []byte) {
	if len(b) < 5 {
		return
	}
	size := image.Pt(int(binary.BigEndian.Uint16(b[1:]))+1, int(binary.BigEndian.Uint16(b[3:]))+1)
	if size.X*size.Y <= maxPixels {
		d.canvas = size
	}
}

// readRegion reads a region composition (7.2.3).
func (d *DVB) readRegion(b []byte) {
	if len(b) < 10 {
		return
	}
	size := image.Pt(int(binary.BigEndian.Uint16(b[2:])), int(binary.BigEndian.Uint16(b[4:])))
	depth := map[byte]int{1: 2, 2: 4, 3: 8}[b[6]>>2&7]
	r := d.regions[b[0]]
	if r == nil || r.size != size || r.depth != depth {
		if r != nil {
			d.held -= len(r.pixels)
			delete(d.regions, b[0])
		}
		n := size.X * size.Y
		if depth == 0 || n == 0 || d.held+n > maxHeld || len(d.regions) == maxRegions {
			return
		}
		d.held += n
		r = &region{size: size, depth: depth, pixels: make([]byte, n)}
		d.regions[b[0]] = r
	}
	r.palette, r.objects = b[7], map[uint16]image.Point{}
	if b[1]&8 != 0 {
		fill := map[int]byte{2: b[9] >> 2 & 3, 4: b[9] >> 4, 8: b[8]}[depth]
		for i := range r.pixels {
			r.pixels[i] = fill
		}
	}
	for b = b[10:]; len(b) >= 6; {
		kind := b[2] >> 6
		r.objects[binary.BigEndian.Uint16(b)] = image.Pt(int(binary.BigEndian.Uint16(b[2:]))&0xFFF, int(binary.BigEndian.Uint16(b[4:]))&0xFFF)
		b = b[6:]
		if kind != 0 && len(b) >= 2 { // characters have two colours
			b = b[2:]
		}
	}
}

// readPalette reads a CLUT definition (7.2.4).
func (d *DVB) readPalette(b []byte) {
	if len(b) < 2 {
		return
	}
	p := d.palette[b[0]]
	if p == nil {
		p = newPalette()
		d.palette[b[0]] = p
	}
	for b = b[2:]; len(b) >= 4; {
		id, flags := b[0], b[1]
		var y, cr, cb, t byte
		if flags&1 != 0 {
			if len(b) < 6 {
				return
			}
			y, cr, cb, t = b[2], b[3], b[4], b[5]
			b = b[6:]
		} else {
			v := binary.BigEndian.Uint16(b[2:])
			y, cr, cb, t = byte(v>>10)<<2, byte(v>>6)<<4, byte(v>>2)<<4, byte(v&3)*85
			b = b[4:]
		}
		c := color.RGBA{}
		if y != 0 { // which means that nothing is seen
			c = premultiplied(y, cb, cr, 255-t, d.canvas.Y > 576)
		}
		for i, depth := range []byte{0x80, 0x40, 0x20} {
			if flags&depth != 0 {
				p[i][id] = c
			}
		}
	}
}

// readObject reads object data (7.2.5) and draws it into the regions that have it.
func (d *DVB) readObject(b []byte) {
	if len(b) < 7 || b[2]>>2&3 != 0 { // characters are not drawn
		return
	}
	id := binary.BigEndian.Uint16(b)
	top, bottom := int(binary.BigEndian.Uint16(b[3:])), int(binary.BigEndian.Uint16(b[5:]))
	if b = b[7:]; top+bottom > len(b) {
		return
	}
	fields := [2][]byte{b[:top], b[top : top+bottom]}
	if bottom == 0 {
		fields[1] = fields[0]
	}
	for _, r := range d.regions {
		if at, ok := r.objects[id]; ok {
			for i, f := range fields {
				r.draw(f, at.Add(image.Pt(0, i)))
			}
		}
	}
}

// compose draws what is shown into one picture.
func (d *DVB) compose(at time.Duration) Cue {
	c := Cue{From: at, To: at, Canvas: d.canvas}
	canvas := image.Rectangle{Max: d.canvas}
	for _, s := range d.shown {
		if r := d.regions[s.id]; r != nil {
			c.At = c.At.Union(image.Rectangle{Max: r.size}.Add(s.at).Intersect(canvas))
		}
	}
	if c.At.Empty() {
		return c
	}
	c.To += min(max(d.timeout, time.Second), Lasting)
	c.Image = image.NewRGBA(image.Rectangle{Max: c.At.Size()})
	for _, s := range d.shown {
		r := d.regions[s.id]
		if r == nil {
			continue
		}
		p := d.palette[r.palette]
		if p == nil {
			p = newPalette()
		}
		colors := &p[map[int]int{2: 0, 4: 1, 8: 2}[r.depth]]
		corner := s.at.Sub(c.At.Min)
		for i, v := range r.pixels {
			if k := colors[v]; k.A > 0 {
				c.Image.SetRGBA(corner.X+i%r.size.X, corner.Y+i/r.size.X, k)
			}
		}
	}
	return c
}

// palette is the colours for pixels of 2, 4 and 8 bits.
type palette [3][256]color.RGBA

// newPalette returns the one that holds where none is sent (10), but for pixels of 8 bits, which nobody sends without.
func newPalette() *palette {
	p := &palette{}
	p[0][1], p[0][2], p[0][3] = color.RGBA{255, 255, 255, 255}, color.RGBA{0, 0, 0, 255}, color.RGBA{127, 127, 127, 255}
	for i := 1; i < 16; i++ {
		level := uint8(255)
		if i > 7 {
			level = 127
		}
		part := func(bit int) uint8 { return level * uint8(i>>bit&1) }
		p[1][i] = color.RGBA{part(0), part(1), part(2), 255}
	}
	return p
}
