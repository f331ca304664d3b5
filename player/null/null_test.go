package null_test

import (
	"testing"
	"testing/synctest"
	"time"

	"manofwar/player"
	"manofwar/player/null"
	"manofwar/player/playertest"
)

func TestDisplay(t *testing.T) {
	modes := []player.Mode{{Width: 1280, Height: 720, Refresh: 60, Preferred: true}, {Width: 1280, Height: 720, Refresh: 50}}
	for name, opt := range map[string]null.DisplayOptions{
		"scales": {},
		"blanks": {Screen: player.Screen{Connector: "HDMI-A-1", Mode: modes[0], Modes: modes, Formats: []player.Format{player.XRGB8888}, VBlank: true}},
	} {
		t.Run(name, func(t *testing.T) {
			playertest.DisplayIn(t, playertest.Virtual, func(*testing.T) player.Display { return null.NewDisplay(opt) })
		})
	}
}

func TestSound(t *testing.T) {
	for name, opt := range map[string]null.SoundOptions{
		"ideal": {},
		"poor":  {PPM: 120, Period: 480, Rates: []int{48000}, Channels: 2, Sample: player.S16},
	} {
		t.Run(name, func(t *testing.T) {
			playertest.SoundIn(t, playertest.Virtual, func(*testing.T) player.Sound { return null.NewSound(opt) })
		})
	}
}

// TestSoundThatWaits has nothing to say for a second.
func TestSoundThatWaits(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := null.NewSound(null.SoundOptions{Waits: true, Record: true, Sample: player.S16})
		if _, _, err := s.Configure("", player.SoundFormat{Rate: 1000, Channels: 1, Sample: player.S16}); err != nil {
			t.Fatal(err)
		}
		tenth := make([]byte, 200)
		for i, want := range []int64{50, 150} {
			if _, err := s.Write(tenth); err != nil {
				t.Fatal(err)
			}
			if err := s.Start(); err != nil {
				t.Fatal(err)
			}
			time.Sleep(50 * time.Millisecond)
			if at, err := s.Status(); err != nil || at.Heard != want {
				t.Errorf("%d: in the middle: %+v, %v", i, at, err)
			}
			time.Sleep(time.Second)
			if at, err := s.Status(); err != nil || at.Heard != at.Written {
				t.Errorf("%d: after it: %+v, %v", i, at, err)
			}
		}
		if runs := s.Runs(); len(runs) != 1 || len(runs[0].PCM) != 400 {
			t.Errorf("heard in %d runs", len(runs))
		}
	})
}
