package alsa

import (
	"errors"
	"fmt"
	"testing"

	"golang.org/x/sys/unix"

	"manofwar/player"
)

// model is what a simulated device can do: the refining that drivers do, for those parameters that matter here.
type model struct {
	forms  []modelForm // any of them
	buffer [2]uint32   // frames
	period [2]uint32
	step   uint32 // the period is a multiple of it; 0: 1
}

// modelForm is one of its combinations, as USB devices list them.
type modelForm struct {
	formats  []format
	rates    []uint32
	channels [2]uint32
}

// refine narrows as HW_REFINE does: to what any combination allows together with the rest.
func (m model) refine(h *hwParams) error {
	var formats [maskWords]uint32
	rates, channels := span{}, span{}
	for _, f := range m.forms {
		if mask, r, c, ok := f.within(h); ok {
			for i := range formats {
				formats[i] |= mask[i]
			}
			rates, channels = rates.with(r), channels.with(c)
		}
	}
	if !rates.any {
		return unix.EINVAL
	}
	h.masks[paramFormat] = formats
	h.narrow(paramRate, rates.lo, rates.hi)
	h.narrow(paramChannels, channels.lo, channels.hi)
	h.narrow(paramBufferSize, m.buffer[0], m.buffer[1])
	h.narrow(paramPeriodSize, m.period[0], m.period[1])
	step := max(m.step, 1)
	lo, hi := h.bounds(paramPeriodSize)
	h.narrow(paramPeriodSize, (lo+step-1)/step*step, hi/step*step)
	for _, p := range []int{paramRate, paramChannels, paramBufferSize, paramPeriodSize} {
		if lo, hi := h.bounds(p); lo > hi {
			return unix.EINVAL
		}
	}
	h.rmask = 0
	return nil
}

func (h *hwParams) narrow(param int, lo, hi uint32) {
	l, u := h.bounds(param)
	h.intervals[param-firstInterval] = interval{max(l, lo), min(u, hi), isInteger}
}

type span struct {
	lo, hi uint32
	any    bool
}

func (s span) with(o span) span {
	if !s.any {
		return o
	}
	return span{min(s.lo, o.lo), max(s.hi, o.hi), true}
}

// within is what of the form is left in h.
func (f modelForm) within(h *hwParams) (mask [maskWords]uint32, rates, channels span, ok bool) {
	any := false
	for _, format := range f.formats {
		if bit := uint32(1) << (format % 32); h.masks[paramFormat][format/32]&bit != 0 {
			mask[format/32] |= bit
			any = true
		}
	}
	lo, hi := h.bounds(paramRate)
	for _, r := range f.rates {
		if r >= lo && r <= hi {
			rates = rates.with(span{r, r, true})
		}
	}
	lo, hi = h.bounds(paramChannels)
	channels = span{max(lo, f.channels[0]), min(hi, f.channels[1]), true}
	return mask, rates, channels, any && rates.any && channels.lo <= channels.hi
}

var (
	usual = []uint32{44100, 48000, 88200, 96000, 176400, 192000}

	ac97 = model{
		forms:  []modelForm{{[]format{formatS16}, []uint32{48000}, [2]uint32{2, 2}}},
		buffer: [2]uint32{32, 16384}, period: [2]uint32{16, 8192},
	}
	bcmHeadphones = model{
		forms:  []modelForm{{[]format{formatS16}, []uint32{8000, 16000, 32000, 44100, 48000, 96000, 192000}, [2]uint32{1, 2}}},
		buffer: [2]uint32{256, 32768}, period: [2]uint32{256, 16384}, step: 256,
	}
	vc4hdmi = model{
		forms:  []modelForm{{[]format{formatIEC958}, usual, [2]uint32{2, 8}}},
		buffer: [2]uint32{64, 16384}, period: [2]uint32{32, 8192}, step: 32,
	}
	usbDAC = model{ // a 24-bit mode for all rates, a 16-bit mode for the low ones
		forms: []modelForm{
			{[]format{formatS24x3}, usual, [2]uint32{2, 2}},
			{[]format{formatS16}, usual[:2], [2]uint32{2, 2}},
		},
		buffer: [2]uint32{96, 48000}, period: [2]uint32{48, 24000},
	}
	interfaceOf10 = model{
		forms:  []modelForm{{[]format{formatS32}, []uint32{44100, 48000}, [2]uint32{10, 10}}},
		buffer: [2]uint32{64, 4096}, period: [2]uint32{32, 2048},
	}
)

