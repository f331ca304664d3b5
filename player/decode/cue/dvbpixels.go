package cue

import "image"

// bits reads a string of bits. Past the end it gives zeros.
type bits struct {
	data []byte
	pos  int
}

func (b *bits) take(n int) (v int) {
	for range n {
		v <<= 1
		if i := b.pos / 8; i < len(b.data) {
			v |= int(b.data[i]>>(7-b.pos%8)) & 1
		}
		b.pos++
	}
	return v
}

func (b *bits) over() bool { return b.pos >= 8*len(b.data) }

// draw draws the lines of a field, every second one from a point on (EN 300 743, 7.2.5.1).
func (r *region) draw(data []byte, at image.Point) {
	b := &bits{data: data}
	x, y := at.X, at.Y
	for !b.over() {
		switch kind := b.take(8); kind {
		case 0x10, 0x11, 0x12:
			x = r.run(b, kind, x, y)
			b.pos = (b.pos + 7) / 8 * 8
		case 0x20: // tables that map pixels to a larger depth: the usual ones are used
			b.pos += 16
		case 0x21:
			b.pos += 32
		case 0x22:
			b.pos += 128
		case 0xF0:
			x, y = at.X, y+2
		default:
			return
		}
	}
}

// run draws a string of pixels and returns where it ends.
func (r *region) run(b *bits, kind, x, y int) int {
	next := map[int]func(*bits) (int, int){0x10: run2, 0x11: run4, 0x12: run8}[kind]
	bits := map[int]int{0x10: 2, 0x11: 4, 0x12: 8}[kind]
	for !b.over() {
		if kind == 0x12 && x >= r.size.X { // two zeros are due, but ffmpeg's encoder, and so others, write one
			for range 2 {
				if i := b.pos / 8; i < len(b.data) && b.data[i] == 0 {
					b.pos += 8
				}
			}
			break
		}
		n, v := next(b)
		if n == 0 {
			break
		}
		c := r.deepen(v, bits)
		if y < r.size.Y {
			for i := x; i < min(x+n, r.size.X); i++ {
				r.pixels[y*r.size.X+i] = c
			}
		}
		x += n
	}
	return x
}

// deepen maps a pixel to the region's depth, as without tables of its own (10.4 to 10.6).
func (r *region) deepen(v, bits int) byte {
	switch {
	case bits == 2 && r.depth == 4:
		return [4]byte{0, 7, 8, 15}[v]
	case bits == 2 && r.depth == 8:
		return [4]byte{0, 0x77, 0x88, 0xFF}[v]
	case bits == 4 && r.depth == 8:
		return byte(v * 0x11)
	}
	return byte(v & (1<<r.depth - 1))
}

// run2 reads a run of pixels of two bits (7.2.5.2.1); none: the string ends.
func run2(b *bits) (n, v int) {
	if v = b.take(2); v != 0 {
		return 1, v
	}
	if b.take(1) == 1 {
		n = b.take(3) + 3
		return n, b.take(2)
	}
	if b.take(1) == 1 {
		return 1, 0
	}
	switch b.take(2) {
	case 1:
		return 2, 0
	case 2:
		n = b.take(4) + 12
		return n, b.take(2)
	case 3:
		n = b.take(8) + 29
		return n, b.take(2)
	}
	return 0, 0
}

// run4 reads a run of pixels of four bits (7.2.5.2.2).
func run4(b *bits) (n, v int) {
	if v = b.take(4); v != 0 {
		return 1, v
	}
	if b.take(1) == 0 {
		if n = b.take(3); n != 0 {
			n += 2
		}
		return n, 0
	}
	if b.take(1) == 0 {
		n = b.take(2) + 4
		return n, b.take(4)
	}
	switch b.take(2) {
	case 0:
		return 1, 0
	case 1:
		return 2, 0
	case 2:
		n = b.take(4) + 9
	default:
		n = b.take(8) + 25
	}
	return n, b.take(4)
}

// run8 reads a run of pixels of eight bits (7.2.5.2.3).
func run8(b *bits) (n, v int) {
	if v = b.take(8); v != 0 {
		return 1, v
	}
	if b.take(1) == 0 {
		return b.take(7), 0
	}
	n = b.take(7)
	return n, b.take(8)
}
