package netmgr

import (
	"cmp"
	"slices"
	"time"
)

// radio is what the policy knows of one radio.
type radio struct {
	Radio
	air         []sighting           // the access points that it hears
	prospects   map[string]*prospect // what it went through with each known network, by the profile's ID
	stay        stay                 // the network that it is in
	look        looking
	ownFailures int       // how often in a row it failed to make our access point
	moved       time.Time // when it last changed the access point within a network because of a weak signal
}

// phase is how far a radio is on its way into a network.
type phase int

const (
	apart   phase = iota // in no network, and on the way to none
	moving               // our own access point is on its way to the network's channel
	joining              // it was told to join
	joined
)

// stay is a radio's being in a network, or on its way into it.
type stay struct {
	phase   phase
	network *network
	join    Join
	since   time.Time // when the phase began
	bssid   MAC
	mhz     int
	signal  int       // dBm; 0: unknown
	weak    time.Time // since when the signal is weak; zero: it is not
	looked  time.Time // when a better access point of the network was last looked for

	roaming   bool // it is in the network and on its way to another access point of it
	asked     bool // the owner asked for it by an attempt
	excursion bool // a network that worked was left for it
	doubted   bool // it was found to be worth less than the internet
}

// in reports whether the radio is in a network.
func (r *radio) in() bool { return r.stay.phase == joined || r.stay.roaming }

// The bounds of what is remembered.
const (
	maxRadios    = 8
	maxProfiles  = 64
	maxSightings = 256 // of one radio
	maxChannels  = 4   // of one network
)

const (
	joinTimeout = 12 * time.Second // no driver takes that long: it has forgotten us
	moveTimeout = 3 * time.Second  // our access point does not move, so the network is joined without it
	brief       = 30 * time.Second // who throws us out so soon will do so again
)

// noteRadio takes note of what happened to a radio.
func (p *Policy) noteRadio(ev Event) {
	switch ev := ev.(type) {
	case RadioChanged:
		p.radioChanged(ev.Radio)
	case RadioGone:
		p.radioGone(ev.Phy)
	case Scanned:
		if r := p.radio(ev.Phy); r != nil {
			p.scanned(r, ev)
		}
	case Joined:
		if r := p.attending(ev.Phy, ev.Number); r != nil {
			p.joined(r, ev)
		}
	case Roamed:
		if r := p.attending(ev.Phy, ev.Number); r != nil && r.stay.phase == joined {
			r.stay.bssid, r.stay.mhz = ev.BSSID, ev.MHz
			r.stay.network.heardOn(ev.MHz)
			p.changes++
		}
	case Unjoined:
		if r := p.attending(ev.Phy, ev.Number); r != nil {
			p.unjoined(r, ev.Why, ev.Reason)
		}
	case Heard:
		if r := p.attending(ev.Phy, ev.Number); r != nil && r.stay.phase == joined {
			p.heard(r, ev.Signal)
		}
	}
}

// radio returns the radio with this number, or nil.
func (p *Policy) radio(phy int) *radio {
	i := slices.IndexFunc(p.radios, func(r *radio) bool { return r.Phy == phy })
	if i < 0 {
		return nil
	}
	return p.radios[i]
}

// radioOf returns the radio that joins networks by the link, or nil.
func (p *Policy) radioOf(index int) *radio {
	for _, r := range p.radios {
		if r.Station == index {
			return r
		}
	}
	return nil
}

// attending returns the radio if the join with this number is the one that it is about, or nil: else it is old news.
func (p *Policy) attending(phy, number int) *radio {
	r := p.radio(phy)
	if r == nil || r.stay.phase < joining || r.stay.join.Number != number {
		return nil
	}
	return r
}

func (p *Policy) radioChanged(k Radio) {
	r := p.radio(k.Phy)
	if r != nil && r.Station != k.Station { // unplugged and plugged in again between two looks
		p.radioGone(k.Phy)
		r = nil
	}
	if r == nil {
		if len(p.radios) >= maxRadios {
			return
		}
		r = &radio{Radio: k, prospects: make(map[string]*prospect)}
		p.radios = append(p.radios, r)
		slices.SortFunc(p.radios, func(a, b *radio) int { return cmp.Compare(a.Phy, b.Phy) })
	}
	r.Radio = k
	p.carrier(r, false)
}

func (p *Policy) radioGone(phy int) {
	r := p.radio(phy)
	if r == nil {
		return
	}
	p.leave(r)
	p.radios = slices.DeleteFunc(p.radios, func(o *radio) bool { return o == r })
	p.carrier(r, false)
	if p.own.phy == phy {
		p.own = own{clients: 0, failures: p.own.failures}
	}
}

