package player

import "math"

// bender plays sound a little faster or slower than it is, by some thousandths, to keep step with another player: it
// interpolates with a windowed sinc of bendTaps samples. As long as it was never bent it passes everything on as it is.
type bender struct {
	channels int
	ratio    float64   // frames taken for each that is given; 0: not bent
	at       float64   // of the next frame to give, in wave
	wave     []float32 // the frames around it
	table    [][bendTaps]float32
}

const (
	bendTaps   = 16
	bendPhases = 128 // between which the table is interpolated
	maxBending = 0.003
)

// reset forgets what was before; nothing is bent from here on.
func (b *bender) reset(channels int) {
	b.channels, b.ratio, b.wave = channels, 0, b.wave[:0]
}

// set bends from here on by a fraction.
func (b *bender) set(by float64) {
	if b.ratio == 0 {
		if by == 0 {
			return
		}
		b.at = float64(len(b.wave) / max(1, b.channels)) // the frame after the last one
		for len(b.wave) < bendTaps*b.channels {          // nothing was before
			b.wave = append(make([]float32, b.channels), b.wave...)
			b.at++
		}
		b.fillTable()
	}
	b.ratio = 1 + min(max(by, -maxBending), maxBending)
}

// run appends to dst what becomes of in.
func (b *bender) run(dst, in []float32) []float32 {
	b.wave = append(b.wave, in...)
	ch := b.channels
	keep := len(b.wave)/ch - bendTaps
	if b.ratio == 0 {
		dst = append(dst, in...)
	} else {
		for ; int(b.at)+bendTaps/2 < len(b.wave)/ch; b.at += b.ratio {
			dst = b.give(dst)
		}
		keep = int(b.at) - bendTaps
		b.at -= float64(max(0, keep))
	}
	if keep > 0 {
		b.wave = b.wave[:copy(b.wave, b.wave[keep*ch:])]
	}
	return dst
}

// pending returns how many frames were taken and not given yet.
func (b *bender) pending() int64 {
	if b.ratio == 0 {
		return 0
	}
	return int64(len(b.wave)/b.channels) - int64(b.at)
}

// rest appends what is still kept back at the end.
func (b *bender) rest(dst []float32) []float32 {
	if b.ratio == 0 {
		return dst
	}
	return b.run(dst, make([]float32, bendTaps/2*b.channels))
}

// give appends the frame that lies at b.at.
func (b *bender) give(dst []float32) []float32 {
	whole := int(b.at)
	phase := (b.at - float64(whole)) * bendPhases
	i := int(phase)
	f := float32(phase - float64(i))
	low, high := &b.table[i], &b.table[i+1]
	first := whole - bendTaps/2 + 1
	for c := range b.channels {
		var sum float32
		for k := range bendTaps {
			sum += b.wave[(first+k)*b.channels+c] * (low[k] + f*(high[k]-low[k]))
		}
		dst = append(dst, sum)
	}
	return dst
}

// fillTable computes the filters: a sinc under a Blackman-Harris window, each with a sum of 1.
func (b *bender) fillTable() {
	if b.table != nil {
		return
	}
	b.table = make([][bendTaps]float32, bendPhases+1)
	for i := range b.table {
		var taps [bendTaps]float64
		sum := 0.0
		for k := range taps {
			x := float64(k-bendTaps/2+1) - float64(i)/bendPhases
			w := 2 * math.Pi * (x/bendTaps + 0.5)
			taps[k] = 0.35875 - 0.48829*math.Cos(w) + 0.14128*math.Cos(2*w) - 0.01168*math.Cos(3*w)
			if x != 0 {
				taps[k] *= math.Sin(math.Pi*x) / (math.Pi * x)
			}
			sum += taps[k]
		}
		for k := range taps {
			b.table[i][k] = float32(taps[k] / sum)
		}
	}
}
