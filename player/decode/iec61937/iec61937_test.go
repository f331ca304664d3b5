package iec61937_test

import (
	"encoding/binary"
	"errors"
	"testing"

	"manofwar/player/decode/iec61937"
)

// That bursts of real packets are those of ffmpeg's own muxer is tested in package decode.

func TestAC3(t *testing.T) {
	packet := append([]byte{0x0B, 0x77, 1, 2, 0x14, 0x40}, make([]byte, 122)...)
	var p iec61937.Packer
	b, err := p.Pack(packet)
	if err != nil || len(b) != 1536*4 {
		t.Fatalf("%d bytes, %v", len(b), err)
	}
	for i, want := range []uint16{0xF872, 0x4E1F, 1, 1024, 0x0B77, 0x0102} {
		if got := binary.LittleEndian.Uint16(b[2*i:]); got != want {
			t.Errorf("word %d is %#x, want %#x", i, got, want)
		}
	}
}

func TestEAC3WaitsForSixBlocks(t *testing.T) {
	packet := append([]byte{0x0B, 0x77, 0, 63, 0x10, 0x80}, make([]byte, 122)...) // two blocks
	var p iec61937.Packer
	for i := range 9 {
		b, err := p.Pack(packet)
		if err != nil || (len(b) > 0) != (i%3 == 2) {
			t.Errorf("packet %d: %d bytes, %v", i, len(b), err)
		}
		if len(b) > 0 && (len(b) != 24576 || binary.LittleEndian.Uint16(b[6:]) != 3*128) {
			t.Errorf("a burst of %d bytes with %d", len(b), binary.LittleEndian.Uint16(b[6:]))
		}
	}
}

func TestOthersAreRefused(t *testing.T) {
	var p iec61937.Packer
	for _, packet := range [][]byte{nil, {0x0B, 0x77}, make([]byte, 100), append([]byte{0x0B, 0x77, 0, 0, 0, 0}, make([]byte, 7000)...)} {
		if _, err := p.Pack(packet); !errors.Is(err, iec61937.ErrPacket) {
			t.Errorf("%d bytes: %v", len(packet), err)
		}
	}
}

func FuzzPack(f *testing.F) {
	f.Add([]byte("\x0B\x77\x00\x3F\x10\x80 and more"))
	f.Add([]byte("\x7F\xFE\x80\x01\x00\x3C\x05\xF0 and more"))
	f.Fuzz(func(t *testing.T, packet []byte) {
		var p iec61937.Packer
		for range 8 {
			if b, err := p.Pack(packet); err == nil && len(b)%4 != 0 {
				t.Errorf("a burst of %d bytes", len(b))
			}
		}
	})
}
