//go:build hwsim

package networkmanager

import (
	"log/slog"
	"testing"
	"time"

	"manofwar/netmgr/hwsimtest"
	"manofwar/netmgr/radiotest"
)

// TestBackend runs the suite of all backends against Debian's NetworkManager and wpa_supplicant.
func TestBackend(t *testing.T) {
	radios := hwsimtest.Radios(t, 5)
	hwsimtest.Country(t, "DE")
	air := radiotest.NewAir(t, radios[1:]...)
	manager := hwsimtest.Here(t).NetworkManager()
	log := slog.New(slog.NewTextHandler(t.Output(), &slog.HandlerOptions{Level: slog.LevelDebug}))
	radiotest.Backend(t, radiotest.Setup{
		Radios: New(Options{Address: manager.Address, Log: log}),
		World:  air, ScanFirst: true,
		Limits: radiotest.Limits{
			Scan: 30 * time.Second, Join: 20 * time.Second, Wrong: 15 * time.Second, WrongSAE: 10 * time.Second,
			NotFound: 40 * time.Second, Lost: 5 * time.Second, Leave: 5 * time.Second, Up: 20 * time.Second,
		},
	})
}
