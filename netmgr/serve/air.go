package serve

import (
	"cmp"
	"slices"
	"strings"
	"time"

	"manofwar/netmgr"
	"manofwar/netmgr/api"
)

// The bounds of what is kept of scans.
const (
	maxHeard = 512             // access points
	seenFor  = 5 * time.Minute // after which one that is not heard any more is not shown
)

// air is what radios have heard, for people to choose from. (What is joined is chosen by the policy, from the same scans.)
type air struct {
	heard    map[heardBy]netmgr.Sighting
	radios   int
	scanning map[int]int // number of the scan that a radio is at, by radio
	done     map[int]int // number of the last that ended
	full     time.Time   // when a look at all channels last ended
}

// heardBy tells access points apart, as each radio hears them.
type heardBy struct {
	phy   int
	bssid netmgr.MAC
}

// note takes over what a scan has found.
func (a *air) note(now time.Time, ev netmgr.Scanned) {
	if a.heard == nil {
		a.heard, a.done = make(map[heardBy]netmgr.Sighting), make(map[int]int)
	}
	for _, n := range ev.Networks {
		if n.At.IsZero() || n.At.After(now) {
			n.At = now
		}
		key := heardBy{ev.Phy, n.BSSID}
		if old, ok := a.heard[key]; n.SSID != "" && (!ok || !old.At.After(n.At)) && (ok || len(a.heard) < maxHeard) {
			a.heard[key] = n
		}
	}
	if ev.More {
		return
	}
	a.done[ev.Phy] = ev.Number
	if ev.MHz == nil && ev.Err == nil {
		a.full = now
	}
}

// plan takes over which radios there are and what they look for.
func (a *air) plan(radios []netmgr.RadioPlan) {
	a.radios, a.scanning = len(radios), make(map[int]int, len(radios))
	for _, r := range radios {
		a.scanning[r.Phy] = r.Scan.Number
	}
	for key := range a.heard {
		if _, ok := a.scanning[key.phy]; !ok {
			delete(a.heard, key)
		}
	}
}

// networks puts together what is of one network: the same name, with a password or without.
func (a *air) networks(now time.Time, known []api.Profile) api.Networks {
	out := api.Networks{Networks: []api.Network{}}
	if !a.full.IsZero() {
		out.At = now.Add(a.full.Sub(now)).Round(0) // by the clock of now, which was set meanwhile
	}
	for phy, number := range a.scanning {
		out.Scanning = out.Scanning || number != 0 && a.done[phy] != number
	}
	type network struct {
		ssid string
		open bool
	}
	groups := make(map[network][]netmgr.Sighting)
	for key, s := range a.heard {
		if now.Sub(s.At) > seenFor {
			delete(a.heard, key)
			continue
		}
		groups[network{s.SSID, s.Open}] = append(groups[network{s.SSID, s.Open}], s)
	}
	for _, group := range groups {
		out.Networks = append(out.Networks, describe(now, group, known))
	}
	slices.SortFunc(out.Networks, func(a, b api.Network) int {
		return cmp.Or(b.Signal-a.Signal, strings.Compare(a.SSID, b.SSID), strings.Compare(a.Security, b.Security))
	})
	return out
}

// describe tells of one network, given its access points: it can be joined if one of them can.
func describe(now time.Time, group []netmgr.Sighting, known []api.Profile) api.Network {
	best := slices.MaxFunc(group, func(a, b netmgr.Sighting) int {
		if a.Join != b.Join {
			if a.Join {
				return 1
			}
			return -1
		}
		return cmp.Or(a.Signal-b.Signal, -slices.Compare(a.BSSID[:], b.BSSID[:]))
	})
	n := api.Network{
		SSID: strings.ToValidUTF8(best.SSID, "\uFFFD"), Raw: []byte(best.SSID), Signal: best.Signal, Security: best.Security,
		Join: best.Join, Reason: best.Reason,
	}
	var seen time.Time
	for _, s := range group {
		if b := band(s.MHz); !slices.Contains(n.Bands, b) {
			n.Bands = append(n.Bands, b)
		}
		if s.At.After(seen) {
			seen = s.At
		}
	}
	slices.Sort(n.Bands)
	n.Seen = now.Add(seen.Sub(now)).Round(0)
	for _, p := range known {
		if string(p.Raw) == best.SSID && p.Open == best.Open {
			n.Profile = p.ID
		}
	}
	return n
}

// band names the band of a channel as it is on the boxes of routers.
func band(mhz int) string {
	switch {
	case mhz < 3000:
		return "2.4 GHz"
	case mhz < 5935:
		return "5 GHz"
	}
	return "6 GHz"
}