func TestSettle(t *testing.T) {
	for _, c := range []struct {
		name   string
		device model
		want   player.SoundFormat
		got    string // sample, rate, channels; format; buffer, period
	}{
		{"everything fits", ac97, sound(48000, 2, player.S16), "s16 48000 2; 2; 12000 1500"},
		{"no other rate", ac97, sound(44100, 2, player.S16), "s16 48000 2; 2; 12000 1500"},
		{"fewer bits", ac97, sound(48000, 2, player.S32), "s16 48000 2; 2; 12000 1500"},
		{"fewer channels", ac97, sound(48000, 6, player.S16), "s16 48000 2; 2; 12000 1500"},
		{"more channels", ac97, sound(48000, 1, player.S16), "s16 48000 2; 2; 12000 1500"},
		{"periods of 256", bcmHeadphones, sound(44100, 2, player.S16), "s16 44100 2; 2; 11025 1280"},
		{"a multiple", bcmHeadphones, sound(24000, 2, player.S16), "s16 48000 2; 2; 12000 1536"},
		{"half the rate", bcmHeadphones, sound(88200, 2, player.S16), "s16 44100 2; 2; 11025 1280"},
		{"subframes", vc4hdmi, sound(44100, 2, player.S16), "s16 44100 2; 18; 11025 1376"},
		{"subframes of 24 bits", vc4hdmi, sound(96000, 6, player.S32), "s24 96000 6; 18; 16384 2048"},
		{"compressed", vc4hdmi, sound(48000, 2, player.IEC), "iec61937 48000 2; 18; 12000 1504"},
		{"16 bits where there are", usbDAC, sound(44100, 2, player.S16), "s16 44100 2; 2; 11025 1378"},
		{"24 bits where there are no 16", usbDAC, sound(96000, 2, player.S16), "s24 96000 2; 32; 24000 3000"},
		{"24 bits", usbDAC, sound(192000, 2, player.S24), "s24 192000 2; 32; 48000 6000"},
		{"a fraction", usbDAC, sound(384000, 2, player.S24), "s24 192000 2; 32; 48000 6000"},
		{"ten channels", interfaceOf10, sound(44100, 2, player.S16), "s32 44100 10; 10; 4096 512"},
	} {
		t.Run(c.name, func(t *testing.T) {
			p, err := newParams(c.device.refine)
			if err != nil {
				t.Fatal(err)
			}
			s, err := p.settle(c.want)
			if err != nil {
				t.Fatal(err)
			}
			if got := fmt.Sprintf("%s %d %d; %d; %d %d", s.format.sample(c.want.Sample), s.rate, s.channels, s.format, s.buffer, s.period); got != c.got {
				t.Errorf("got %s; want %s", got, c.got)
			}
		})
	}
}

func sound(rate, channels int, sample player.SampleFormat) player.SoundFormat {
	return player.SoundFormat{Rate: rate, Channels: channels, Sample: sample}
}

// TestNothingFits asks for compressed sound at a rate or in a number of channels that would make it another stream, and
// of a device that has no format that is known here.
func TestNothingFits(t *testing.T) {
	odd := model{forms: []modelForm{{[]format{48}, usual, [2]uint32{2, 2}}}, buffer: ac97.buffer, period: ac97.period}
	for name, c := range map[string]struct {
		device model
		want   player.SoundFormat
	}{
		"rate":     {ac97, sound(44100, 2, player.IEC)},
		"channels": {ac97, sound(48000, 8, player.IEC)},
		"format":   {odd, sound(48000, 2, player.S16)},
	} {
		p, err := newParams(c.device.refine)
		if err != nil {
			t.Fatal(err)
		}
		if s, err := p.settle(c.want); !errors.Is(err, player.ErrFormat) {
			t.Errorf("%s: %+v, %v", name, s, err)
		}
	}
}

// TestRefineFails passes on what the driver says when the card is gone.
func TestRefineFails(t *testing.T) {
	if _, err := newParams(func(*hwParams) error { return unix.ENODEV }); !errors.Is(err, unix.ENODEV) {
		t.Errorf("got %v", err)
	}
	p, err := newParams(ac97.refine)
	if err != nil {
		t.Fatal(err)
	}
	for _, left := range []int{0, 1, 2, 5, 7} {
		q := *p
		q.refine = func(h *hwParams) error {
			if left--; left < 0 {
				return unix.ENODEV
			}
			return ac97.refine(h)
		}
		if _, err := q.settle(sound(44100, 2, player.S16)); !errors.Is(err, unix.ENODEV) {
			t.Errorf("got %v", err)
		}
	}
}
