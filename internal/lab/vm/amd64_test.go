//go:build vm

package vm

import (
	"testing"

	"manofwar/internal/lab"
)

// TestBootsOnDebiansKernel boots the board whose drivers are all modules, with a cable, and again after a power cut.
func TestBootsOnDebiansKernel(t *testing.T) {
	m := booted(t, lab.Config{Board: amd64, Disks: []lab.Disk{stick(t, false)}})
	s := await(t, m, "all services are ready and the library is scanned", func(s status) bool { return allReady(s) && scanned(s) })
	if s.Device.Board != amd64 || s.Device.Slot != 2 || !s.Developer || s.Device.Data.State != "ok" {
		t.Errorf("device %+v, developer %v; want slot 2 of %s, a developer build, /data well", s.Device, s.Developer, amd64)
	}
	if len(s.Notices) > 0 {
		t.Errorf("notices on a sound system: %+v", s.Notices)
	}
	if _, err := m.Expect(t.Context(), 0, `boot\.watchdog_s=30`); err != nil {
		t.Error(err)
	}
	t.Run("data survives a power cut", func(t *testing.T) { powerCut(t, m) })
}
