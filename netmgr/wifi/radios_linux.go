package wifi

import (
	"cmp"
	"slices"
	"time"

	"manofwar/netmgr"
	"manofwar/netmgr/ieee80211"
	"manofwar/netmgr/nl80211"
)

// describe returns a radio in the policy's words. station is the index of the interface that joins networks.
func describe(r nl80211.Radio, station int) netmgr.Radio {
	out := netmgr.Radio{
		Phy: r.Phy, Station: station,
		AccessPoint: r.Commands.StartAP && r.Supports(nl80211.AccessPointInterface),
		Together:    r.Together(),
		Follows:     r.Features.APSME && !r.Commands.ChannelSwitch, // brcmfmac's firmware has one channel and sees to that
	}
	for _, c := range r.Channels {
		if !c.Disabled {
			out.Channels = append(out.Channels, netmgr.Channel{MHz: c.MHz, NoBeacon: c.NoIR || c.Radar})
		}
	}
	return out
}

// maxSightings bounds what one scan may tell the policy. In a block of flats a hundred access points are heard.
const maxSightings = 256

// sightings returns what a radio has heard in the policy's words, the strongest first.
func sightings(r nl80211.Radio, heard []nl80211.BSS, now time.Time) []netmgr.Sighting {
	var out []netmgr.Sighting
	for _, b := range heard {
		if b.BSS == nil {
			continue
		}
		s := netmgr.Sighting{
			BSSID: netmgr.MAC(b.BSSID), MHz: b.MHz, Signal: b.Signal, At: now.Add(-b.Age),
		}
		if !b.SSID.Hidden() {
			s.SSID = string(b.SSID)
		}
		security := b.Security()
		s.Open, s.Security = security.Protection == ieee80211.Open, security.Protection.String()
		s.Join, s.Reason = joinable(r, security)
		out = append(out, s)
	}
	slices.SortStableFunc(out, func(a, b netmgr.Sighting) int { return cmp.Compare(b.Signal, a.Signal) })
	return out[:min(len(out), maxSightings)]
}

// joinable says whether a radio can join a network so secured, and otherwise why not, in words for a person.
func joinable(r nl80211.Radio, s ieee80211.Security) (bool, string) {
	switch {
	case s.Protection == ieee80211.WPA3 && !r.Features.SAE && !r.Features.SAEOffload:
		return false, "it uses WPA3 only, which this WiFi chip cannot do; set the router to WPA2 and WPA3"
	case s.Protection == ieee80211.Open || s.Personal():
		return true, ""
	}
	return false, s.Reason
}
