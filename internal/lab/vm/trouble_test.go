//go:build vm

package vm

import (
	"fmt"
	"net/http"
	"slices"
	"testing"

	"manofwar/internal/lab"
)

// killDecoder kills what decodes the film. It goes on where it was.
func (tv *television) killDecoder(t *testing.T) {
	s := tv.showFilm(t, 0)
	before, err := tv.Outside().Run(t.Context(), "pidof", "ffmpeg")
	must(t, err)
	_, err = tv.Outside().Run(t.Context(), "pkill", "-9", "-x", "ffmpeg")
	must(t, err)
	tv.await(t, "it goes on", func(now session) bool { return now.State == "playing" && now.Position > s.Position+5 })
	if after, err := tv.Outside().Run(t.Context(), "pidof", "ffmpeg"); err != nil || after == before {
		t.Errorf("it is decoded by %q, %v, and was by %q, which was killed", after, err, before)
	}
}

// killPlayer kills the player. What it played goes on where it was.
func (tv *television) killPlayer(t *testing.T) {
	s := tv.showFilm(t, 0)
	must(t, tv.Kill(t.Context(), "player"))
	must(t, tv.Await(t.Context(), "the player is back", func() bool {
		var s status
		return tv.Ask(t.Context(), http.MethodGet, "/api/v1/status", nil, &s) == nil && allReady(s) && s.service("player").Restarts == 1
	}))
	after := tv.await(t, "the film goes on", func(now session) bool { return now.State == "playing" && now.Position > s.Position+5 })
	if after.Problem != nil {
		t.Errorf("it goes on, but %s", after.Problem.Text)
	}
}

// cards plugs a DAC in while a film plays, which is to have its sound, and pulls it out again.
func (tv *television) cards(t *testing.T) {
	const inside, dac = "Intel 82801AA-ICH", "QEMU USB Audio"
	cards := func(what string, want ...string) {
		t.Helper()
		must(t, tv.Await(t.Context(), what, func() bool {
			sound := tv.settings(t).Sound
			var names []string
			if sound != nil {
				for _, c := range sound.Cards {
					names = append(names, c.Name)
				}
			}
			return slices.Equal(names, want)
		}))
	}
	heard := func(card lab.SoundCard) {
		t.Helper()
		before, _ := tv.Recorded(card) // it may not have played yet
		must(t, tv.Await(t.Context(), fmt.Sprintf("%s is heard", card), func() bool {
			now, err := tv.Recorded(card)
			return err == nil && loud(now[min(len(before), len(now)):])
		}))
		if s := tv.await(t, "the film plays", func(s session) bool { return s.State == "playing" }); s.Problem != nil {
			t.Errorf("%s: %+v", card, s.Problem)
		}
	}
	tv.showFilm(t, 0)
	cards("the card inside is there", inside)
	heard(lab.AC97)
	must(t, tv.PlugDAC())
	cards("the DAC is there, and is the first choice", dac, inside)
	tv.showFilm(t, 100) // what plays is not taken from the card that it is on
	heard(lab.DAC)
	must(t, tv.UnplugDAC(t.Context()))
	cards("the DAC is gone", inside)
	heard(lab.AC97)
}

// loud tells whether there is more than silence.
func loud(frames [][2]int16) bool {
	return slices.ContainsFunc(frames, func(f [2]int16) bool { return max(f[0], -f[0]) > 500 })
}

// unharmed holds the player to having lived through all that was plugged and pulled.
func (tv *television) unharmed(t *testing.T) {
	var s status
	must(t, tv.Ask(t.Context(), http.MethodGet, "/api/v1/status", nil, &s))
	if p := s.service("player"); p.Restarts > 0 {
		t.Errorf("the player was restarted %d times: %s", p.Restarts, p.Reason)
	}
}

// pulled pulls the disk out while the film on it plays. Somebody is told which disk it was; when it is back, one tap plays on.
func (tv *television) pulled(t *testing.T) {
	s := tv.showFilm(t, 300)
	must(t, tv.Unplug(t.Context(), "stick"))
	lost := tv.await(t, "the words for it", func(s session) bool { return s.Problem != nil })
	t.Logf("%s: %s %s", lost.State, lost.Problem.Text, lost.Problem.Hint)
	if lost.Problem.Code != "away" {
		t.Errorf("got %+v", lost.Problem)
	}
	tv.await(t, "nothing plays", func(s session) bool { return s.State == "stopped" })
	must(t, tv.Plug("stick"))
	must(t, tv.Await(within(t, patience), "the film is back", func() bool {
		f, there := tv.library(t)[filmName]
		return there && !f.Away
	}))
	tv.control(t, map[string]any{"do": "play"})
	back := tv.await(t, "the film goes on", func(now session) bool { return now.State == "playing" && now.Position > s.Position })
	if back.Problem != nil {
		t.Errorf("it goes on, but %+v", back.Problem)
	}
}
