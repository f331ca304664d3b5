package iec958

import (
	"bytes"
	"encoding/binary"
	"math/bits"
	"os"
	"path/filepath"
	"testing"
)

// TestAsALSALib compares with what alsa-lib 1.2.8's own plugin made of the same random samples: pcm type "iec958" with
// hdmi_mode and this status, its slave a "file" of format IEC958_SUBFRAME_LE. 200 frames reach into the second block.
func TestAsALSALib(t *testing.T) {
	for name, c := range map[string]struct {
		form Form
		pack func(p *Packer, dst, src []byte) []byte
	}{
		"s16-stereo-48000": {Form{Rate: 48000, Channels: 2, Bits: 16}, (*Packer).Pack16},
		"s16-six-44100":    {Form{Rate: 44100, Channels: 6, Bits: 16}, (*Packer).Pack16},
		"s32-stereo-96000": {Form{Rate: 96000, Channels: 2, Bits: 24}, (*Packer).Pack32},
		"ac3-stereo-48000": {Form{Rate: 48000, Channels: 2, Bits: 16, NonAudio: true}, (*Packer).Pack16},
		"hbr-eight-192000": {Form{Rate: 192000, Channels: 8, Bits: 16, NonAudio: true}, (*Packer).Pack16},
	} {
		t.Run(name, func(t *testing.T) {
			in, want := read(t, name+".in"), read(t, name+".golden")
			p := New(c.form)
			if got := c.pack(p, nil, in); !bytes.Equal(got, want) {
				t.Fatalf("%d bytes differ from alsa-lib's %d, first in word %d", len(got), len(want), firstDifference(got, want)/4)
			}
			p.Reset()
			frame := len(in) / 200
			var got []byte
			for i := range 200 { // a frame at a time
				got = c.pack(p, got, in[i*frame:(i+1)*frame])
			}
			if !bytes.Equal(got, want) {
				t.Error("packed frame by frame it is something else")
			}
		})
	}
}

func read(t *testing.T, name string) []byte {
	t.Helper()
	data, err := os.ReadFile(filepath.Join("testdata", name))
	if err != nil {
		t.Fatal(err)
	}
	return data
}

func firstDifference(a, b []byte) int {
	for i := range min(len(a), len(b)) {
		if a[i] != b[i] {
			return i
		}
	}
	return min(len(a), len(b))
}

// TestSamples reads the samples back out of the subframes.
func TestSamples(t *testing.T) {
	samples := []int32{0, 1, -1, 1<<23 - 1, -1 << 23, 0x123456, -0x654321, 42}
	var in24, in32 []byte
	for _, s := range samples {
		in24 = binary.LittleEndian.AppendUint32(in24, uint32(s))
		in32 = binary.LittleEndian.AppendUint32(in32, uint32(s)<<8|0x7f) // the low byte is left out
	}
	f := Form{Rate: 48000, Channels: 2, Bits: 24}
	low, high := New(f).Pack24(nil, in24), New(f).Pack32(nil, in32)
	if !bytes.Equal(low, high) {
		t.Error("24 bits and the highest 24 of 32 are packed differently")
	}
	for i, want := range samples {
		word := binary.LittleEndian.Uint32(low[4*i:])
		if got := int32(word<<4) >> 8; got != want {
			t.Errorf("sample %d: %#x instead of %#x", i, got, want)
		}
		if bits.OnesCount32(word>>4)%2 != 0 {
			t.Errorf("subframe %d: %#08x has odd parity", i, word)
		}
	}
}

func TestStatus(t *testing.T) {
	for _, c := range []struct {
		form Form
		want [5]byte
	}{
		{Form{Rate: 44100, Bits: 16}, [5]byte{0x04, 0x82, 0, 0x00, 0x02}},
		{Form{Rate: 192000, Bits: 24}, [5]byte{0x04, 0x82, 0, 0x0e, 0x0b}},
		{Form{Rate: 48000, Bits: 16, NonAudio: true}, [5]byte{0x06, 0x82, 0, 0x02, 0x02}},
		{Form{Rate: 12345, Bits: 16}, [5]byte{0x04, 0x82, 0, 0x01, 0x02}},
	} {
		if got := Status(c.form); [5]byte(got[:5]) != c.want || [19]byte(got[5:]) != [19]byte{} {
			t.Errorf("%+v: % x; want % x and zeros", c.form, got, c.want)
		}
	}
}

func BenchmarkPack16(b *testing.B) {
	src := make([]byte, 48000*4) // a second
	for i := range src {
		src[i] = byte(i * 31)
	}
	p, dst := New(Form{Rate: 48000, Channels: 2, Bits: 16}), make([]byte, 0, 2*len(src))
	b.ReportAllocs()
	for b.Loop() {
		dst = p.Pack16(dst[:0], src)
	}
}