// enter lets a radio join a network by one of its access points. If our own access point is on that radio and elsewhere,
// it moves to the network's channel first, for one radio is on one channel.
func (p *Policy) enter(r *radio, n *network, s *sighting) {
	roaming := r.in() && r.stay.network == n
	if p.excludes(r, s.MHz) {
		p.own.yielded = p.now
	}
	if left := r.sighting(r.stay.bssid); left != nil && r.stay.phase == joined {
		left.At = p.now // it was there until now: the way back is known
	}
	if !roaming {
		p.leave(r)
	}
	st := stay{
		phase: joining, network: n, since: p.now, bssid: s.BSSID, mhz: s.MHz, signal: s.Signal, roaming: roaming,
		join: Join{Profile: n.ID, SSID: n.SSID, BSSID: s.BSSID, MHz: s.MHz, Hidden: n.Hidden, Open: n.Open},
	}
	if roaming {
		st.asked, st.excursion, st.doubted, st.looked = r.stay.asked, r.stay.excursion, r.stay.doubted, r.stay.looked
	}
	r.stay = st
	r.look.stop()
	p.changes++
	if p.mustMove(r, r.stay.mhz) {
		r.stay.phase, r.stay.roaming = moving, false
		p.carrier(r, false)
		return
	}
	r.stay.join.Number = p.number()
}

// leave takes a radio out of its network.
func (p *Policy) leave(r *radio) {
	if r.stay.phase == apart {
		return
	}
	r.prospect(r.stay.network).steady = time.Time{}
	r.stay = stay{}
	p.carrier(r, false)
	p.changes++
}

func (p *Policy) joined(r *radio, ev Joined) {
	if r.stay.phase != joining {
		return
	}
	r.stay.phase, r.stay.since, r.stay.bssid, r.stay.mhz = joined, p.now, ev.BSSID, cmp.Or(ev.MHz, r.stay.mhz)
	stayed := r.stay.roaming
	r.stay.roaming = false
	n := r.stay.network
	n.usedAt, n.failure, n.failedAt = p.now, "", time.Time{}
	n.heardOn(r.stay.mhz)
	p.changes++
	p.carrier(r, !stayed)
}

// unjoined takes note that a join failed or ended. It counts against the network if it failed or did not last.
func (p *Policy) unjoined(r *radio, why Failure, reason string) {
	n, st := r.stay.network, r.stay
	deaf, lasted := why == NotFound || why == NoAnswer, st.phase == joined && p.since(st.since) >= brief
	if deaf || why == Lost && !lasted {
		r.unseeOne(st.bssid, p.now)
	}
	if why == Lost && st.phase == joined {
		for _, o := range p.radios {
			o.unsee(n, p.now)
		}
	}
	switch other := p.best(r, n); {
	case lasted && why == Lost:
	case deaf && other != nil && other.failed.IsZero(): // another access point of it may answer
	default:
		r.prospect(n).fail(p.now, why)
	}
	if st.phase != joined || why != Lost {
		n.failure, n.failedAt = explain(n, why, reason), p.now
	}
	r.look.stop() // what it looked for in the background is not what is needed now
	p.leave(r)
	p.attemptFailed(r, n, why, reason)
}

// overdue ends what was never answered, and lets those join for whom our access point has made way.
func (p *Policy) overdue() {
	for _, r := range p.radios {
		switch r.stay.phase {
		case moving:
			if !p.mustMove(r, r.stay.mhz) || p.due(r.stay.since.Add(moveTimeout)) {
				r.stay.phase, r.stay.since = joining, p.now
				r.stay.join.Number = p.number()
			}
		case joining:
			if p.due(r.stay.since.Add(joinTimeout)) {
				p.unjoined(r, NoAnswer, "")
			}
		}
	}
}

// weakSignal is below what a network is barely usable with, and stronger by how much another access point must be heard
// to be worth the change.
const (
	weakSignal = -75 // dBm
	stronger   = 8   // dB
	weakFor    = 10 * time.Second
)

// heard takes note of the signal of the network that a radio is in.
func (p *Policy) heard(r *radio, signal int) {
	r.stay.signal = signal
	if s := r.sighting(r.stay.bssid); s != nil {
		s.Signal, s.At, s.missed = signal, p.now, 0
	}
	switch {
	case signal >= weakSignal:
		r.stay.weak = time.Time{}
	case r.stay.weak.IsZero():
		r.stay.weak = p.now
	}
}
