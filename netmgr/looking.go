package netmgr

import (
	"slices"
	"time"
)

// looking is how a radio looks for networks.
type looking struct {
	scan     Scan      // that goes on; Number 0: none
	began    time.Time // when it did
	level    level
	reached  time.Time // when the level was
	narrow   int       // looks at the known channels since then
	wide     int       // looks at all channels since then
	targeted time.Time // when the last one of the first kind ended
	full     time.Time // when the last one of the second kind ended
	failures int       // in a row
	failed   time.Time // when that was last
	asked    bool      // somebody wants to see all networks
	done     int       // how many ended
}

// level is how much there is to look for.
type level int

const (
	nothing   level = iota
	unknowing       // no network is known: what there is is good to know for a page that lists it, and for our own channel
	content         // in the best network there is: where the others are is good to know, should it die
	lesser          // in a network that works; there is one that the owner prefers
	poor            // in a network without internet
	searching       // nothing works
)

// tempo is how often a radio looks at one level: the time to the first look, from there to the second and so on. The last
// one stays. nil: never.
type tempo struct {
	narrow, wide []time.Duration
	crowded      time.Duration // between two wide ones at least, while somebody is in our access point: they take 14 s then
}

var tempi = [...]tempo{
	unknowing: {wide: seconds(0, 3600)},
	content:   {wide: seconds(30, 300)},
	lesser:    {narrow: seconds(5, 30), wide: seconds(60, 300)},
	poor:      {narrow: seconds(0, 10), wide: seconds(1, 60), crowded: 2 * time.Minute},
	searching: {narrow: seconds(0, 0, 1, 2, 4, 8, 10), wide: seconds(0, 5, 10, 20, 30), crowded: time.Minute},
}

// seconds returns durations.
func seconds(list ...float64) []time.Duration {
	out := make([]time.Duration, len(list))
	for i, s := range list {
		out[i] = time.Duration(s * float64(time.Second))
	}
	return out
}

const (
	lookTimeout = 30 * time.Second // a look at all channels beside our access point takes 14 s
	gentleLook  = 3 * time.Minute  // and a gentle one a minute
	maxNames    = 4                // hidden networks asked for in one look: what drivers take
	maxTargets  = 16               // channels of one look at the known ones
)

// usual are the channels where most routers are after a reset, and where our own access point is by itself (MHz).
var usual = []int{2412, 2437, 2462}

// look lets radios look around where there is a need.
func (p *Policy) look() {
	for _, r := range p.radios {
		lk := &r.look
		if lk.scan.Gentle && (lk.asked || !p.level(r).gentle()) {
			lk.stop()
			p.changes++
		}
		switch {
		case lk.scan.Number != 0:
			if p.due(lk.began.Add(lk.patience())) {
				p.looked(r, true)
			}
		case r.stay.phase == moving, r.stay.phase == joining:
		case lk.failures > 0 && !p.due(lk.failed.Add(doubling(time.Second, 10*time.Second, lk.failures))):
		case p.attemptLook(r), p.changeLook(r):
		case lk.asked:
			lk.asked = false
			p.begin(r, nil, p.hidden(lk.done))
		default:
			p.keepLooking(r)
		}
	}
}

// keepLooking begins a look when the tempo of the radio's level says so.
func (p *Policy) keepLooking(r *radio) {
	lk := &r.look
	if lv := p.level(r); lv != lk.level {
		lk.level, lk.reached, lk.narrow, lk.wide = lv, p.now, 0, 0
	}
	t := tempi[lk.level]
	if t.narrow != nil && len(p.targets(r)) == 0 {
		t.narrow = nil
		if lk.wide == 0 && lk.level >= poor {
			t.wide = seconds(0)
		}
	}
	if p.own.phy == r.Phy && p.own.clients > 0 && lk.wide > 0 && t.wide != nil {
		t.wide = []time.Duration{max(t.crowded, t.wide[min(lk.wide, len(t.wide)-1)])}
	}
	switch {
	case p.time(t.narrow, lk.narrow, lk.reached, lk.targeted):
		mhz := p.targets(r)
		if near := p.near(r); lk.narrow == 0 && lk.level >= poor && !lk.full.IsZero() && len(near) > 0 {
			mhz = near
		}
		lk.narrow++
		p.begin(r, mhz, p.hidden(lk.done))
	case p.time(t.wide, lk.wide, lk.reached, lk.full):
		lk.wide++
		p.begin(r, nil, p.hidden(lk.done))
		lk.scan.Gentle = lk.level.gentle() && r.stay.phase == joined
	}
}

// gentle reports whether looking at this level has time, and a network that works to lose.
func (lv level) gentle() bool { return lv == content || lv == lesser }

// patience returns how long the look that goes on may take.
func (lk *looking) patience() time.Duration {
	if lk.scan.Gentle {
		return gentleLook
	}
	return lookTimeout
}

// time reports whether it is time for the next of a kind of looks, of which there were n since the level was reached.
func (p *Policy) time(gaps []time.Duration, n int, reached, last time.Time) bool {
	if gaps == nil {
		return false
	}
	if n > 0 {
		reached = last
	}
	return p.due(reached.Add(gaps[min(n, len(gaps)-1)]))
}

