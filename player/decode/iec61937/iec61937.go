// Package iec61937 packs AC-3, E-AC-3 and DTS for a receiver: each packet becomes a burst of 16-bit samples in stereo that
// lasts as long as the sound in it (IEC 61937-1, -3 and -5).
//
// Of DTS-HD only the core is packed, which every receiver of DTS takes. TrueHD is not packed: it needs eight channels.
package iec61937

import (
	"encoding/binary"
	"errors"
)

// ErrPacket is the error of a packet that is none of the three.
var ErrPacket = errors.New("not a packet of AC-3, E-AC-3 or DTS")

// The types of data in a burst (IEC 61937-2, table 2).
const (
	typeAC3  = 1
	typeDTS1 = 11 // 512 samples; types 12 and 13 have twice and four times as many
	typeEAC3 = 21
)

// Sizes of bursts in bytes: the samples of a packet by four. E-AC-3 is carried at four times the rate.
const (
	burstAC3  = 1536 * 4
	burstEAC3 = 4 * burstAC3
	maxDTS    = 128 << 7
)

// Packer packs one stream. Its zero value is ready.
type Packer struct {
	collected []byte // packets of E-AC-3 that share a burst, which holds six blocks
	count     int
	burst     []byte
}

// Pack returns the packet's burst, valid until the next call, as 16-bit samples in little endian; nothing, where it goes
// into one burst with the packet after it.
func (p *Packer) Pack(packet []byte) ([]byte, error) {
	switch {
	case len(packet) >= 12 && packet[0] == 0x0B && packet[1] == 0x77:
		if packet[5]>>3 > 10 {
			return p.packEAC3(packet)
		}
		return p.write(typeAC3|uint16(packet[5]&7)<<8, 8*(len(packet)+len(packet)&1), packet, burstAC3)
	case len(packet) >= 12 && binary.BigEndian.Uint32(packet) == 0x7FFE8001:
		return p.packDTS(packet)
	}
	return nil, ErrPacket
}

// packEAC3 collects packets until they make six blocks (ETSI TS 102 366, E.1.3: fscod, numblkscod).
func (p *Packer) packEAC3(packet []byte) ([]byte, error) {
	packets := 1
	if packet[4]&0xC0 != 0xC0 {
		packets = [4]int{6, 3, 2, 1}[packet[4]>>4&3]
	}
	if len(p.collected)+len(packet) > burstEAC3-preamble {
		p.collected, p.count = nil, 0
		return nil, ErrPacket
	}
	p.collected = append(p.collected, packet...)
	if p.count++; p.count < packets {
		return nil, nil
	}
	burst, err := p.write(typeEAC3, len(p.collected), p.collected, burstEAC3)
	p.collected, p.count = p.collected[:0], 0
	return burst, err
}

// packDTS packs the core of a packet (ETSI TS 102 114, 5.3: NBLKS and FSIZE).
func (p *Packer) packDTS(packet []byte) ([]byte, error) {
	blocks := (int(packet[4])&1<<6 | int(packet[5])>>2) + 1
	core := (int(packet[5])&3<<12 | int(packet[6])<<4 | int(packet[7])>>4) + 1
	kind := map[int]uint16{16: typeDTS1, 32: typeDTS1 + 1, 64: typeDTS1 + 2}[blocks]
	if kind == 0 || core > len(packet) {
		return nil, ErrPacket
	}
	return p.write(kind, 8*(core+core&1), packet[:core], blocks<<7)
}

const preamble = 8 // bytes

// write makes a burst: Pa, Pb, the type, the length in the type's own unit, the words of the packet, and silence.
func (p *Packer) write(kind uint16, length int, packet []byte, size int) ([]byte, error) {
	if preamble+len(packet)+len(packet)&1 > size {
		return nil, ErrPacket
	}
	if cap(p.burst) < size {
		p.burst = make([]byte, max(size, maxDTS))
	}
	b := p.burst[:size]
	clear(b)
	for i, w := range [4]uint16{0xF872, 0x4E1F, kind, uint16(length)} {
		binary.LittleEndian.PutUint16(b[2*i:], w)
	}
	for i, c := range packet {
		b[preamble+i^1] = c
	}
	return b, nil
}
