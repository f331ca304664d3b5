package link

import (
	"net"
	"os"
	"path/filepath"
	"testing"

	"manofwar/netmgr"
)

// TestKind tells phones on a cable from network cards as sysfs describes them.
func TestKind(t *testing.T) {
	made, assigned := net.HardwareAddr{0x6e, 1, 2, 3, 4, 5}, net.HardwareAddr{0x00, 0x0e, 0xc6, 3, 4, 5}
	for _, c := range []struct {
		name   string
		driver string
		uevent string
		wifi   bool
		mac    net.HardwareAddr
		want   netmgr.Kind
	}{
		{"the Pi's own", "bcmgenet", "", false, assigned, netmgr.Ethernet},
		{"a container's", "", "", false, made, netmgr.Ethernet},
		{"WiFi", "brcmfmac", "DEVTYPE=wlan\n", true, assigned, netmgr.WiFi},
		{"iPhone", "ipheth", "", false, assigned, netmgr.USB},
		{"Android, RNDIS", "rndis_host", "", false, made, netmgr.USB},
		{"Android, NCM", "cdc_ncm", "", false, made, netmgr.USB},
		{"Android, ECM", "cdc_ether", "", false, made, netmgr.USB},
		{"USB card, NCM", "cdc_ncm", "", false, assigned, netmgr.Ethernet},
		{"USB card, ECM", "cdc_ether", "", false, assigned, netmgr.Ethernet},
		{"USB card of its own driver, without an address", "r8152", "", false, made, netmgr.Ethernet},
		{"modem", "cdc_ether", "DEVTYPE=wwan\nINTERFACE=wwan0\n", false, assigned, netmgr.USB},
	} {
		t.Run(c.name, func(t *testing.T) {
			dir := t.TempDir()
			about := filepath.Join(dir, "x0")
			if err := os.MkdirAll(filepath.Join(about, "device"), 0o755); err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(filepath.Join(about, "uevent"), []byte(c.uevent), 0o644); err != nil {
				t.Fatal(err)
			}
			if c.driver != "" {
				if err := os.Symlink("../../../../bus/usb/drivers/"+c.driver, filepath.Join(about, "device/driver")); err != nil {
					t.Fatal(err)
				}
			}
			if c.wifi {
				if err := os.Mkdir(filepath.Join(about, "phy80211"), 0o755); err != nil {
					t.Fatal(err)
				}
			}
			if got := kind(dir, "x0", c.mac); got != c.want {
				t.Errorf("%s, want %s", got, c.want)
			}
		})
	}
}