// level returns how much a radio has to look for. Looking takes a radio off its channel, so a radio that is in a network
// leaves it to an idle one, and does not look while something is played that would suffer.
func (p *Policy) level(r *radio) level {
	if !slices.ContainsFunc(p.networks, func(n *network) bool { return !n.Off }) {
		return unknowing
	}
	sure, _ := p.wired()
	m := p.main()
	switch {
	case p.works.IsZero() && p.busy():
		return nothing
	case p.works.IsZero():
		return searching
	case r.stay.phase == joined && (!p.undisturbed() || p.spare(r) != nil):
		return nothing
	case p.busy():
		return nothing
	case m == nil && sure == whole:
		return lesser
	case m == nil:
		return poor
	}
	w, _ := p.worth(p.links[m.Station])
	switch {
	case r.stay.phase == joined && r != m:
		return nothing
	case w < whole && sure < whole:
		return poor
	case slices.ContainsFunc(p.networks[:min(m.stay.network.rank, len(p.networks))], func(n *network) bool { return !n.Off && !p.taken(n) }):
		return lesser
	case r == m, r.stay.phase == apart:
		return content
	}
	return nothing
}

// spare returns a radio that is in no network and does not have to be our access point, or nil. For another radio it is only
// one that hears all that this one does.
func (p *Policy) spare(instead *radio) *radio {
	for _, r := range p.radios {
		if r.stay.phase != apart || p.own.planned && p.own.phy == r.Phy || p.reserved(r) {
			continue
		}
		if instead == nil || !slices.ContainsFunc(instead.Channels, func(c Channel) bool { return !r.hears(c.MHz) }) {
			return r
		}
	}
	return nil
}

// targets returns the channels on which the known networks were heard before. Where that is not known of one, it may well
// be one of the usual channels: a router that was reset is there.
func (p *Policy) targets(r *radio) []int {
	list := make([]int, 0, maxTargets)
	for _, n := range p.networks {
		switch {
		case n.Off:
		case len(n.channels) == 0:
			list = appendNew(list, usual...)
		default:
			list = appendNew(list, n.channels...)
		}
	}
	return r.allowed(list)
}

// near returns where the known networks were heard last: each channel more costs a tenth of a second, and somebody waits.
func (p *Policy) near(r *radio) []int {
	list := make([]int, 0, maxTargets)
	for _, n := range p.networks {
		if n.Off {
			continue
		}
		heard := false
		for i := range r.air {
			s := &r.air[i]
			back := p.since(s.lost) < fresh || p.since(s.failed) < fresh // what was lost just now may be back
			if n.is(s.Sighting) && (s.missed < twice || back) {
				heard, list = true, appendNew(list, r.air[i].MHz)
			}
		}
		if !heard && len(n.channels) > 0 {
			list = appendNew(list, n.channels[0])
		}
	}
	return r.allowed(list)
}

// allowed returns those of the channels that the radio may use, sorted, in bounds.
func (r *radio) allowed(mhz []int) []int {
	mhz = slices.DeleteFunc(mhz, func(c int) bool { return !r.hears(c) })
	mhz = mhz[:min(len(mhz), maxTargets)]
	slices.Sort(mhz)
	return mhz
}

// hidden returns the hidden networks to ask for by name, others with each turn if there are too many for one look.
func (p *Policy) hidden(turn int) []string {
	var names []string
	for _, n := range p.networks {
		if n.Hidden && !n.Off {
			names = appendNew(names, n.SSID)
		}
	}
	if len(names) <= maxNames {
		return names
	}
	first := turn * maxNames % len(names)
	return append(names[first:], names[:first]...)[:maxNames]
}

// begin begins a look. With mhz nil it is at all channels.
func (p *Policy) begin(r *radio, mhz []int, names []string) {
	r.look.scan = Scan{Number: p.number(), MHz: mhz, SSIDs: names}
	r.look.began = p.now
}

// scanned takes note of what a look has found.
func (p *Policy) scanned(r *radio, ev Scanned) {
	for _, s := range ev.Networks[:min(len(ev.Networks), maxSightings)] {
		p.see(r, s)
	}
	if !ev.More && ev.Number == r.look.scan.Number && ev.Number != 0 {
		p.looked(r, ev.Err != nil)
	}
}

// looked takes note that a look has ended.
func (p *Policy) looked(r *radio, failed bool) {
	lk := &r.look
	scan := lk.scan
	lk.scan = Scan{}
	lk.done++
	p.changes++
	if failed {
		lk.failures++
		lk.failed = p.now
		return
	}
	lk.failures = 0
	if scan.MHz == nil {
		lk.full = p.now
	} else {
		lk.targeted = p.now
	}
	p.survey(r, lk.began, scan.MHz)
	p.attemptLooked(r, scan)
}

// stop gives up the look that goes on: there is something better to do.
func (lk *looking) stop() { lk.scan = Scan{} }

// again begins the level anew: there is something else to look for.
func (lk *looking) again() { lk.level = nothing }

// lookAround lets every radio look at all channels, for somebody who wants to see what there is.
func (p *Policy) lookAround() {
	for _, r := range p.radios {
		r.look.asked = r.look.scan.Number == 0 || r.look.scan.MHz != nil
	}
}

// changeLook looks for a better access point of the network that a radio is in, if that is needed.
func (p *Policy) changeLook(r *radio) bool {
	st := &r.stay
	if st.phase != joined {
		return false
	}
	weak := !st.weak.IsZero() && p.due(st.weak.Add(weakFor))
	if !weak && !p.blocked(r) || !st.looked.IsZero() && !p.due(st.looked.Add(30*time.Second)) {
		return false
	}
	st.looked = p.now
	mhz := r.allowed(appendNew(appendNew(slices.Clone(st.network.channels), usual...), p.targets(r)...))
	if len(mhz) > 0 {
		p.begin(r, mhz, p.hidden(r.look.done))
	}
	return len(mhz) > 0
}
