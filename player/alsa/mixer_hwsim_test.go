//go:build hwsim

package alsa

import (
	"errors"
	"slices"
	"testing"

	"manofwar/player"
)

// TestUnmutes mutes an AC97 as it is after a reset, and has it opened.
func TestUnmutes(t *testing.T) {
	list := cards(t)
	i := slices.IndexFunc(list, func(o output) bool { return o.ID == "I82801AAICH" })
	if i < 0 {
		t.Fatal("there is no AC97")
	}
	ctl, err := openControl(list[i].card)
	if err != nil {
		t.Fatal(err)
	}
	defer ctl.close()
	elements, err := ctl.elements()
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range elements {
		if e.id.iface == ifaceMixer && (e.kind == kindBoolean || e.kind == kindInteger) && e.access&accessWrite != 0 {
			if err := ctl.write(e, elemValue{}); err != nil {
				t.Errorf("%s: %v", e.name, err)
			}
		}
	}
	s := open(t)
	if _, _, err := s.Configure(list[i].ID, player.SoundFormat{Rate: 48000, Channels: 2, Sample: player.S16}); err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]int64{
		"Master Playback Switch": 1, "Master Playback Volume": 63, "PCM Playback Switch": 1, "PCM Playback Volume": 23, // 0 dB of at most 0 and 12
	} {
		e, ok := find(elements, name, 0)
		if !ok {
			t.Errorf("there is no %s", name)
			continue
		}
		v, err := ctl.read(e)
		if err != nil {
			t.Fatal(err)
		}
		for c := range e.count {
			if v.value[c] != want {
				t.Errorf("%s is %d; want %d", name, v.value[c], want)
			}
		}
	}
}

// TestRefusesCompressed asks cards for compressed sound that could tell nobody that it is: it would be noise.
func TestRefusesCompressed(t *testing.T) {
	for _, o := range cards(t) {
		s := open(t)
		if card, got, err := s.Configure(o.ID, player.SoundFormat{Rate: 48000, Channels: 2, Sample: player.IEC}); !errors.Is(err, player.ErrFormat) {
			t.Errorf("%s: %+v, %+v, %v", o.ID, card, got, err)
		}
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	}
}
