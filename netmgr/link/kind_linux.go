package link

import (
	"net"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"manofwar/netmgr"
)

// sysfs is where the kernel describes interfaces.
const sysfs = "/sys/class/net"

// kind asks sysfs what a link is made of: rtnetlink(7) calls all of them Ethernet. dir is [sysfs].
//
// A phone that shares its connection over a cable speaks one of several protocols. That of iPhones (ipheth) and RNDIS
// are spoken by nothing else but mobile modems, which the kernel marks as such (wwan) where it knows them: all that
// is as metered as a phone. CDC Ethernet and NCM are the protocols of newer Androids, but of USB network cards too. There
// the kernel's own rule decides by which it names interfaces usb0 or eth0 (usbnet_probe in drivers/net/usb/usbnet.c):
// a card has an address that its maker was assigned, a phone one that it made up, with the local bit set. A card without
// an address of its own is so taken for a phone, and a phone with an assigned one for a card.
func kind(dir, name string, mac net.HardwareAddr) netmgr.Kind {
	about := filepath.Join(dir, name)
	if _, err := os.Stat(filepath.Join(about, "phy80211")); err == nil {
		return netmgr.WiFi
	}
	driver, err := os.Readlink(filepath.Join(about, "device/driver"))
	if err != nil {
		return netmgr.Ethernet // no hardware, or none that says
	}
	local := len(mac) == 6 && mac[0]&2 != 0
	switch driver = filepath.Base(driver); {
	case slices.Contains(tethers, driver), isWWAN(about), slices.Contains(shared, driver) && local:
		return netmgr.USB
	}
	return netmgr.Ethernet
}

// Drivers by their names: of what only phones and modems speak, and of what cards speak, too.
var (
	tethers = []string{"ipheth", "rndis_host"}
	shared  = []string{"cdc_ether", "cdc_ncm", "cdc_eem", "cdc_subset"}
)

// isWWAN reports whether the driver calls the interface a mobile modem.
func isWWAN(about string) bool {
	text, err := os.ReadFile(filepath.Join(about, "uevent"))
	return err == nil && slices.Contains(strings.Split(string(text), "\n"), "DEVTYPE=wwan")
}
