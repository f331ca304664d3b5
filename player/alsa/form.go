package alsa

import (
	"slices"
	"time"

	"manofwar/player"
)

// format is a SNDRV_PCM_FORMAT_*.
type format int

// The formats that are of use here. Cards of the last years take one of them.
const (
	formatS16    format = 2
	formatS24    format = 6 // in the low bits of 32
	formatS32    format = 10
	formatIEC958 format = 18 // IEC958_SUBFRAME_LE
	formatS24x3  format = 32 // S24_3LE: in three bytes
)

// shape is what a device was told to play.
type shape struct {
	format   format
	rate     int
	channels int
	buffer   int // in frames
	period   int
}

// frameSize is the bytes of a frame as the device takes it.
func (s shape) frameSize() int { return s.format.size() * s.channels }

// duration is how long that many frames are heard.
func (s shape) duration(frames int64) time.Duration {
	return time.Duration(frames) * time.Second / time.Duration(s.rate)
}

// formats returns those that a device is to be asked for, the best first: without loss before with, few bytes before many.
func formats(want player.SampleFormat) []format {
	switch want {
	case player.IEC:
		return []format{formatIEC958, formatS16}
	case player.S16:
		return []format{formatS16, formatS24x3, formatS24, formatS32, formatIEC958}
	case player.S24:
		return []format{formatS24x3, formatS24, formatS32, formatIEC958, formatS16}
	}
	return []format{formatS32, formatS24x3, formatS24, formatIEC958, formatS16}
}

// sample is what the player writes for a device that has the format.
func (f format) sample(want player.SampleFormat) player.SampleFormat {
	switch f {
	case formatS16:
		if want == player.IEC {
			return player.IEC
		}
		return player.S16
	case formatS24, formatS24x3:
		return player.S24
	case formatIEC958:
		if want == player.S16 || want == player.IEC {
			return want
		}
		return player.S24
	}
	return player.S32
}

// size is the bytes that a device wants for one sample.
func (f format) size() int {
	switch f {
	case formatS16:
		return 2
	case formatS24x3:
		return 3
	}
	return 4
}

// common are the rates that sound comes in and that devices have.
var common = []int{8000, 11025, 16000, 22050, 32000, 44100, 48000, 88200, 96000, 176400, 192000, 352800, 384000}

// rates returns those between lo and hi that a device is to be asked for, the nearest to want first: itself, its multiples,
// because every sample stays what it was, whole fractions, then the next higher of the common ones, then lower.
func rates(want, lo, hi int) (list []int) {
	add := func(r int) {
		if r >= lo && r <= hi && !slices.Contains(list, r) {
			list = append(list, r)
		}
	}
	for n := 1; n*want <= hi && n <= 8; n++ {
		add(n * want)
	}
	for n := 2; n <= 4; n++ {
		if want%n == 0 && want/n >= 32000 { // less than that is heard
			add(want / n)
		}
	}
	for _, r := range common {
		if r > want {
			add(r)
		}
	}
	add(hi) // a device whose rates are all lower, or are none of the common ones
	for _, r := range slices.Backward(common) {
		add(r)
	}
	add(lo)
	return list
}

// channels returns the numbers of channels between lo and hi that a device is to be asked for: want, then more, because
// nothing is lost, then fewer, and of these the usual ones first.
func channels(want, lo, hi int) (list []int) {
	hi = min(hi, 32) // a driver without a limit says billions
	for n := max(want, lo, 1); n <= hi; n++ {
		list = append(list, n)
	}
	for _, n := range []int{6, 2, 1, 8, 7, 5, 4, 3} {
		if n < want && n >= lo && n <= hi {
			list = append(list, n)
		}
	}
	return list
}

// candidates are what a device is to be asked for, the best first.
type candidates struct {
	rates    []int
	channels []int
	formats  []format
}

// lossless leaves those candidates that keep all there is.
func (c candidates) lossless(want player.SoundFormat) candidates {
	keep := func(rate int) bool { return want.Rate > 0 && rate%want.Rate == 0 }
	return candidates{
		rates:    slices.DeleteFunc(slices.Clone(c.rates), func(r int) bool { return !keep(r) }),
		channels: slices.DeleteFunc(slices.Clone(c.channels), func(n int) bool { return n < want.Channels }),
		formats:  slices.DeleteFunc(slices.Clone(c.formats), func(f format) bool { return f == formatS16 && want.Sample != player.S16 && want.Sample != player.IEC }),
	}
}
