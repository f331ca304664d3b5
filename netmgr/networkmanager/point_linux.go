package networkmanager

import (
	"encoding/hex"
	"strings"

	nm "github.com/Wifx/gonetworkmanager/v2"

	"manofwar/netmgr"
	"manofwar/netmgr/ieee80211"
)

// security judges an access point by what NetworkManager has read in its beacon, in the words that the other backend
// has for it.
func (p *point) security() ieee80211.Security {
	b := ieee80211.BSS{WPA1: p.wpa != 0}
	if p.flags&nm.Nm80211APFlagsPrivacy != 0 {
		b.Capabilities |= ieee80211.CapabilityPrivacy
	}
	if p.rsn&^nm.Nm80211APSecKeyMgmtOWETM != 0 { // that one is an open network with an encrypted twin
		b.RSN = p.rsnElement()
	}
	return b.Security()
}

func (p *point) rsnElement() *ieee80211.RSN {
	r := &ieee80211.RSN{Group: ieee80211.CipherCCMP}
	if p.rsn&nm.Nm80211APSecGroupTKIP != 0 {
		r.Group = ieee80211.CipherTKIP
	}
	if p.rsn&nm.Nm80211APSecPairCCMP != 0 {
		r.Pairwise = append(r.Pairwise, ieee80211.CipherCCMP)
	}
	for _, way := range []struct {
		flag nm.Nm80211APSec
		akm  ieee80211.Suite
	}{
		{nm.Nm80211APSecKeyMgmtPSK, ieee80211.AKMPSK},
		{nm.Nm80211APSecKeyMgmtSAE, ieee80211.AKMSAE},
		{nm.Nm80211APSecKeyMgmt8021X, 0x000fac01},
		{nm.Nm80211APSecKeyMgmtOWE, 0x000fac12},
	} {
		if p.rsn&way.flag != 0 {
			r.AKMs = append(r.AKMs, way.akm)
		}
	}
	if r.Offers(ieee80211.AKMSAE) {
		r.Capabilities |= ieee80211.MFPCapable // as WPA3 demands; NetworkManager does not tell
	}
	return r
}

// saeOnly reports whether a network is heard that lets nobody in by WPA2.
func (m *mirror) saeOnly(d *device, ssid string) bool {
	only := false
	for _, path := range d.points {
		p := m.points[path]
		if p == nil || p.ssid != ssid {
			continue
		}
		switch p.security().Protection {
		case ieee80211.WPA2, ieee80211.WPA2And3:
			return false
		case ieee80211.WPA3:
			only = true
		}
	}
	return only
}

func parseMAC(s string) (mac netmgr.MAC, ok bool) {
	b, err := hex.DecodeString(strings.ReplaceAll(s, ":", ""))
	if err != nil || len(b) != len(mac) {
		return mac, false
	}
	return netmgr.MAC(b), true
}
