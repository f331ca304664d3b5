package player

import (
	"math"
	"testing"
)

func TestBendingKeepsATone(t *testing.T) {
	for _, hz := range []float64{100, 1000, 8000} {
		for _, by := range []float64{0.003, -0.003, 0.00011} {
			var b bender
			b.reset(2)
			tone := func(at float64) float64 { return 0.5 * math.Sin(2*math.Pi*hz*at/48000) }
			block := func(from int) []float32 {
				p := make([]float32, 960)
				for i := range 480 {
					p[2*i], p[2*i+1] = float32(tone(float64(from+i))), float32(-tone(float64(from+i)))
				}
				return p
			}
			var out []float32
			for i := range 4 { // not bent yet
				out = b.run(out, block(480*i))
			}
			b.set(by)
			for i := 4; i < 100; i++ {
				out = b.run(out, block(480*i))
			}
			worst := 0.0
			for i := range len(out) / 2 {
				at := float64(i)
				if i > 1920 {
					at = 1920 + float64(i-1920)*(1+by)
				}
				off := math.Abs(float64(out[2*i]) - tone(at))
				if i < 1920 && off > 1e-7 {
					t.Fatalf("frame %d was changed before", i)
				}
				worst = max(worst, off, math.Abs(float64(out[2*i]+out[2*i+1])))
			}
			if db := 20 * math.Log10(worst/0.5); db > -70 {
				t.Errorf("%v Hz by %v: off by %.0f dB", hz, by, db)
			}
			want := 1920 + (96*480-8)/(1+by)
			if n := float64(len(out) / 2); math.Abs(n-want) > 2 {
				t.Errorf("%v frames, want %v", n, want)
			}
			if n := len(b.rest(nil)) / 2; n < 7 || n > 9 {
				t.Errorf("%d frames were kept back", n)
			}
		}
	}
}

func TestBendingFromTheFirstFrame(t *testing.T) {
	var b bender
	b.reset(1)
	b.set(0.001)
	out := b.run(nil, make([]float32, 100))
	if n := len(out); n < 90 || n > 100 {
		t.Errorf("%d frames", n)
	}
	b.set(0) // stays where it is between two frames
	if n := len(b.run(nil, make([]float32, 1000))); n != 1000 {
		t.Errorf("%d frames of 1000", n)
	}
}
