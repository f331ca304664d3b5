package alsa

import (
	"slices"
	"testing"
)

func TestRates(t *testing.T) {
	for _, c := range []struct {
		want, lo, hi int
		first        []int
	}{
		{44100, 44100, 192000, []int{44100, 88200, 132300, 176400, 48000, 96000}},
		{44100, 48000, 48000, []int{48000}},
		{96000, 8000, 48000, []int{48000, 32000, 44100}},
		{192000, 32000, 96000, []int{96000, 64000, 48000, 88200}},
		{22050, 44100, 48000, []int{44100, 48000}},
		{37800, 1, 1 << 30, []int{37800, 75600, 113400}},
	} {
		got := rates(c.want, c.lo, c.hi)
		if len(got) < len(c.first) || !slices.Equal(got[:len(c.first)], c.first) {
			t.Errorf("%d between %d and %d: %v; want %v first", c.want, c.lo, c.hi, got, c.first)
		}
	}
}

func TestChannels(t *testing.T) {
	for _, c := range []struct {
		want, lo, hi int
		first        []int
	}{
		{2, 1, 8, []int{2, 3, 4, 5, 6, 7, 8, 1}},
		{6, 2, 2, []int{2}},
		{6, 1, 4, []int{2, 1, 4, 3}},
		{8, 2, 6, []int{6, 2}},
		{2, 10, 10, []int{10}},
		{2, 1, 1 << 31, []int{2, 3}},
	} {
		got := channels(c.want, c.lo, c.hi)
		if len(got) < len(c.first) || !slices.Equal(got[:len(c.first)], c.first) {
			t.Errorf("%d between %d and %d: %v; want %v first", c.want, c.lo, c.hi, got, c.first)
		}
	}
}
