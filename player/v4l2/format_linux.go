package v4l2

import (
	"fmt"
	"image"
	"slices"

	"manofwar/player"
)

// fourCC is how V4L2 names formats.
func fourCC(s string) uint32 {
	return uint32(s[0]) | uint32(s[1])<<8 | uint32(s[2])<<16 | uint32(s[3])<<24
}

// codec is a format of compressed pictures.
type codec struct {
	fourCC   uint32
	control  uint32         // lists the profiles that a device takes; 0: nobody asks
	profiles map[string]int // by ffmpeg's names, as the control numbers them
}

// codecs are those that a stateful decoder takes as ffmpeg's demuxers and bitstream filters hand them over, by ffmpeg's
// names. Older ones cost any processor little. FWHT is nobody's but the kernel's own test driver's.
var codecs = map[string]codec{
	"h264": {fourCC("H264"), controlH264Profile, map[string]int{
		"Baseline": 0, "Constrained Baseline": 1, "Main": 2, "Extended": 3, "High": 4,
	}},
	"hevc":       {fourCC("HEVC"), controlHEVCProfile, map[string]int{"Main": 0}},
	"mpeg2video": {fourCC("MPG2"), controlMPEG2Profile, map[string]int{"Simple": 0, "Main": 1, "High": 4}},
	"mpeg4":      {fourCC("MPG4"), controlMPEG4Profile, map[string]int{"Simple Profile": 0, "Advanced Simple Profile": 1}},
	"vp8":        {fourCC: fourCC("VP80")},
	"vp9":        {fourCC("VP90"), controlVP9Profile, map[string]int{"Profile 0": 0}},
	"fwht":       {fourCC: fourCC("FWHT")},
}

// picture is a format of decoded ones.
type picture struct {
	fourCC uint32
	format player.Format
	parts  int // in which a buffer comes
}

// pictures are those that displays take as well.
var pictures = []picture{
	{fourCC("NV12"), player.NV12, 1},
	{fourCC("YU12"), player.YUV420, 1},
	{fourCC("NM12"), player.NV12, 2},
	{fourCC("YM12"), player.YUV420, 3},
	{fourCC("XR24"), player.XRGB8888, 1}, // V4L2_PIX_FMT_XBGR32: blue comes first in memory
}

// pictureOf returns the format with a name.
func pictureOf(name uint32) (picture, bool) {
	i := slices.IndexFunc(pictures, func(p picture) bool { return p.fourCC == name })
	if i < 0 {
		return picture{}, false
	}
	return pictures[i], true
}

// shape is how a queue's buffers are laid out.
type shape struct {
	fourCC        uint32
	width, height int          // of the buffer, which may be more than is seen
	parts         [3]partShape // of a buffer, as many as it has
}

type partShape struct{ size, pitch int }

// place is where a plane of a picture lies in a buffer.
type place struct{ part, offset, pitch int }

// places returns where what is to be seen of a picture begins in each of its planes.
func (s shape) places(p picture, visible image.Rectangle) ([]place, error) {
	if !visible.In(image.Rect(0, 0, s.width, s.height)) || visible.Empty() {
		return nil, fmt.Errorf("a picture at %v in one of %d × %d", visible, s.width, s.height)
	}
	pitch := s.parts[0].pitch
	if p.format == player.XRGB8888 {
		return []place{{0, visible.Min.Y*pitch + 4*visible.Min.X, pitch}}, nil
	}
	if (visible.Min.X|visible.Min.Y)&1 != 0 {
		return nil, fmt.Errorf("a picture that begins in the middle of a colour, at %v", visible.Min)
	}
	left, top := visible.Min.X, visible.Min.Y
	luma := place{0, top*pitch + left, pitch}
	end := pitch * s.height // of the plane before
	colour := func(number, pitch, left int) place {
		at := place{min(number, p.parts-1), top/2*pitch + left, pitch}
		if p.parts > 1 {
			at.pitch = s.parts[at.part].pitch
			at.offset = top/2*at.pitch + left
			return at
		}
		at.offset += end
		end += pitch * (s.height / 2)
		return at
	}
	if p.format == player.NV12 {
		return []place{luma, colour(1, pitch, left)}, nil
	}
	return []place{luma, colour(1, pitch/2, left/2), colour(2, pitch/2, left/2)}, nil
}
