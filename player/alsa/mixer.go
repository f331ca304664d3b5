package alsa

import (
	"math"
	"strings"
)

// inputs are words in the names of elements that bring something else than the player to the loudspeaker: with them open a
// microphone would howl and an open line would hum.
var inputs = []string{
	"Mic", "Line Playback", "Line In", "CD", "Aux", "Video", "Phone ", "Beep", "PC Speaker", "Capture", "Input", "Loopback",
	"Sidetone", "Monitor", "Synth", "FM", "Mono ADC", "Analog Source", "Digital In",
}

// playsFiles tells whether an element is for what the player plays. ALSA's names are a convention ("Master Playback
// Volume", "Speaker Playback Switch"); those of USB devices are their makers'.
func playsFiles(name string) bool {
	if !strings.Contains(name, "Playback") {
		return false
	}
	for _, word := range inputs {
		if strings.Contains(name, word) {
			return false
		}
	}
	return true
}

// Types of TLVs that say what the values of a volume are in decibels (include/uapi/sound/tlv.h). Levels are signed, in
// 0.01 dB.
const (
	tlvContainer = 0 // others, one after the other
	tlvScale     = 1 // lowest level, then the step; bit 16 of the step: the lowest value is silence
	tlvLinear    = 2 // lowest and highest level; linear in between, not in dB
	tlvRange     = 3 // from value, to value, and a TLV for these, any number of times
	tlvMinMax    = 4 // lowest and highest level, in dB in between
	tlvMinMaxM   = 5 // the same, the lowest value being silence
)

// maxTLV is the most words that a TLV is read of.
const maxTLV = 256

// zeroDB returns the value between lo and hi at which nothing is louder than it was recorded: hi where the card says nothing
// about decibels, or cannot get as loud as that.
func zeroDB(tlv []uint32, lo, hi int64) int64 {
	v, _ := zeroIn(tlv, lo, hi, 4)
	return v
}

// zeroIn reads one TLV for the values between lo and hi. It tells whether there is a word of decibels in it. depth bounds how
// far TLVs may be nested.
func zeroIn(tlv []uint32, lo, hi int64, depth int) (value int64, known bool) {
	if len(tlv) < 2 || depth == 0 || hi <= lo {
		return hi, false
	}
	kind, data := tlv[0], tlv[2:]
	data = data[:min(len(data), int(tlv[1])/4)]
	switch {
	case kind == tlvContainer:
		for len(data) >= 2 {
			if v, ok := zeroIn(data, lo, hi, depth-1); ok {
				return v, true
			}
			data = data[min(len(data), 2+(int(data[1])+3)/4):]
		}
	case kind == tlvRange:
		value = lo
		for len(data) >= 5 {
			if int32(data[4]) <= 0 { // the lowest level of this part
				v, ok := zeroIn(data[2:], int64(int32(data[0])), int64(int32(data[1])), depth-1)
				value, known = clamp(v, value, hi), known || ok
			}
			data = data[min(len(data), 4+(int(data[3])+3)/4):]
		}
		if known {
			return value, true
		}
	case len(data) >= 2 && kind == tlvScale:
		if step := int64(data[1] & 0xffff); step > 0 {
			return clamp(lo-int64(int32(data[0]))/step, lo, hi), true
		}
	case len(data) >= 2 && (kind == tlvMinMax || kind == tlvMinMaxM):
		low, high := int64(int32(data[0])), int64(int32(data[1]))
		if high > low {
			return clamp(lo+(hi-lo)*-low/(high-low), lo, hi), true
		}
	case len(data) >= 2 && kind == tlvLinear:
		low, high := amplitude(int32(data[0])), amplitude(int32(data[1]))
		if high > low {
			return clamp(lo+int64(float64(hi-lo)*(1-low)/(high-low)), lo, hi), true
		}
	}
	return hi, false
}

// amplitude is the factor that a level is.
func amplitude(level int32) float64 { return math.Pow(10, float64(level)/2000) }

func clamp(v, lo, hi int64) int64 { return min(max(v, lo), hi) }
