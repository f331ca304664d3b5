// Package iec958 packs samples into the subframes of IEC 60958, as the kernel's format IEC958_SUBFRAME_LE has them: one
// little-endian word for each sample of each channel. It is the only form that the HDMI of a Raspberry Pi takes.
//
// The bits of a word, from the lowest (IEC 60958-1, clause 4.1; alsa-lib's pcm_iec958.c writes the same):
//
//	0–3    preamble: 8 (Z) first channel at the start of a block, 2 (X) first channel otherwise, 4 (Y) all other channels
//	4–27   the sample, its highest bit in 27
//	28     validity: 0, the sample is fit for a converter
//	29     user data: 0
//	30     channel status: one bit per frame, 192 frames to the block, the same for all channels
//	31     parity: makes bits 4–31 even
//
// A compressed stream in eight channels is one of four times the rate (HDMI's high bit rate): every pair of channels is
// then a frame of the block.
//
// It leaves out user data and professional use.
package iec958

import (
	"encoding/binary"
	"math/bits"
)

// block is how many frames a block of channel status has.
const block = 192

// Preambles.
const (
	preambleZ = 0x8
	preambleX = 0x2
	preambleY = 0x4
)

// Packer packs one stream. The zero value is of no use: see [New].
type Packer struct {
	status   [block / 8]byte
	channels int
	pairs    bool // each pair of channels is a frame of the block
	frame    int  // of the block
}

// Form is what a stream is.
type Form struct {
	Rate     int // frames per second
	Channels int
	Bits     int  // of a sample that count: 16, 20 or 24
	NonAudio bool // samples are the bytes of a compressed stream (IEC 61937)
}

// rates are the codes of channel status bits 24 to 27 (IEC 60958-3, clause 5.2.2).
var rates = map[int]byte{
	22050: 0x4, 24000: 0x6, 32000: 0x3, 44100: 0x0, 48000: 0x2, 88200: 0x8, 96000: 0xa, 176400: 0xc, 192000: 0xe, 768000: 0x9,
}

// wordLengths are the codes of bits 32 to 35.
var wordLengths = map[int]byte{16: 0x2, 20: 0x3, 24: 0xb}

// rateNotIndicated says that a stream has a rate which has no code.
const rateNotIndicated = 0x1

// Status returns the 24 bytes of channel status of consumer use: copying permitted, category "PCM encoder/decoder",
// original.
func Status(f Form) (s [block / 8]byte) {
	s[0] = 0x04
	if f.NonAudio {
		s[0] |= 0x02
	}
	s[1] = 0x82
	code, ok := rates[f.Rate]
	if !ok {
		code = rateNotIndicated
	}
	s[3], s[4] = code, wordLengths[f.Bits]
	return s
}

// New returns a packer at the start of a block.
func New(f Form) *Packer {
	return &Packer{status: Status(f), channels: f.Channels, pairs: f.NonAudio && f.Channels == 8}
}

// Reset goes back to the start of a block, for a stream that starts anew.
func (p *Packer) Reset() { p.frame = 0 }

// Pack16 appends the subframes of interleaved 16-bit samples, whole frames, to dst.
func (p *Packer) Pack16(dst, src []byte) []byte {
	for len(src) >= 2*p.channels {
		for c := range p.channels {
			dst = p.append(dst, uint32(binary.LittleEndian.Uint16(src[2*c:]))<<12, c)
		}
		src = src[2*p.channels:]
		p.advance()
	}
	return dst
}

// Pack24 is [Packer.Pack16] for samples in the low 24 of 32 bits.
func (p *Packer) Pack24(dst, src []byte) []byte {
	for len(src) >= 4*p.channels {
		for c := range p.channels {
			dst = p.append(dst, binary.LittleEndian.Uint32(src[4*c:])<<4, c)
		}
		src = src[4*p.channels:]
		p.advance()
	}
	return dst
}

// Pack32 is [Packer.Pack16] for samples of 32 bits, of which the highest 24 are kept.
func (p *Packer) Pack32(dst, src []byte) []byte {
	for len(src) >= 4*p.channels {
		for c := range p.channels {
			dst = p.append(dst, binary.LittleEndian.Uint32(src[4*c:])>>4, c)
		}
		src = src[4*p.channels:]
		p.advance()
	}
	return dst
}

// sampleBits are those of a subframe that hold the sample.
const sampleBits = 0x0ffffff0

// append adds the subframe of a sample that is in its place.
func (p *Packer) append(dst []byte, sample uint32, channel int) []byte {
	frame := p.frame
	if p.pairs {
		frame += channel / 2
	}
	word := sample&sampleBits | uint32(p.status[frame/8]>>(frame%8)&1)<<30
	word |= uint32(bits.OnesCount32(word)&1) << 31
	switch {
	case channel > 0:
		word |= preambleY
	case p.frame == 0:
		word |= preambleZ
	default:
		word |= preambleX
	}
	return binary.LittleEndian.AppendUint32(dst, word)
}

// advance goes on to the next frame.
func (p *Packer) advance() {
	p.frame++
	if p.pairs {
		p.frame += 3
	}
	if p.frame == block {
		p.frame = 0
	}
}
