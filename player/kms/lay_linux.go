package kms

import "encoding/binary"

// run is a part of an overlay's line, from and to in bytes of it. Pixels in no run are transparent.
type run struct {
	from, to int
	even     bool // they are all the same
}

// shortest is the shortest run of equal pixels that is worth a run of its own, in bytes.
const shortest = 64

// runsOf finds out how a line is to be laid: most of a menu is one shade, and nothing at all where there is no letter.
func runsOf(line []byte) (runs []run) {
	mixed := 0 // from where pixels wait to be a run
	flush := func(to int) {
		if mixed < to {
			runs = append(runs, run{mixed, to, false})
		}
	}
	for at := 0; at < len(line); {
		colour, end := order.Uint32(line[at:]), at+4
		for end < len(line) && order.Uint32(line[end:]) == colour {
			end += 4
		}
		if end-at >= shortest || colour == 0 && end == len(line) {
			flush(at)
			if mixed = end; colour != 0 {
				runs = append(runs, run{at, end, true})
			}
		}
		at = end
	}
	flush(len(line))
	return runs
}

// lay lays the line y of the screen from x0 to x1, which must be in the overlay, over the pixels to.
func (o *overlay) lay(to []byte, y, x0, x1 int) {
	line := o.row(y, o.rect.Min.X, o.rect.Max.X)
	first, last := 4*(x0-o.rect.Min.X), 4*(x1-o.rect.Min.X)
	for _, r := range o.runs[y-o.rect.Min.Y] {
		from, end := max(r.from, first), min(r.to, last)
		switch {
		case from >= end:
		case r.even:
			layShade(to[from-first:end-first], order.Uint32(line[from:]))
		default:
			lay(to[from-first:end-first], line[from:end])
		}
	}
}

// Colours are reckoned four at a time, each in 16 bits of a word: every other byte of two pixels.
const (
	lanes  = 0x00ff00ff00ff00ff
	halves = 0x0080008000800080
	first  = 0x00000000ffffffff // of two pixels
)

var order = binary.LittleEndian

// lay lays premultiplied pixels over others: what is below counts by what the alpha above leaves, each v·rest/255 rounded.
func lay(to, from []byte) {
	to = to[:len(from)]
	i := 0
	for ; i <= len(from)-8; i += 8 {
		over, under := order.Uint64(from[i:]), order.Uint64(to[i:])
		one, two := ^over>>24&255, ^over>>56
		low, high := under&lanes, under>>8&lanes
		low = low&first*one + low&^first*two
		high = high&first*one + high&^first*two
		order.PutUint64(to[i:], over+(fold(low)|fold(high)<<8))
	}
	if i <= len(from)-4 {
		layShade(to[i:], order.Uint32(from[i:]))
	}
}

// layShade lays one colour over pixels.
func layShade(to []byte, colour uint32) {
	over := uint64(colour) | uint64(colour)<<32
	rest := ^over >> 56
	i := 0
	for ; i <= len(to)-8; i += 8 {
		under := order.Uint64(to[i:])
		order.PutUint64(to[i:], over+(fold(under&lanes*rest)|fold(under>>8&lanes*rest)<<8))
	}
	if i <= len(to)-4 {
		under := uint64(order.Uint32(to[i:]))
		order.PutUint32(to[i:], colour+uint32(fold(under&lanes*rest)|fold(under>>8&lanes*rest)<<8))
	}
}

// fold divides four numbers up to 255·255 by 255, rounded.
func fold(v uint64) uint64 {
	v += halves
	return (v + v>>8&lanes) >> 8 & lanes
}
