// Package fmp4 writes fragmented MP4 (ISO/IEC 14496-12, as CMAF, ISO/IEC 23000-19, narrows it): the init segment that
// announces tracks, and the head of a media segment. It writes boxes only. The samples themselves follow the head as
// they lie in another file, so that nobody has to copy them.
package fmp4

import (
	"encoding/binary"

	"manofwar/internal/container"
	"manofwar/internal/media"
)

// Init returns the init segment for tracks, which get the IDs 1, 2, … in their order. Each must be playable.
//
// Samples' composition offsets are made positive by their track's Reorder, which an edit list takes off again: every
// player understands that, while FFmpeg delays the picture where offsets are negative.
func Init(tracks []container.Track) []byte {
	var b buffer
	b.box("ftyp", func() {
		b.str("iso6").u32(0).str("iso6").str("cmf2").str("mp41")
	})
	b.box("moov", func() {
		b.full("mvhd", 0, 0, func() {
			b.zeros(8).u32(1000).zeros(4)       // times, timescale, duration: unknown
			b.u32(0x10000).u16(0x100).zeros(10) // rate, volume, reserved
			b.raw(identity).zeros(24)
			b.u32(uint32(len(tracks) + 1)) // next_track_ID
		})
		for i, t := range tracks {
			b.trak(uint32(i+1), t)
		}
		b.box("mvex", func() {
			for i := range tracks {
				b.full("trex", 0, 0, func() { b.u32(uint32(i + 1)).u32(1).zeros(12) })
			}
		})
	})
	return b.data
}

// identity is the matrix of a picture that is shown as it is.
var identity = []byte{
	0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0x40, 0, 0, 0,
}

// trak appends a track without samples.
func (b *buffer) trak(id uint32, t container.Track) {
	video := t.Kind == media.Video
	b.box("trak", func() {
		b.full("tkhd", 0, 7, func() { // enabled, in the movie, in the preview
			b.zeros(8).u32(id).zeros(8 + 8 + 4) // times; reserved, duration; reserved, layer, alternate_group
			if video {
				b.u16(0)
			} else {
				b.u16(0x100)
			}
			b.zeros(2)
			if len(t.Matrix) == len(identity) {
				b.raw(t.Matrix)
			} else {
				b.raw(identity)
			}
			b.u32(uint32(t.Config.Width) << 16).u32(uint32(t.Config.Height) << 16)
		})
		if t.Reorder > 0 {
			b.box("edts", func() {
				b.full("elst", 1, 0, func() { b.u32(1).zeros(8).u64(uint64(t.Reorder)).u32(0x10000) })
			})
		}
		b.box("mdia", func() {
			b.full("mdhd", 0, 0, func() {
				b.zeros(8).u32(t.Timescale).zeros(4).u16(packLanguage(t.Language)).zeros(2)
			})
			b.full("hdlr", 0, 0, func() {
				b.zeros(4)
				if video {
					b.str("vide").zeros(12).str("video\x00")
				} else {
					b.str("soun").zeros(12).str("sound\x00")
				}
			})
			b.box("minf", func() { b.minf(video, t.Config.SampleEntry()) })
		})
	})
}

func (b *buffer) minf(video bool, entry []byte) {
	if video {
		b.full("vmhd", 0, 1, func() { b.zeros(8) })
	} else {
		b.full("smhd", 0, 0, func() { b.zeros(4) })
	}
	b.box("dinf", func() {
		b.full("dref", 0, 0, func() {
			b.u32(1)
			b.full("url ", 0, 1, func() {}) // in this file
		})
	})
	b.box("stbl", func() {
		b.full("stsd", 0, 0, func() { b.u32(1).raw(entry) })
		b.full("stts", 0, 0, func() { b.u32(0) })
		b.full("stsc", 0, 0, func() { b.u32(0) })
		b.full("stsz", 0, 0, func() { b.u32(0).u32(0) })
		b.full("stco", 0, 0, func() { b.u32(0) })
	})
}

// packLanguage packs an ISO 639-2 code; anything else is "und".
func packLanguage(code string) (v uint16) {
	if len(code) != 3 {
		code = "und"
	}
	for i := range 3 {
		if code[i] < 'a' || code[i] > 'z' {
			return packLanguage("und")
		}
		v = v<<5 | uint16(code[i]-0x60)
	}
	return v
}

// buffer is a file of boxes in the making.
type buffer struct{ data []byte }

// box appends a box whose payload body appends.
func (b *buffer) box(typ string, body func()) {
	start := len(b.data)
	b.zeros(4).str(typ)
	body()
	binary.BigEndian.PutUint32(b.data[start:], uint32(len(b.data)-start))
}

func (b *buffer) full(typ string, version byte, flags uint32, body func()) {
	b.box(typ, func() {
		b.u32(uint32(version)<<24 | flags)
		body()
	})
}

func (b *buffer) raw(p []byte) *buffer { b.data = append(b.data, p...); return b }
func (b *buffer) str(s string) *buffer { b.data = append(b.data, s...); return b }
func (b *buffer) zeros(n int) *buffer  { b.data = append(b.data, make([]byte, n)...); return b }
func (b *buffer) u16(v uint16) *buffer { b.data = binary.BigEndian.AppendUint16(b.data, v); return b }

func (b *buffer) u32(v uint32) *buffer { b.data = binary.BigEndian.AppendUint32(b.data, v); return b }

func (b *buffer) u64(v uint64) *buffer { b.data = binary.BigEndian.AppendUint64(b.data, v); return b }
