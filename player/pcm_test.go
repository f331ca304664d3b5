package player

import (
	"encoding/binary"
	"math"
	"testing"
)

func TestWhatIsExactStaysExact(t *testing.T) {
	var k packer
	for _, c := range []struct {
		format SampleFormat
		bits   int
	}{{S16, 16}, {S24, 24}, {S32, 24}} {
		scale := float64(int64(1) << (c.bits - 1))
		var samples []float32
		var want []int32
		for v := -scale; v < scale; v += math.Max(1, scale/4001) {
			v = math.Floor(v)
			samples = append(samples, float32(v/scale))
			want = append(want, int32(v))
		}
		p := k.pack(nil, samples, c.format)
		for i, w := range want {
			var got int32
			switch c.format {
			case S16:
				got = int32(int16(binary.LittleEndian.Uint16(p[2*i:])))
			case S24:
				got = int32(binary.LittleEndian.Uint32(p[4*i:]))
			default:
				got = int32(binary.LittleEndian.Uint32(p[4*i:])) >> 8
			}
			if got != w {
				t.Fatalf("%s: %v became %d, want %d", c.format, samples[i], got, w)
			}
		}
	}
}

func TestPackingIsBounded(t *testing.T) {
	var k packer
	for _, v := range []float32{1, 1.5, 100, -1.5, float32(math.Inf(1)), float32(math.Inf(-1))} {
		want := float64(32767)
		if v < 0 {
			want = -32768
		}
		p := k.pack(nil, []float32{v, 0.1}, S16)
		if got := float64(int16(binary.LittleEndian.Uint16(p))); got != want {
			t.Errorf("%v became %v", v, got)
		}
	}
}

// TestDitherHasNoBias packs a level between two steps: on average it stays what it is, and the noise is that of two bits.
func TestDitherHasNoBias(t *testing.T) {
	var k packer
	for _, level := range []float64{0.25, 0.5, 3.7, -1000.1} {
		samples := make([]float32, 1<<16)
		for i := range samples {
			samples[i] = float32(level / (1 << 15))
		}
		p := k.pack(nil, samples, S16)
		var sum, square float64
		for i := range samples {
			off := float64(int16(binary.LittleEndian.Uint16(p[2*i:]))) - level
			sum += off
			square += off * off
		}
		n := float64(len(samples))
		if mean := sum / n; math.Abs(mean) > 0.01 {
			t.Errorf("%v is off by %v on average", level, mean)
		}
		if power := square / n; math.Abs(power-0.25) > 0.02 { // 1/12 of rounding and 2/12 of noise
			t.Errorf("%v has noise of power %v", level, power)
		}
	}
}

func TestRampEndsExactly(t *testing.T) {
	r := ramp{now: 0, goal: 0}
	r.set(1, 48000)
	last := 0.0
	for i := range 720 {
		v := r.next()
		if v < last || v-last > 1./719 {
			t.Fatalf("step %d from %v to %v", i, last, v)
		}
		last = v
	}
	if r.next(); r.next() != 1 || r.now != 1 {
		t.Error("it does not end at 1")
	}
	samples := []float32{0.1, 0.2}
	r.apply(samples, 2)
	if samples[0] != 0.1 || samples[1] != 0.2 {
		t.Error("a factor of 1 changes samples")
	}
}

func TestReplayGain(t *testing.T) {
	for _, c := range []struct {
		name string
		gain Gain
		mode string
		want float64
	}{
		{"off", Gain{Track: -6}, "off", 1},
		{"unset", Gain{Track: -6}, "", 1},
		{"track", Gain{Track: -6, TrackPeak: 0.9, Album: -3}, "track", 0.5012},
		{"album", Gain{Track: -6, Album: -20}, "album", 0.1},
		{"album, but none is said", Gain{Track: -20}, "album", 0.1},
		{"track, but none is said", Gain{Album: -20, AlbumPeak: 1}, "track", 0.1},
		{"louder", Gain{Track: 6, TrackPeak: 0.4}, "track", 1.9953},
		{"louder than the peak allows", Gain{Track: 6, TrackPeak: 0.8}, "track", 1.25},
		{"louder without a peak", Gain{Track: 6}, "track", 1},
		{"softer, with a peak beyond 1", Gain{Track: -1, TrackPeak: 1.25}, "track", 0.8},
		{"nothing is said", Gain{}, "album", 1},
	} {
		if got := c.gain.factor(c.mode); math.Abs(got-c.want) > 0.0001 {
			t.Errorf("%s: %v, want %v", c.name, got, c.want)
		}
	}
}

func TestLoudness(t *testing.T) {
	if loudness(100) != 1 || loudness(0) != 0 || loudness(-5) != 0 || loudness(500) != 1 {
		t.Error("its ends are not exact")
	}
	for v := 1; v <= 100; v++ {
		if loudness(v) <= loudness(v-1) {
			t.Errorf("%d is not louder than %d", v, v-1)
		}
	}
}
