//go:build hwsim

package wifi

import (
	"log/slog"
	"testing"

	"manofwar/netmgr/hwsimtest"
	"manofwar/netmgr/radiotest"
)

// TestBackend holds the backend to what every one has to do, with Debian's hostapd around.
func TestBackend(t *testing.T) {
	radios := hwsimtest.Radios(t, 5)
	radiotest.Backend(t, radiotest.Setup{
		Radios: New(Options{Log: slog.New(slog.NewTextHandler(t.Output(), &slog.HandlerOptions{Level: slog.LevelDebug}))}),
		World:  radiotest.NewAir(t, radios[1:]...),
	})
}
