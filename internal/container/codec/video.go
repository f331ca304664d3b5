package codec

import (
	"fmt"
	"math/bits"
	"strings"
)

// AVC returns the configuration of H.264 from an AVCDecoderConfigurationRecord (ISO/IEC 14496-15, 5.3.3).
func AVC(record []byte, width, height int) (Config, error) {
	c := Config{Name: "h264", Width: width, Height: height}
	if len(record) < 7 || record[0] != 1 {
		return c, malformed("avcC")
	}
	c.Entry, c.Box = "avc1", box("avcC", record)
	if record[5]&0x1F == 0 { // the parameter sets are among the samples
		c.Entry = "avc3"
	}
	c.RFC6381 = fmt.Sprintf("%s.%02X%02X%02X", c.Entry, record[1], record[2], record[3])
	return c, nil
}

// HEVC returns the configuration of H.265 from an HEVCDecoderConfigurationRecord (ISO/IEC 14496-15, 8.3.3). The
// codecs parameter is its annex E.3.
func HEVC(record []byte, width, height int) (Config, error) {
	c := Config{Name: "hevc", Width: width, Height: height}
	if len(record) < 23 {
		return c, malformed("hvcC")
	}
	c.Entry, c.Box = "hvc1", box("hvcC", record)
	if record[22] == 0 { // the parameter sets are among the samples
		c.Entry = "hev1"
	}
	space := []string{"", "A", "B", "C"}[record[1]>>6]
	tier := "L"
	if record[1]&0x20 != 0 {
		tier = "H"
	}
	compat := uint32(record[2])<<24 | uint32(record[3])<<16 | uint32(record[4])<<8 | uint32(record[5])
	var s strings.Builder
	fmt.Fprintf(&s, "%s.%s%d.%X.%s%d", c.Entry, space, record[1]&0x1F, bits.Reverse32(compat), tier, record[12])
	constraints := record[6:12]
	for len(constraints) > 0 && constraints[len(constraints)-1] == 0 {
		constraints = constraints[:len(constraints)-1]
	}
	for _, b := range constraints {
		fmt.Fprintf(&s, ".%X", b)
	}
	c.RFC6381 = s.String()
	return c, nil
}

// AV1 returns the configuration of AV1 from an AV1CodecConfigurationRecord (AV1 in ISOBMFF, 2.3).
func AV1(record []byte, width, height int) (Config, error) {
	c := Config{Name: "av1", Width: width, Height: height}
	if len(record) < 4 || record[0] != 0x81 {
		return c, malformed("av1C")
	}
	c.Entry, c.Box = "av01", box("av1C", record)
	tier, depth := "M", 8
	if record[2]&0x80 != 0 {
		tier = "H"
	}
	switch {
	case record[2]&0x60 == 0x60:
		depth = 12
	case record[2]&0x40 != 0:
		depth = 10
	}
	c.RFC6381 = fmt.Sprintf("av01.%d.%02d%s.%02d", record[1]>>5, record[1]&0x1F, tier, depth)
	return c, nil
}

// VP9 returns the configuration of VP9 from a VPCodecConfigurationRecord with its version and flags (VP Codec ISO
// Media File Format Binding).
func VP9(record []byte, width, height int) (Config, error) {
	c := Config{Name: "vp9", Width: width, Height: height}
	if len(record) < 12 || record[0] != 1 {
		return c, malformed("vpcC")
	}
	c.Entry, c.Box = "vp09", box("vpcC", record)
	c.RFC6381 = fmt.Sprintf("vp09.%02d.%02d.%02d", record[4], record[5], record[6]>>4)
	return c, nil
}

// VP9Frame returns the configuration of VP9 from its first key frame (VP9 bitstream specification, 6.2) at a frame
// rate, which decides the level; 0 counts as 30.
func VP9Frame(frame []byte, width, height int, rate float64) (Config, error) {
	b := bitsOf(frame)
	marker := b.read(2)
	profile := b.read(1) | b.read(1)<<1
	if profile == 3 {
		b.read(1)
	}
	existing, inter := b.read(1), b.read(1) // show_existing_frame, frame_type
	b.read(2)
	if marker != 2 || existing|inter != 0 || b.read(24) != 0x498342 {
		return Config{Name: "vp9", Width: width, Height: height}, malformed("no VP9 key frame")
	}
	depth := uint64(8)
	if profile >= 2 {
		depth = 10 + 2*b.read(1)
	}
	matrix := []uint64{2, 6, 1, 7, 8, 9, 2, 0}[b.read(3)] // VP9's colour spaces as ISO/IEC 23001-8 numbers them
	full, chroma := b.read(1), uint64(1)                  // 4:2:0 but for profiles 1 and 3
	if profile&1 != 0 {
		chroma = 3
	}
	record := append([]byte{1, 0, 0, 0}, fields(8, profile, 8, vp9Level(width*height, rate), 4, depth, 3, chroma, 1, full, 8, 2, 8, 2, 8, matrix, 16, 0)...)
	return VP9(record, width, height)
}

// vp9Level returns the least level, times ten, that allows the picture size and sample rate (VP9 levels, table 1).
func vp9Level(pixels int, rate float64) uint64 {
	if rate == 0 {
		rate = 30
	}
	for _, l := range []struct {
		level  uint64
		size   int
		second float64
	}{
		{10, 36864, 829440},
		{11, 73728, 2764800},
		{20, 122880, 4608000},
		{21, 245760, 9216000},
		{30, 552960, 20736000},
		{31, 983040, 36864000},
		{40, 2228224, 83558400},
		{41, 2228224, 160432128},
		{50, 8912896, 311951360},
		{51, 8912896, 588251136},
		{52, 8912896, 1176502272},
		{60, 35651584, 1176502272},
		{61, 35651584, 2353004544},
	} {
		if pixels <= l.size && float64(pixels)*rate <= l.second {
			return l.level
		}
	}
	return 62
}

func bitsOf(data []byte) *bitReader { return &bitReader{data: data} }
