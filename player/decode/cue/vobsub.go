package cue

import (
	"encoding/binary"
	"image"
	"image/color"
	"strconv"
	"strings"
	"time"
)

// VobSub reads the sub-pictures of DVDs (DVD-Video part 3, 5.4.3, as told by dvd.sourceforge.net/spu_notes and
// sam.zoy.org/writings/dvd/subtitles).
type VobSub struct {
	palette [16]color.RGBA
	canvas  image.Point
}

// NewVobSub returns a reader of packets whose palette and canvas the text of an .idx file says. Without one, as in a file
// cut from a DVD, colours are shades of grey, and the canvas is the one given.
func NewVobSub(idx []byte, canvas image.Point) *VobSub {
	v := &VobSub{canvas: canvas}
	for i := range v.palette {
		grey := uint8(255 - 17*((i+15)%16)) // 0 is black, 1 white, and darker from there
		v.palette[i] = color.RGBA{grey, grey, grey, 255}
	}
	for line := range strings.Lines(string(idx)) {
		key, value, _ := strings.Cut(line, ":")
		switch strings.TrimSpace(key) {
		case "size":
			w, h, _ := strings.Cut(strings.TrimSpace(value), "x")
			x, err1 := strconv.Atoi(w)
			y, err2 := strconv.Atoi(h)
			if err1 == nil && err2 == nil && x > 0 && y > 0 && x <= 4096 && y <= 4096 {
				v.canvas = image.Pt(x, y)
			}
		case "palette":
			for i, c := range strings.Split(value, ",") {
				rgb, err := strconv.ParseUint(strings.TrimSpace(c), 16, 24)
				if err == nil && i < len(v.palette) {
					v.palette[i] = color.RGBA{uint8(rgb >> 16), uint8(rgb >> 8), uint8(rgb), 255}
				}
			}
		}
	}
	return v
}

// subPicture is what the control sequences of a packet say.
type subPicture struct {
	colors, alphas   [4]byte
	area             image.Rectangle
	offsets          [2]int // of the even and the odd lines
	start, stop      time.Duration
	starts, stops    bool
	hasArea, hasData bool
}

// Next returns the subtitle of a packet that is due at a time; false: it shows nothing that can be read.
func (v *VobSub) Next(packet []byte, at time.Duration) (Cue, bool) {
	s, ok := control(packet)
	if !ok || !s.hasArea || !s.hasData || s.area.Empty() || s.area.Dx()*s.area.Dy() > maxPixels {
		return Cue{}, false
	}
	c := Cue{From: at + s.start, To: at + s.start + Lasting, At: s.area, Canvas: v.canvas}
	if s.stops && s.stop > s.start {
		c.To = at + s.stop
	}
	var colors [4]color.RGBA
	for i := range colors {
		k, a := v.palette[s.colors[i]], uint32(s.alphas[i])*17
		colors[i] = color.RGBA{uint8(uint32(k.R) * a / 255), uint8(uint32(k.G) * a / 255), uint8(uint32(k.B) * a / 255), uint8(a)}
	}
	c.Image = image.NewRGBA(image.Rectangle{Max: s.area.Size()})
	for field, offset := range s.offsets {
		if offset < len(packet) {
			drawField(c.Image, packet[offset:], field, &colors)
		}
	}
	return c, true
}

// control reads the control sequences. A later one may change colours, as a fade does; the first values stay.
func control(p []byte) (s subPicture, ok bool) {
	if len(p) < 4 {
		return s, false
	}
	at := int(binary.BigEndian.Uint16(p[2:]))
	for range 64 {
		if at+4 > len(p) {
			break
		}
		when := time.Duration(binary.BigEndian.Uint16(p[at:])) * 1024 * time.Second / 90000
		next := int(binary.BigEndian.Uint16(p[at+2:]))
		if !s.commands(p[at+4:], when) || next <= at { // the last one names itself
			break
		}
		at = next
	}
	return s, s.starts
}

// commands carries out one sequence; false: it cannot be read to its end.
func (s *subPicture) commands(b []byte, when time.Duration) bool {
	sizes := [7]int{3: 2, 4: 2, 5: 6, 6: 4}
	for len(b) > 0 && b[0] != 0xFF {
		cmd := b[0]
		if int(cmd) >= len(sizes) || len(b) <= sizes[cmd] {
			return false
		}
		arg := b[1 : 1+sizes[cmd]]
		b = b[1+sizes[cmd]:]
		switch cmd {
		case 0, 1:
			if !s.starts {
				s.start, s.starts = when, true
			}
		case 2:
			s.stop, s.stops = when, true
		case 3:
			if !s.hasData {
				s.colors = nibbles(arg)
			}
		case 4:
			if !s.hasData || s.alphas == [4]byte{} {
				s.alphas = nibbles(arg)
			}
		case 5:
			x1, x2 := int(arg[0])<<4|int(arg[1])>>4, int(arg[1])&15<<8|int(arg[2])
			y1, y2 := int(arg[3])<<4|int(arg[4])>>4, int(arg[4])&15<<8|int(arg[5])
			if !s.hasArea && x2 >= x1 && y2 >= y1 {
				s.area, s.hasArea = image.Rect(x1, y1, x2+1, y2+1), true
			}
		case 6:
			if !s.hasData {
				s.offsets = [2]int{int(binary.BigEndian.Uint16(arg)), int(binary.BigEndian.Uint16(arg[2:]))}
				s.hasData = true
			}
		}
	}
	return len(b) > 0
}

// nibbles are four values, of which the last is that of the background.
func nibbles(b []byte) [4]byte { return [4]byte{b[1] & 15, b[1] >> 4, b[0] & 15, b[0] >> 4} }

// drawField draws every second line. A run is 4, 8, 12 or 16 bits, of which the last two are the colour; one without a
// length goes to the end of the line, which is filled to a byte.
func drawField(img *image.RGBA, b []byte, field int, colors *[4]color.RGBA) {
	size := img.Bounds().Max
	pos := 0 // in nibbles
	for y := field; y < size.Y; y += 2 {
		for x := 0; x < size.X; {
			code, digits := 0, 0
			for limit := 4; ; limit <<= 2 {
				if pos >= 2*len(b) {
					return
				}
				code = code<<4 | int(b[pos/2]>>(4*(1-pos&1))&15)
				pos++
				if digits++; code >= limit || digits == 4 {
					break
				}
			}
			run := code >> 2
			if run == 0 {
				run = size.X
			}
			end := min(x+run, size.X)
			if c := colors[code&3]; c.A > 0 {
				for ; x < end; x++ {
					img.SetRGBA(x, y, c)
				}
			}
			x = end
		}
		pos += pos & 1
	}
}
