package alsa

import (
	"encoding/binary"
	"testing"
)

// level is a level in 0.01 dB as a TLV holds it.
func level(v int32) uint32 { return uint32(v) }

func TestZeroDB(t *testing.T) {
	for _, c := range []struct {
		name   string
		tlv    []uint32
		lo, hi int64
		want   int64
	}{
		{"AC97 master", []uint32{tlvScale, 8, level(-4650), 150}, 0, 31, 31},
		{"AC97 PCM", []uint32{tlvScale, 8, level(-3450), 150}, 0, 31, 23},
		{"with a silent value", []uint32{tlvScale, 8, level(-6375), 1<<16 | 75}, 0, 87, 85},
		{"Raspberry Pi's headphones", []uint32{tlvMinMaxM, 8, level(-10239), level(400)}, -10239, 400, 0},
		{"a USB DAC", []uint32{tlvMinMax, 8, level(-12750), 0}, 0, 255, 255},
		{"louder than 0 dB", []uint32{tlvMinMax, 8, level(-3000), level(1000)}, 0, 40, 30},
		{"linear", []uint32{tlvLinear, 8, level(-9999999), level(600)}, 0, 1000, 501},
		{"never as loud", []uint32{tlvScale, 8, level(-9000), 100}, 0, 60, 60},
		{"always too loud", []uint32{tlvMinMax, 8, level(300), level(900)}, 0, 10, 0},
		{"in a container", []uint32{tlvContainer, 32, 0x101, 8, 0, 0, tlvScale, 8, level(-1000), 100}, 0, 15, 10},
		{
			"in parts", []uint32{
				tlvRange, 72,
				0, 10, tlvScale, 8, level(-6000), 300,
				11, 20, tlvScale, 8, level(-2700), 300,
				21, 25, tlvScale, 8, level(300), 300,
			}, 0, 25, 20,
		},
		{"nothing", nil, 0, 31, 31},
		{"of an unknown type", []uint32{77, 8, 1, 2}, 0, 31, 31},
		{"cut off", []uint32{tlvScale, 8, level(-100)}, 0, 31, 31},
		{"one value", []uint32{tlvScale, 8, level(-100), 1}, 7, 7, 7},
	} {
		if got := zeroDB(c.tlv, c.lo, c.hi); got != c.want {
			t.Errorf("%s: %d; want %d", c.name, got, c.want)
		}
	}
}

// FuzzZeroDB reads what a USB device could have its driver say.
func FuzzZeroDB(f *testing.F) {
	f.Add([]byte{1, 0, 0, 0, 8, 0, 0, 0, 1, 2, 3, 4, 5, 6, 7, 8}, int64(0), int64(31))
	f.Add([]byte{3, 0, 0, 0, 24, 0, 0, 0, 0, 0, 0, 0, 9, 0, 0, 0, 1, 0, 0, 0, 8, 0, 0, 0}, int64(-5), int64(9))
	f.Fuzz(func(t *testing.T, data []byte, lo, hi int64) {
		lo, hi = lo%(1<<31), hi%(1<<31)
		if lo > hi {
			lo, hi = hi, lo
		}
		tlv := make([]uint32, min(len(data)/4, maxTLV))
		for i := range tlv {
			tlv[i] = binary.LittleEndian.Uint32(data[4*i:])
		}
		if v := zeroDB(tlv, lo, hi); v < lo || v > hi {
			t.Errorf("%d is not between %d and %d", v, lo, hi)
		}
	})
}

func TestPlaysFiles(t *testing.T) {
	for name, want := range map[string]bool{
		"Master Playback Volume": true, "PCM Playback Switch": true, "Headphone Playback Switch": true, "Speaker Playback Volume": true,
		"USB Audio DAC Playback Volume": true, "IEC958 Playback Switch": true, "Line Out Playback Switch": true, "HDMI Playback Switch": true,
		"Mic Playback Switch": false, "Line Playback Volume": false, "Line In - PCM Out Playback Volume": false, "CD Playback Switch": false,
		"Beep Playback Switch": false, "Capture Volume": false, "Mic Capture Volume": false, "Phone Playback Volume": false,
		"Headset Playback Volume": true, "Front Playback Volume": true, "Loopback Playback Switch": false, "Auto-Mute Mode": false,
	} {
		if playsFiles(name) != want {
			t.Errorf("%q: %v", name, !want)
		}
	}
}
