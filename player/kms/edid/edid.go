// Package edid reads what a screen says of itself: the base block of an EDID (VESA E-EDID Standard, Release A, Revision 2,
// section 3), for a name that a person recognises and the timing that the screen prefers.
//
// It leaves out the extension blocks: which modes a screen has, the kernel reads better.
package edid

import (
	"encoding/binary"
	"errors"
	"strings"
)

// blockSize is that of the base block and of every extension.
const blockSize = 128

// Screen is what an EDID says.
type Screen struct {
	Maker     string // three letters, as in the registry of Plug and Play: "GSM" is LG, "SAM" Samsung
	Product   uint16 // the maker's own number
	Name      string // such as "LG TV"; empty: it says none
	Preferred Timing // zero: it says none
}

// Timing is a mode.
type Timing struct {
	Width, Height int     // in pixels
	Refresh       float64 // in Hz; of fields, if it is interlaced
	Interlaced    bool
}

// ErrInvalid says that bytes are no EDID.
var ErrInvalid = errors.New("not an EDID")

const header = "\x00\xff\xff\xff\xff\xff\xff\x00"

// Offsets in the base block.
const (
	offMaker       = 8
	offProduct     = 10
	offDescriptors = 54
	descriptorSize = 18
	descriptors    = 4
)

// Parse reads an EDID. A wrong checksum is no reason to refuse it: many a screen or adapter has one, and the kernel has
// judged by its own rules. Errors are [ErrInvalid].
func Parse(data []byte) (Screen, error) {
	if len(data) < blockSize || string(data[:len(header)]) != header {
		return Screen{}, ErrInvalid
	}
	s := Screen{
		Maker:   maker(binary.BigEndian.Uint16(data[offMaker:])),
		Product: binary.LittleEndian.Uint16(data[offProduct:]),
	}
	for i := range descriptors {
		d := data[offDescriptors+i*descriptorSize:][:descriptorSize]
		switch timing := d[0] != 0 || d[1] != 0; {
		case timing && i == 0: // the first is the preferred one
			s.Preferred = parseTiming(d)
		case !timing && d[3] == 0xfc: // display product name
			s.Name = text(d[5:])
		}
	}
	return s, nil
}

// Title returns a name for a person: the screen's own, else its maker's letters.
func (s Screen) Title() string {
	if s.Name != "" {
		return s.Name
	}
	return s.Maker
}

// maker reads three letters of five bits; empty: they are no letters.
func maker(v uint16) string {
	name := make([]byte, 3)
	for i := range name {
		letter := byte(v>>(10-5*i)) & 0x1f
		if letter < 1 || letter > 26 {
			return ""
		}
		name[i] = 'A' - 1 + letter
	}
	return string(name)
}

// parseTiming reads a detailed timing descriptor (section 3.10.2). One without pixels is zero.
func parseTiming(d []byte) Timing {
	clock := float64(binary.LittleEndian.Uint16(d)) * 10_000 // Hz
	wide, blankWide := int(d[2])|int(d[4]&0xf0)<<4, int(d[3])|int(d[4]&0x0f)<<8
	high, blankHigh := int(d[5])|int(d[7]&0xf0)<<4, int(d[6])|int(d[7]&0x0f)<<8
	if wide == 0 || high == 0 {
		return Timing{}
	}
	t := Timing{Width: wide, Height: high, Interlaced: d[17]&0x80 != 0}
	lines := float64(high + blankHigh)
	if t.Interlaced { // the descriptor counts those of one field, of which every other one has half a line more
		t.Height *= 2
		lines += 0.5
	}
	t.Refresh = clock / (float64(wide+blankWide) * lines)
	return t
}

// text reads a string that ends at a line feed and is padded with spaces. What is not ASCII is left out: the code page is
// of the 1980s.
func text(d []byte) string {
	line, _, _ := strings.Cut(string(d), "\n")
	clean := strings.Map(func(r rune) rune {
		if r < ' ' || r > '~' {
			return -1
		}
		return r
	}, line)
	return strings.Join(strings.Fields(clean), " ")
}
