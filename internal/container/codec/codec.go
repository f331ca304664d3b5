// Package codec describes how elementary streams are announced to a decoder: the sample entry of an MP4 file
// (ISO/IEC 14496-12 and the codec's own binding to it) and the codecs parameter of RFC 6381 that playlists carry.
//
// Each codec has a constructor that takes the configuration as containers store it and checks what it reads of it. It
// leaves decoding to others, and reads of the media itself only the first header of AC-3, E-AC-3 and VP9 streams,
// whose configuration Matroska does not store.
package codec

import (
	"encoding/binary"
	"errors"
	"fmt"
)

// ErrConfig is wrapped by every error of this package: the configuration is too short or contradicts itself.
var ErrConfig = errors.New("malformed codec configuration")

// Config is how one stream is announced. The zero value has no name; a Config with a name and no Entry is of a codec
// that MP4 segments cannot carry to a browser.
type Config struct {
	Name    string // ffmpeg's short name, such as "h264"
	Entry   string // the sample entry's type, such as "avc1"; empty: not for segments
	RFC6381 string // the codecs parameter, such as "avc1.640028"
	Box     []byte // the configuration box, such as avcC, with its header
	Extra   []byte // further boxes of the sample entry, such as pasp and colr

	Width, Height        int // of video, in pixels
	SampleRate, Channels int // of audio; SampleRate in Hz
}

// Playable reports whether MP4 segments can carry the stream.
func (c Config) Playable() bool { return c.Entry != "" }

// SampleEntry returns the box that stands in a track's stsd. Where c is not [Config.Playable] it returns nil.
func (c Config) SampleEntry() []byte {
	if !c.Playable() {
		return nil
	}
	b := make([]byte, 8, 8+78+len(c.Box)+len(c.Extra))
	copy(b[4:], c.Entry)
	b = append(b, 0, 0, 0, 0, 0, 0, 0, 1) // reserved, data_reference_index
	if c.Width > 0 {
		b = c.appendVisual(b)
	} else {
		b = c.appendAudio(b)
	}
	b = append(append(b, c.Box...), c.Extra...)
	binary.BigEndian.PutUint32(b, uint32(len(b)))
	return b
}

// appendVisual appends the fields of a VisualSampleEntry.
func (c Config) appendVisual(b []byte) []byte {
	b = append(b, make([]byte, 16)...)
	b = binary.BigEndian.AppendUint16(b, uint16(c.Width))
	b = binary.BigEndian.AppendUint16(b, uint16(c.Height))
	b = binary.BigEndian.AppendUint32(b, 72<<16) // horizontal and vertical resolution, dpi
	b = binary.BigEndian.AppendUint32(b, 72<<16)
	b = append(b, 0, 0, 0, 0, 0, 1)       // reserved, frame_count
	b = append(b, make([]byte, 32)...)    // compressorname
	return append(b, 0, 0x18, 0xFF, 0xFF) // depth, pre_defined
}

// appendAudio appends the fields of an AudioSampleEntry.
func (c Config) appendAudio(b []byte) []byte {
	b = append(b, make([]byte, 8)...)
	b = binary.BigEndian.AppendUint16(b, uint16(c.Channels))
	b = append(b, 0, 16, 0, 0, 0, 0) // samplesize, pre_defined, reserved
	rate := uint32(c.SampleRate)
	if rate > 0xFFFF { // does not fit 16.16: the codec's own configuration says it
		rate = 0
	}
	return binary.BigEndian.AppendUint32(b, rate<<16)
}

// box wraps a payload.
func box(typ string, payload ...[]byte) []byte {
	b := append(make([]byte, 4), typ...)
	for _, p := range payload {
		b = append(b, p...)
	}
	binary.BigEndian.PutUint32(b, uint32(len(b)))
	return b
}

func malformed(what string) error { return fmt.Errorf("%w: %s", ErrConfig, what) }

// bitReader reads big-endian bit fields. Reading past the end yields zeros and is remembered.
type bitReader struct {
	data []byte
	pos  int // in bits
	over bool
}

func (b *bitReader) read(n int) (v uint64) {
	for range n {
		v <<= 1
		if b.pos>>3 < len(b.data) {
			v |= uint64(b.data[b.pos>>3]>>(7-b.pos&7)) & 1
		} else {
			b.over = true
		}
		b.pos++
	}
	return v
}

// fields packs bit fields given as pairs of width and value, padded with zeros to whole bytes.
func fields(pairs ...uint64) (out []byte) {
	n := 0
	for i := 0; i < len(pairs); i += 2 {
		for bit := int(pairs[i]) - 1; bit >= 0; bit-- {
			if n%8 == 0 {
				out = append(out, 0)
			}
			out[n/8] |= byte(pairs[i+1]>>bit&1) << (7 - n%8)
			n++
		}
	}
	return out
}
