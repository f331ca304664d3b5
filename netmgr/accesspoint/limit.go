package accesspoint

import (
	"slices"
	"time"

	"manofwar/netmgr/ieee80211"
)

// bucket limits how often something is done: burst times at once, and rate times a second in the long run.
type bucket struct {
	rate, burst int
	used        float64
	at          time.Time
}

// take reports whether it may be done once more now.
func (b *bucket) take(now time.Time) bool {
	b.used = max(0, b.used-now.Sub(b.at).Seconds()*float64(b.rate))
	b.at = now
	if b.used+1 > float64(b.burst) {
		return false
	}
	b.used++
	return true
}

// recent is who has authenticated a short while ago. It forgets the oldest for the newest: at the pace at which
// authentications are answered, everybody stays for two seconds at least.
type recent struct {
	entries [128]struct {
		mac ieee80211.MAC
		at  time.Time
	}
	next int
}

// recentLifetime is how long an authentication lasts without an association.
const recentLifetime = 30 * time.Second

func (r *recent) add(now time.Time, mac ieee80211.MAC) {
	r.remove(mac)
	r.entries[r.next].mac, r.entries[r.next].at = mac, now
	r.next = (r.next + 1) % len(r.entries)
}

func (r *recent) has(now time.Time, mac ieee80211.MAC) bool {
	i := r.find(mac)
	return i >= 0 && now.Sub(r.entries[i].at) < recentLifetime
}

func (r *recent) remove(mac ieee80211.MAC) {
	if i := r.find(mac); i >= 0 {
		r.entries[i].mac = ieee80211.MAC{}
	}
}

// find returns where an address is; -1: nowhere.
func (r *recent) find(mac ieee80211.MAC) int {
	for i := range r.entries {
		if r.entries[i].mac == mac {
			return i
		}
	}
	return -1
}

// has reports whether a rate, in units of 500 kb/s, is among others.
func has(rates ieee80211.Rates, rate byte) bool {
	return slices.ContainsFunc(rates, func(r byte) bool { return r&^basic == rate&^basic })
}

// basic marks a rate that everybody must support.
const basic = 0x80

// ofdm reports whether a rate is one of 802.11a and g, and not of 802.11b.
func ofdm(rate byte) bool {
	switch rate &^ basic {
	case 2, 4, 11, 22:
		return false
	default:
		return rate&^basic != 0 && rate&^basic <= 108
	}
}
