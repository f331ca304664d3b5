//go:build vm

package vm

import (
	"testing"

	"manofwar/internal/lab"
)

// TestDACComesLater plugs a DAC into a dongle that has been up for a while: the player, which is nobody in its sandbox, is to
// have it, and to be without it afterwards.
func TestDACComesLater(t *testing.T) {
	m := booted(t, lab.Config{Board: amd64, Sound: new(lab.Sound), Screen: &lab.Screen{Width: 640, Height: 480}})
	await(t, m, "all services are ready", allReady)
	cards := func(what string, want ...string) {
		t.Helper()
		var tv struct {
			Sound *struct {
				Cards []struct{ ID, Name string }
			}
		}
		err := m.Await(t.Context(), what, func() bool {
			if m.JSON(t.Context(), page, "/api/v1/player/settings", &tv) != nil || tv.Sound == nil || len(tv.Sound.Cards) != len(want) {
				return false
			}
			for i, c := range tv.Sound.Cards {
				if c.Name != want[i] {
					return false
				}
			}
			return true
		})
		if err != nil {
			t.Fatalf("%v; there is %+v", err, tv.Sound)
		}
	}
	const inside, dac = "Intel 82801AA-ICH", "QEMU USB Audio"
	cards("the card inside is there", inside)
	must(t, m.PlugDAC())
	cards("the DAC is there, and is the first choice", dac, inside)
	must(t, m.UnplugDAC(t.Context()))
	cards("the DAC is gone", inside)
}
