package netmgr

import (
	"slices"
	"time"
)

// sighting is an access point as a radio last heard it.
type sighting struct {
	Sighting
	missed int       // how many looks in a row have not found it
	failed time.Time // when it last could not be joined, or was lost
	lost   time.Time // when its network was: as with failed, only what was heard since counts
}

const (
	fresh     = 15 * time.Second // heard so lately, a network is joined without another look
	forgotten = 10 * time.Minute // not heard for so long, an access point is gone
	twice     = 2                // one look can miss an access point, two in a row say that it is gone
)

// sighting returns the radio's sighting of an access point, or nil.
func (r *radio) sighting(b MAC) *sighting {
	i := slices.IndexFunc(r.air, func(s sighting) bool { return s.BSSID == b })
	if i < 0 {
		return nil
	}
	return &r.air[i]
}

// unseeOne makes an access point that failed count as not heard until it is heard again.
func (r *radio) unseeOne(b MAC, now time.Time) {
	if s := r.sighting(b); s != nil {
		s.failed, s.missed = now, twice
	}
}

// unsee does so with all access points of a network that was lost: they may be one router.
func (r *radio) unsee(n *network, now time.Time) {
	for i := range r.air {
		if s := &r.air[i]; n.is(s.Sighting) {
			s.lost, s.missed = now, twice
		}
	}
}

// see takes note of what a radio heard.
func (p *Policy) see(r *radio, s Sighting) {
	if s.At.IsZero() || s.At.After(p.now) {
		s.At = p.now
	}
	known := r.sighting(s.BSSID)
	switch {
	case known == nil:
		r.air = append(r.air, sighting{Sighting: s})
		r.trim()
	case s.At.Before(known.failed), s.At.Before(known.lost), s.At.Before(known.At):
		return
	default:
		known.Sighting, known.missed = s, 0
	}
	for _, n := range p.networks {
		if n.is(s) {
			n.heardOn(s.MHz)
		}
	}
}

// trim forgets the access point that was not heard for longest where there are too many.
func (r *radio) trim() {
	if len(r.air) <= maxSightings {
		return
	}
	oldest := 0
	for i := range r.air {
		if r.air[i].At.Before(r.air[oldest].At) {
			oldest = i
		}
	}
	r.air = slices.Delete(r.air, oldest, oldest+1)
}

// faint is a signal with which joining mostly fails, in dBm.
const faint = -83

// is reports whether a sighting is of the network. One without a password never passes for one that has a password:
// anybody could call his so.
func (n *network) is(s Sighting) bool { return s.SSID == n.SSID && s.Open == n.Open && s.SSID != "" }

// audible reports whether an access point was heard lately enough to be joined at once.
func (p *Policy) audible(s *sighting) bool {
	return s.missed < twice && p.since(s.At) <= fresh
}

// best returns the access point by which a radio joins a network, or nil if it hears none. The strongest is best; 5 GHz is
// less crowded and counts for more; one that failed a moment ago counts for less. While our own access point must stay, so
// does one on whose channel that can be.
func (p *Policy) best(r *radio, n *network) *sighting {
	return p.bestOf(r, n, func(*sighting) bool { return true })
}

// bestOf is best among those that qualify.
func (p *Policy) bestOf(r *radio, n *network, qualifies func(*sighting) bool) *sighting {
	var best *sighting
	var most int
	for i := range r.air {
		s := &r.air[i]
		if !n.is(s.Sighting) || !s.Join || !p.audible(s) || !qualifies(s) {
			continue
		}
		if score := p.score(r, s); best == nil || score > most {
			best, most = s, score
		}
	}
	return best
}

func (p *Policy) score(r *radio, s *sighting) int {
	score := s.Signal
	if s.MHz > 5000 && s.Signal > weakSignal+stronger {
		score += stronger
	}
	if s.Signal < faint {
		score -= 60
	}
	if !s.failed.IsZero() && p.since(s.failed) < time.Minute {
		score -= 80
	}
	if p.own.wanted && p.own.phy == r.Phy && r.Together {
		switch {
		case !r.beacons(s.MHz):
			score -= 60
		case s.MHz == p.own.mhz:
			score += 10
		}
	}
	return score
}

// hears reports whether the radio may use a channel.
func (r *radio) hears(mhz int) bool {
	return slices.ContainsFunc(r.Channels, func(c Channel) bool { return c.MHz == mhz })
}

// beacons reports whether an access point of ours may be on a channel.
func (r *radio) beacons(mhz int) bool {
	return slices.ContainsFunc(r.Channels, func(c Channel) bool { return c.MHz == mhz && !c.NoBeacon })
}

// survey takes note of what a finished look says about each known network: whether it was there, and well audible.
func (p *Policy) survey(r *radio, began time.Time, mhz []int) {
	for i := range r.air {
		s := &r.air[i]
		if s.At.Before(began) && (mhz == nil || slices.Contains(mhz, s.MHz)) {
			s.missed++
		}
	}
	r.air = slices.DeleteFunc(r.air, func(s sighting) bool { return p.since(s.At) > forgotten })
	for _, n := range p.networks {
		pr := r.prospect(n)
		switch s := p.best(r, n); {
		case s != nil && s.At.Before(began): // not looked for
		case s != nil && s.Signal < weakSignal:
			pr.steady, pr.missed = time.Time{}, 0
		case s != nil:
			pr.missed = 0
			if pr.steady.IsZero() {
				pr.steady = p.now
			}
		case mhz == nil || slices.ContainsFunc(n.channels, func(c int) bool { return slices.Contains(mhz, c) }):
			if pr.missed++; pr.missed >= twice {
				pr.steady = time.Time{}
			}
		}
	}
}
