package null_test

import (
	"testing"

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
