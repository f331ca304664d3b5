package alsa

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"time"

	"golang.org/x/sys/unix"

	"manofwar/player"
)

// params is what a PCM device can still do: a configuration space that is narrowed until one point is left. Each narrowing
// asks the driver, which then takes away what no longer goes together with the rest.
type params struct {
	hwParams
	refine func(*hwParams) error // HW_REFINE, on the device
}

// errEmpty says that nothing is left.
var errEmpty = errors.New("no such configuration")

// newParams asks for everything that the device can do by interleaved writes.
func newParams(refine func(*hwParams) error) (*params, error) {
	p := &params{refine: refine}
	for i := range p.masks {
		for j := range p.masks[i] {
			p.masks[i][j] = anyParam
		}
	}
	for i := range p.intervals {
		p.intervals[i].max = anyParam
	}
	p.rmask, p.info = anyParam, anyParam
	return p, p.try(func(h *hwParams) { h.only(paramAccess, accessInterleaved) })
}

// try narrows, and takes it back if the driver says that nothing is left then.
func (p *params) try(narrow func(*hwParams)) error {
	next := p.hwParams
	narrow(&next)
	if err := p.refine(&next); errors.Is(err, unix.EINVAL) {
		return errEmpty
	} else if err != nil {
		return err
	}
	p.hwParams = next
	return nil
}

// only leaves one value of a mask.
func (h *hwParams) only(param, value int) {
	h.masks[param] = [maskWords]uint32{}
	h.masks[param][value/32] = 1 << (value % 32)
	h.rmask |= 1 << param
}

// between leaves the whole numbers of an interval that are in [lo, hi].
func (h *hwParams) between(param int, lo, hi uint32) {
	i := &h.intervals[param-firstInterval]
	if lo > i.min || lo == i.min && i.flags&openMin == 0 {
		i.min, i.flags = lo, i.flags&^openMin
	}
	if hi < i.max || hi == i.max && i.flags&openMax == 0 {
		i.max, i.flags = hi, i.flags&^openMax
	}
	i.flags |= isInteger
	h.rmask |= 1 << param
}

// bounds returns the smallest and the largest whole number left in an interval.
func (h *hwParams) bounds(param int) (lo, hi uint32) {
	i := h.intervals[param-firstInterval]
	lo, hi = i.min, i.max
	if i.flags&openMin != 0 {
		lo++
	}
	if i.flags&openMax != 0 {
		hi--
	}
	return lo, hi
}

// near leaves one value of an interval, the nearest to want.
func (p *params) near(param int, want uint32) error {
	var found []uint32
	for _, side := range []struct {
		lo, hi uint32
		edge   func(h *hwParams) uint32
	}{
		{0, want, func(h *hwParams) uint32 { _, hi := h.bounds(param); return hi }},
		{want, anyParam, func(h *hwParams) uint32 { lo, _ := h.bounds(param); return lo }},
	} {
		probe := *p
		err := probe.try(func(h *hwParams) { h.between(param, side.lo, side.hi) })
		if errors.Is(err, errEmpty) {
			continue
		}
		if err != nil {
			return err
		}
		found = append(found, side.edge(&probe.hwParams))
	}
	slices.SortFunc(found, func(a, b uint32) int { return cmp.Compare(distance(a, want), distance(b, want)) })
	for _, v := range found { // an edge is what a driver's rules leave, which may still be no point: then the other
		err := p.try(func(h *hwParams) { h.between(param, v, v) })
		if !errors.Is(err, errEmpty) {
			return err
		}
	}
	return errEmpty
}

func distance(a, b uint32) uint32 { return max(a, b) - min(a, b) }

// The buffer to ask for. It bounds how late a change of volume is heard, and how long the player may be held up.
const (
	bufferTime = 250 * time.Millisecond
	periods    = 8
)

// settle leaves one point: a form near want, a buffer of about bufferTime in about eight periods.
func (p *params) settle(want player.SoundFormat) (shape, error) {
	s, err := p.chooseForm(want)
	if err != nil {
		return shape{}, err
	}
	frames := uint32(int64(s.rate) * int64(bufferTime) / int64(time.Second))
	if err := p.near(paramBufferSize, frames); err != nil {
		return shape{}, fmt.Errorf("buffer: %w", err)
	}
	_, buffer := p.bounds(paramBufferSize)
	if err := p.near(paramPeriodSize, buffer/periods); err != nil {
		return shape{}, fmt.Errorf("period: %w", err)
	}
	_, period := p.bounds(paramPeriodSize)
	s.buffer, s.period = int(buffer), int(period)
	return s, nil
}

// chooseForm leaves one rate, number of channels and format. Not every combination of what a device can do is one that it
// can do: USB cards have a list of a few.
func (p *params) chooseForm(want player.SoundFormat) (shape, error) {
	lo, hi := p.bounds(paramRate)
	c := candidates{rates: rates(want.Rate, int(lo), int(hi)), formats: formats(want.Sample)}
	lo, hi = p.bounds(paramChannels)
	c.channels = channels(want.Channels, int(lo), int(hi))
	if want.Sample == player.IEC { // nothing else would be the same stream
		c.rates, c.channels = []int{want.Rate}, []int{want.Channels}
	}
	s, err := p.search(c.lossless(want))
	if errors.Is(err, errEmpty) {
		s, err = p.search(c)
	}
	if errors.Is(err, errEmpty) {
		return s, player.ErrFormat
	}
	return s, err
}

// search leaves the first combination of candidates that the device can do.
func (p *params) search(c candidates) (shape, error) {
	start := *p
	for _, rate := range c.rates {
		withRate := start
		err := withRate.try(func(h *hwParams) { h.between(paramRate, uint32(rate), uint32(rate)) })
		if errors.Is(err, errEmpty) {
			continue
		}
		if err != nil {
			return shape{}, err
		}
		for _, n := range c.channels {
			with := withRate
			err := with.try(func(h *hwParams) { h.between(paramChannels, uint32(n), uint32(n)) })
			if errors.Is(err, errEmpty) {
				continue
			}
			if err != nil {
				return shape{}, err
			}
			i := slices.IndexFunc(c.formats, func(f format) bool {
				err = with.try(func(h *hwParams) { h.only(paramFormat, int(f)) })
				return !errors.Is(err, errEmpty)
			})
			if i >= 0 {
				*p = with
				return shape{format: c.formats[i], rate: rate, channels: n}, err
			}
		}
	}
	return shape{}, errEmpty
}
