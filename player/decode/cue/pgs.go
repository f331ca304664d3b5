package cue

import (
	"bufio"
	"encoding/binary"
	"fmt"
	"image"
	"image/color"
	"io"
	"time"
)

// PGS reads a Presentation Graphics Stream in the form of a .sup file: segments, each behind "PG" and two times of 90 kHz.
// What a segment holds is told by US patent 2009/0185789 and known from FFmpeg's and BDSup2Sub's readers.
type PGS struct {
	r     *bufio.Reader
	shift time.Duration

	canvas   image.Point
	palettes map[byte]*[256]color.RGBA
	objects  map[uint16]*object
	held     int // bytes in objects
	shown    []placed
	palette  byte
	at       time.Duration
}

// object is a picture, run-length coded.
type object struct {
	size image.Point
	data []byte
	want int // bytes of data
}

// placed is where an object is shown, and which part of it.
type placed struct {
	id   uint16
	at   image.Point
	crop image.Rectangle // empty: all of it
}

// The types of segments.
const (
	segPalette     = 0x14
	segObject      = 0x15
	segComposition = 0x16
	segEnd         = 0x80
)

// maxHeld bounds the objects of an epoch. A decoder of the standard has 4 MB.
const maxHeld = 8 << 20

// NewPGS returns a reader of r that adds shift to every time.
func NewPGS(r io.Reader, shift time.Duration) *PGS {
	p := &PGS{r: bufio.NewReader(r), shift: shift}
	p.reset()
	return p
}

func (p *PGS) reset() {
	p.palettes, p.objects, p.held = map[byte]*[256]color.RGBA{}, map[uint16]*object{}, 0
}

// Next returns the next picture, or the end of one. Its error is the source's, [io.EOF] at the end.
func (p *PGS) Next() (Cue, error) {
	for {
		var head [13]byte
		if _, err := io.ReadFull(p.r, head[:]); err != nil {
			return Cue{}, err
		}
		if head[0] != 'P' || head[1] != 'G' {
			return Cue{}, fmt.Errorf("a segment of PGS begins with %q", head[:2])
		}
		body := make([]byte, binary.BigEndian.Uint16(head[11:]))
		if _, err := io.ReadFull(p.r, body); err != nil {
			return Cue{}, unexpected(err)
		}
		switch head[10] {
		case segPalette:
			p.readPalette(body)
		case segObject:
			p.readObject(body)
		case segComposition:
			p.at = time.Duration(binary.BigEndian.Uint32(head[2:]))*time.Second/90000 + p.shift
			p.readComposition(body)
		case segEnd:
			return p.compose(), nil
		}
	}
}

func unexpected(err error) error {
	if err == io.EOF {
		return io.ErrUnexpectedEOF
	}
	return err
}

// readPalette reads entries of five bytes: index, Y, Cr, Cb, alpha.
func (p *PGS) readPalette(b []byte) {
	if len(b) < 2 {
		return
	}
	colors := p.palettes[b[0]]
	if colors == nil {
		colors = new([256]color.RGBA)
		p.palettes[b[0]] = colors
	}
	for b = b[2:]; len(b) >= 5; b = b[5:] {
		colors[b[0]] = premultiplied(b[1], b[3], b[2], b[4], p.canvas.Y > 576)
	}
}

// readObject reads an object or a part of one.
func (p *PGS) readObject(b []byte) {
	if len(b) < 4 {
		return
	}
	id, sequence, b := binary.BigEndian.Uint16(b), b[3], b[4:]
	if sequence&0x80 != 0 { // the first part
		if len(b) < 7 {
			return
		}
		want := int(b[0])<<16 | int(b[1])<<8 | int(b[2])
		o := &object{size: image.Pt(int(binary.BigEndian.Uint16(b[3:])), int(binary.BigEndian.Uint16(b[5:]))), want: want - 4}
		if old := p.objects[id]; old != nil {
			p.held -= len(old.data)
		}
		p.objects[id] = o
		b = b[7:]
	}
	o := p.objects[id]
	if o == nil || o.size.X*o.size.Y > maxPixels || len(o.data)+len(b) > o.want || p.held+len(b) > maxHeld {
		return
	}
	o.data = append(o.data, b...)
	p.held += len(b)
}

