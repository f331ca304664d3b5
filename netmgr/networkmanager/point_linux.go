package networkmanager

import (
	"encoding/hex"
	"slices"
	"strings"

	"github.com/godbus/dbus/v5"

	"manofwar/netmgr"
	"manofwar/netmgr/ieee80211"
)

// saeOnly reports whether a network is heard that lets nobody in by WPA2.
func saeOnly(heard []netmgr.Sighting, ssid string) bool {
	heard = slices.DeleteFunc(slices.Clone(heard), func(s netmgr.Sighting) bool { return s.SSID != ssid || !s.Join })
	other := func(s netmgr.Sighting) bool { return s.Security != ieee80211.WPA3.String() }
	return len(heard) > 0 && !slices.ContainsFunc(heard, other)
}

// pointOf returns the access point to begin with, if NetworkManager hears it; "/": it chooses.
func (r *radio) pointOf(d *device, j netmgr.Join) dbus.ObjectPath {
	for _, path := range d.points {
		if p := r.points[path]; p != nil && p.ssid == j.SSID && isMAC(p.bssid, j.BSSID) {
			return path
		}
	}
	return "/"
}

// isMAC compares an address with one in NetworkManager's form, as "02:00:00:00:01:00".
func isMAC(text string, mac netmgr.MAC) bool {
	b, err := hex.DecodeString(strings.ReplaceAll(text, ":", ""))
	return err == nil && slices.Equal(b, mac[:])
}
