package edid

import (
	"math"
	"strings"
	"testing"
	"unicode"
)

// block makes a base block with descriptors.
func block(maker uint16, descriptors ...[]byte) []byte {
	b := make([]byte, blockSize)
	copy(b, header)
	b[offMaker], b[offMaker+1] = byte(maker>>8), byte(maker)
	b[offProduct], b[offProduct+1] = 0x01, 0x00
	for i, d := range descriptors {
		copy(b[offDescriptors+i*descriptorSize:], d)
	}
	return b
}

func named(name string) []byte {
	d := append([]byte{0, 0, 0, 0xfc, 0}, name...)
	if len(name) < 13 {
		d = append(d, '\n')
	}
	for len(d) < descriptorSize {
		d = append(d, ' ')
	}
	return d
}

// The timings of CTA-861's modes 16 (1920×1080 at 60 Hz) and 5 (interlaced) as descriptors.
var (
	full       = []byte{0x02, 0x3a, 0x80, 0x18, 0x71, 0x38, 0x2d, 0x40, 0x58, 0x2c, 0x45, 0x00, 0x40, 0x84, 0x63, 0x00, 0x00, 0x1e}
	interlaced = []byte{0x01, 0x1d, 0x80, 0x18, 0x71, 0x1c, 0x16, 0x20, 0x58, 0x2c, 0x25, 0x00, 0x40, 0x84, 0x63, 0x00, 0x00, 0x9e}
)

func TestParse(t *testing.T) {
	const gsm, none = 0x1e6d, 0
	for _, tt := range []struct {
		what  string
		data  []byte
		want  Screen
		title string
	}{
		{"a television", block(gsm, full, named("LG TV")), Screen{Maker: "GSM", Product: 1, Name: "LG TV", Preferred: Timing{1920, 1080, 60, false}}, "LG TV"},
		{"interlaced", block(gsm, interlaced), Screen{Maker: "GSM", Product: 1, Preferred: Timing{1920, 1080, 60, true}}, "GSM"},
		{"a full name", block(gsm, full, named("THIRTEEN CHRS")), Screen{Maker: "GSM", Product: 1, Name: "THIRTEEN CHRS", Preferred: Timing{1920, 1080, 60, false}}, "THIRTEEN CHRS"},
		{"a name with rubbish", block(none, named(" A\x00\xe9  B")), Screen{Product: 1, Name: "A B"}, "A B"},
		{"nothing", block(none), Screen{Product: 1}, ""},
	} {
		got, err := Parse(tt.data)
		if math.Abs(got.Preferred.Refresh-tt.want.Preferred.Refresh) < 0.01 {
			got.Preferred.Refresh = tt.want.Preferred.Refresh
		}
		if err != nil || got != tt.want || got.Title() != tt.title {
			t.Errorf("%s: got %+v %q, %v; want %+v %q", tt.what, got, got.Title(), err, tt.want, tt.title)
		}
	}
	for _, data := range [][]byte{nil, block(gsm)[:127], make([]byte, 256)} {
		if got, err := Parse(data); err != ErrInvalid {
			t.Errorf("%d bytes: got %+v, %v", len(data), got, err)
		}
	}
}

func FuzzParse(f *testing.F) {
	f.Add(block(0x1e6d, full, named("LG TV")))
	f.Add(block(0x4c2d, interlaced))
	f.Fuzz(func(t *testing.T, data []byte) {
		s, err := Parse(data)
		if err != nil {
			return
		}
		if strings.ContainsFunc(s.Title(), unicode.IsControl) || len(s.Name) > 13 {
			t.Errorf("name %q", s.Name)
		}
		if r := s.Preferred.Refresh; math.IsNaN(r) || math.IsInf(r, 0) || r < 0 {
			t.Errorf("timing %+v", s.Preferred)
		}
	})
}
