package station

import (
	"slices"
	"time"

	"manofwar/netmgr"
	"manofwar/netmgr/ieee80211"
	"manofwar/netmgr/nl80211"
	"manofwar/netmgr/wpa"
)

// Sight tells the policy of an access point that a radio has heard.
func Sight(r nl80211.Radio, b nl80211.BSS, now time.Time) netmgr.Sighting {
	security := b.Security()
	s := netmgr.Sighting{
		SSID: string(b.SSID), BSSID: netmgr.MAC(b.BSSID), MHz: b.MHz, Signal: b.Signal, At: now.Add(-b.Age),
		Open: security.Protection == ieee80211.Open, Security: security.String(), Reason: security.Reason,
	}
	if b.SSID.Hidden() {
		s.SSID = ""
	}
	if security.Personal() {
		if _, err := choose(r, b.BSS, canSAE(r)); err != nil {
			s.Reason = reasonIncapable
		}
	}
	s.Join = s.Reason == ""
	return s
}

// reasonIncapable is for WPA3, or protected management frames, where driver or firmware do not know them.
const reasonIncapable = "this device's radio cannot do its WPA3; allow WPA2 on the router"

// choose picks how to join a network, of what the radio can do.
func choose(r nl80211.Radio, b *ieee80211.BSS, sae bool) (wpa.Choice, error) {
	if b.RSN == nil || len(r.Ciphers) == 0 || slices.Contains(r.Ciphers, ieee80211.CipherBIP) {
		return wpa.Choose(b, sae)
	}
	unprotected, rsn := *b, *b.RSN
	rsn.Capabilities &^= ieee80211.MFPCapable
	unprotected.RSN = &rsn
	return wpa.Choose(&unprotected, sae)
}

// canSAE reports whether a radio can do SAE: by itself, or so that we can do it.
func canSAE(r nl80211.Radio) bool {
	f, c := r.Features, r.Commands
	return f.SAEOffload && c.Connect || f.SAE && (c.Authenticate || c.Connect && c.Frame)
}
