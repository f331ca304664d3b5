package player

import (
	"encoding/binary"
	"math"
	"time"
)

// rampTime is how long a fade takes that is to be heard as no click.
const rampTime = 15 * time.Millisecond

// ramp is a factor that moves to another value without a step.
type ramp struct {
	now, goal float64
	step      float64 // per frame
}

// set lets the ramp move to goal, within rampTime.
func (r *ramp) set(goal float64, rate int) {
	if goal == r.goal {
		return
	}
	r.goal = goal
	r.step = (goal - r.now) / max(1, rampTime.Seconds()*float64(rate))
}

// jump moves it at once.
func (r *ramp) jump(to float64) { *r = ramp{now: to, goal: to} }

// next returns the factor of one frame and moves on.
func (r *ramp) next() float64 {
	if r.now == r.goal {
		return r.now
	}
	v := r.now
	r.now += r.step
	if (r.step > 0) == (r.now >= r.goal) {
		r.now = r.goal
	}
	return v
}

// apply multiplies interleaved samples by it.
func (r *ramp) apply(samples []float32, channels int) {
	if r.now == 1 && r.goal == 1 {
		return
	}
	for ; len(samples) > 0; samples = samples[channels:] {
		f := float32(r.next())
		for i := range samples[:channels] {
			samples[i] *= f
		}
	}
}

// loudness returns the factor of a volume from 0 to 100: a cubic curve, which ears take for an even one, and 1 at 100.
func loudness(volume int) float64 {
	v := float64(min(max(volume, 0), 100)) / 100
	return v * v * v
}

// gain returns the factor of ReplayGain, never so large that the item's peak would be clipped. mode is "off", "track" or
// "album"; where an item has one of both only, that is taken.
func (g Gain) factor(mode string) float64 {
	db, peak := g.Track, g.TrackPeak
	other, otherPeak := g.Album, g.AlbumPeak
	switch mode {
	case "track":
	case "album":
		db, peak, other, otherPeak = other, otherPeak, db, peak
	default:
		return 1
	}
	if db == 0 && peak == 0 {
		db, peak = other, otherPeak
	}
	if db == 0 {
		return 1
	}
	f := math.Pow(10, db/20)
	if peak > 0 {
		return min(f, 1/peak)
	}
	return min(f, 1) // without a peak nothing says that there is room
}

// packer turns samples into the bytes that a card takes. The zero value is ready.
type packer struct {
	noise uint64
}

// pack appends samples to p. What is exactly representable stays exact; what is not is rounded, with triangular noise
// of one bit before in 16-bit samples, so that what is lost is hiss and not distortion.
func (k *packer) pack(p []byte, samples []float32, format SampleFormat) []byte {
	switch format {
	case IEC: // each of the decoder's samples is a pair of ours
		for _, s := range samples {
			p = binary.LittleEndian.AppendUint32(p, math.Float32bits(s))
		}
	case S16:
		if exact16(samples) {
			for _, s := range samples {
				p = binary.LittleEndian.AppendUint16(p, uint16(int16(clip(float64(s)*(1<<15), 1<<15))))
			}
			return p
		}
		for _, s := range samples {
			v := math.RoundToEven(float64(s)*(1<<15) + k.triangle())
			p = binary.LittleEndian.AppendUint16(p, uint16(int16(clip(v, 1<<15))))
		}
	case S24:
		for _, s := range samples {
			p = binary.LittleEndian.AppendUint32(p, uint32(int32(clip(math.RoundToEven(float64(s)*(1<<23)), 1<<23))))
		}
	default:
		for _, s := range samples {
			p = binary.LittleEndian.AppendUint32(p, uint32(int32(clip(math.RoundToEven(float64(s)*(1<<31)), 1<<31))))
		}
	}
	return p
}

// clip keeps v within what a signed number holds whose first unrepresentable value is limit.
func clip(v, limit float64) float64 { return min(max(v, -limit), limit-1) }

// exact16 reports whether samples are the values of 16-bit samples.
func exact16(samples []float32) bool {
	for _, s := range samples {
		if v := s * (1 << 15); v != float32(int32(v)) {
			return false
		}
	}
	return true
}

// triangle returns noise between -1 and 1, the sum of two even ones (xorshift64*).
func (k *packer) triangle() float64 {
	if k.noise == 0 {
		k.noise = 0x9e3779b97f4a7c15
	}
	k.noise ^= k.noise >> 12
	k.noise ^= k.noise << 25
	k.noise ^= k.noise >> 27
	r := k.noise * 0x2545f4914f6cdd1d
	return (float64(r>>32) - float64(r&0xffffffff)) / (1 << 32)
}