func (p *PGS) readComposition(b []byte) {
	p.shown = p.shown[:0]
	if len(b) < 11 {
		return
	}
	p.canvas = image.Pt(int(binary.BigEndian.Uint16(b)), int(binary.BigEndian.Uint16(b[2:])))
	if b[7]&0x80 != 0 { // an epoch starts
		p.reset()
	}
	p.palette = b[9]
	n := int(b[10])
	for b = b[11:]; n > 0 && len(b) >= 8; n-- {
		o := placed{id: binary.BigEndian.Uint16(b), at: image.Pt(int(binary.BigEndian.Uint16(b[4:])), int(binary.BigEndian.Uint16(b[6:])))}
		cropped := b[3]&0x80 != 0
		b = b[8:]
		if cropped && len(b) >= 8 {
			at := image.Pt(int(binary.BigEndian.Uint16(b)), int(binary.BigEndian.Uint16(b[2:])))
			size := image.Pt(int(binary.BigEndian.Uint16(b[4:])), int(binary.BigEndian.Uint16(b[6:])))
			o.crop = image.Rectangle{Min: at, Max: at.Add(size)}
			b = b[8:]
		}
		p.shown = append(p.shown, o)
	}
}

// compose draws what is shown now into one picture. With nothing to draw it is the end of what was shown.
func (p *PGS) compose() Cue {
	c := Cue{From: p.at, To: p.at, Canvas: p.canvas}
	colors := p.palettes[p.palette]
	if colors == nil {
		return c
	}
	canvas := image.Rectangle{Max: p.canvas}
	for _, s := range p.shown {
		c.At = c.At.Union(p.area(s).Intersect(canvas))
	}
	if c.At.Empty() || c.At.Dx()*c.At.Dy() > maxPixels {
		c.At = image.Rectangle{}
		return c
	}
	c.Image = image.NewRGBA(image.Rectangle{Max: c.At.Size()})
	c.To = c.From + Lasting
	for _, s := range p.shown {
		if o := p.objects[s.id]; o != nil {
			drawPGS(c.Image, o, p.area(s).Min.Sub(c.At.Min), p.crop(s), colors)
		}
	}
	return c
}

// crop returns the part of the object that is shown.
func (p *PGS) crop(s placed) image.Rectangle {
	o := p.objects[s.id]
	if o == nil {
		return image.Rectangle{}
	}
	all := image.Rectangle{Max: o.size}
	if s.crop.Empty() {
		return all
	}
	return s.crop.Intersect(all)
}

// area returns where the object lies on the canvas.
func (p *PGS) area(s placed) image.Rectangle {
	return image.Rectangle{Max: p.crop(s).Size()}.Add(s.at)
}

// drawPGS draws the part crop of an object with its corner at the point.
func drawPGS(img *image.RGBA, o *object, at image.Point, crop image.Rectangle, colors *[256]color.RGBA) {
	x, y := 0, 0
	for b := o.data; len(b) > 0 && y < o.size.Y; {
		run, index := 1, b[0]
		b = b[1:]
		if index == 0 {
			if len(b) == 0 {
				return
			}
			flags := b[0]
			run, b = int(flags&0x3F), b[1:]
			if flags&0x40 != 0 && len(b) > 0 {
				run, b = run<<8|int(b[0]), b[1:]
			}
			if flags&0x80 != 0 && len(b) > 0 {
				index, b = b[0], b[1:]
			}
			if run == 0 {
				x, y = 0, y+1
				continue
			}
		}
		end := min(x+run, o.size.X)
		if y >= crop.Min.Y && y < crop.Max.Y && colors[index].A > 0 {
			for i := max(x, crop.Min.X); i < min(end, crop.Max.X); i++ {
				img.SetRGBA(at.X+i-crop.Min.X, at.Y+y-crop.Min.Y, colors[index])
			}
		}
		x = end
	}
}
