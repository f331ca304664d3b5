package tags

import (
	"errors"
	"io"

	"manofwar/internal/media"
)

// frameHeader is what the four bytes in front of an MPEG audio frame say (ISO/IEC 11172-3 and 13818-3).
type frameHeader struct {
	layer    int // 1, 2 or 3
	rate     int // Hz
	channels int
	bitrate  int // bits per second
	samples  int // in the frame
	size     int // of the frame in bytes, with this header
	sideInfo int // bytes between the header and a Xing tag, in layer III
}

// The bit rates in kb/s, by version 1 or 2 and layer.
var bitrates = [2][3][15]int{
	{
		{0, 32, 64, 96, 128, 160, 192, 224, 256, 288, 320, 352, 384, 416, 448},
		{0, 32, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320, 384},
		{0, 32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320},
	}, {
		{0, 32, 48, 56, 64, 80, 96, 112, 128, 144, 160, 176, 192, 224, 256},
		{0, 8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160},
		{0, 8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160},
	},
}

var sampleRates = [3]int{44100, 48000, 32000}

// parseFrameHeader reads a frame header, and reports whether it is one. Free-format frames are not: their size is not told.
func parseFrameHeader(b []byte) (h frameHeader, ok bool) {
	if len(b) < 4 || b[0] != 0xFF || b[1]&0xE0 != 0xE0 {
		return h, false
	}
	version, layer := b[1]>>3&3, b[1]>>1&3
	bitrate, rate, padding := int(b[2]>>4), int(b[2]>>2&3), int(b[2]>>1&1)
	if version == 1 || layer == 0 || bitrate == 0 || bitrate == 15 || rate == 3 {
		return h, false
	}
	h.layer, h.rate = 4-int(layer), sampleRates[rate]
	v := 0
	switch version {
	case 2:
		v, h.rate = 1, h.rate/2
	case 0:
		v, h.rate = 1, h.rate/4
	}
	h.bitrate = bitrates[v][h.layer-1][bitrate] * 1000
	h.channels = 2
	mono := b[3]>>6 == 3
	if mono {
		h.channels = 1
	}
	switch {
	case h.layer == 1:
		h.samples, h.size = 384, (12*h.bitrate/h.rate+padding)*4
	case h.layer == 3 && v == 1:
		h.samples, h.size = 576, 72*h.bitrate/h.rate+padding
	default:
		h.samples, h.size = 1152, 144*h.bitrate/h.rate+padding
	}
	switch {
	case v == 0 && !mono:
		h.sideInfo = 32
	case v == 1 && mono:
		h.sideInfo = 9
	default:
		h.sideInfo = 17
	}
	return h, h.size > 4
}

// maxJunk is how far the first frame may be from where it should be.
const maxJunk = 64 << 10

// readMPEG reads an MP3 file, or MPEG audio of layer I or II.
func readMPEG(w *window, f *Facts) error {
	start, err := readID3(w, 0, f)
	if err != nil {
		return err
	}
	end := w.size
	if start == 0 {
		end = readTrailers(w, f)
	}
	at, h, err := firstFrame(w, start, end)
	if err != nil {
		return err
	}
	codec := [...]string{"mp1", "mp2", "mp3"}[h.layer-1]
	s := media.Stream{Kind: media.Audio, Codec: codec, Default: true, SampleRate: h.rate, Channels: h.channels}
	frames, gap, err := frameCount(w, at, h)
	if err != nil {
		return err
	}
	if frames > 0 {
		f.Duration = samples(frames*int64(h.samples)-gap, int64(h.rate))
	} else if mean, constant := meanBitrate(w, at, h); constant || f.Duration == 0 {
		f.Duration = samples((end-at)*8, int64(mean))
		if constant {
			s.Bitrate = mean
		}
	}
	f.Streams = []media.Stream{s}
	return nil
}

// readTrailers reads the tags that may be at the end, for files without one at the start, and returns where the audio ends.
func readTrailers(w *window, f *Facts) int64 {
	end := w.size
	var v1 media.Tags
	if readID3v1(w, &v1) {
		end -= 128
	}
	end = readAPE(w, end, f)
	if f.Tags.Title == "" && f.Tags.Album == "" && len(f.Tags.Artists) == 0 {
		f.Tags = v1
	}
	return end
}

// firstFrame finds the first frame that another one follows.
func firstFrame(w *window, start, end int64) (int64, frameHeader, error) {
	limit := min(start+maxJunk, end-4)
	for at := start; at <= limit; at++ {
		b, err := w.at(at, 4)
		if err != nil {
			return 0, frameHeader{}, err
		}
		h, ok := parseFrameHeader(b)
		if !ok {
			continue
		}
		next := at + int64(h.size)
		if next+4 > end {
			if at == start { // a single frame is a file, if nothing else is in it
				return at, h, nil
			}
			continue
		}
		b, err = w.at(next, 4)
		if err != nil {
			return 0, frameHeader{}, err
		}
		if follower, ok := parseFrameHeader(b); ok && follower.layer == h.layer && follower.rate == h.rate {
			return at, h, nil
		}
	}
	return 0, frameHeader{}, corrupt("there is no MPEG audio in it")
}

// frameCount returns how many frames the tag in the first one counts, 0 where it has none, and how many samples at
// both ends are the encoder's padding.
func frameCount(w *window, at int64, h frameHeader) (frames, gap int64, err error) {
	b, err := w.at(at, int(min(int64(h.size), 256, w.size-at)))
	if err != nil {
		return 0, 0, err
	}
	if i := 4 + h.sideInfo; len(b) >= i+12 && (string(b[i:i+4]) == "Xing" || string(b[i:i+4]) == "Info") {
		flags := b[i+7]
		if flags&1 == 0 {
			return 0, 0, nil
		}
		frames = be32(b[i+8:])
		lame := i + 8 + 4
		for bit, size := range [...]int{1: 4, 2: 100, 3: 4} { // bytes, a table of contents, quality
			if flags>>bit&1 != 0 {
				lame += size
			}
		}
		if len(b) >= lame+24 && b[lame] != 0 { // the encoder's name, then its own fields; the gap is at 21
			gap = int64(be24(b[lame+21:])>>12) + int64(be24(b[lame+21:])&0xFFF)
		}
		return frames, min(gap, 10*int64(h.samples)), nil
	}
	if i := 36; len(b) >= i+18 && string(b[i:i+4]) == "VBRI" {
		return be32(b[i+14:]), 0, nil
	}
	return 0, 0, nil
}

// meanBitrate returns the bit rate of the first frames, and whether they all have the same.
func meanBitrate(w *window, at int64, h frameHeader) (mean int, constant bool) {
	const few = 8
	sum, n := 0, 0
	for n < few {
		b, err := w.at(at, 4)
		if err != nil {
			break
		}
		f, ok := parseFrameHeader(b)
		if !ok || f.layer != h.layer {
			break
		}
		sum, n, at = sum+f.bitrate, n+1, at+int64(f.size)
	}
	if n == 0 {
		return h.bitrate, true
	}
	mean = sum / n
	return mean, mean == h.bitrate
}

func isShort(err error) bool { return errors.Is(err, io.ErrUnexpectedEOF) }
