package netmgr

import (
	"slices"
	"time"
)

const (
	dwell  = time.Minute      // a network is preferred once it was there so long, and left by choice no sooner than that
	resign = 20 * time.Second // a network that gives no address is left after this even for nothing: joining anew may help
	covers = 15 * time.Second // what was sent ahead must last so long that a change of network is not heard
	afresh = 6 * time.Second  // a radio on its way keeps the others from trying for so long
)

// choose decides which radio is in which network.
func (p *Policy) choose() {
	for _, r := range p.radios {
		p.quit(r)
	}
	for _, host := range []bool{false, true} { // our access point stays undisturbed if another radio can do it
		for _, r := range p.radios {
			if r.stay.phase == apart && !p.reserved(r) && (p.own.planned && p.own.phy == r.Phy) == host {
				p.seek(r)
			}
		}
	}
	if m := p.main(); m != nil && !p.attempting() {
		p.improve(m)
	}
	if m := p.main(); m != nil && !p.attempting() {
		p.release(m)
		p.change(m)
	}
}

// quit leaves a network that the owner no longer wants, or that is good for nothing.
func (p *Policy) quit(r *radio) {
	n := r.stay.network
	if n == nil {
		return
	}
	if !p.wanted(r) {
		p.leave(r)
		return
	}
	if r.stay.phase != joined || p.attemptAt(r) {
		return
	}
	l := p.links[r.Station]
	if w, certain := p.worth(l); w > useless || !certain || l == nil {
		return
	}
	_, other := p.pick(r, urgent, func(o *network) bool { return o != n })
	if other != nil || p.excludes(r, r.stay.mhz) || p.due(l.at.Add(resign)) && p.due(r.stay.since.Add(resign)) {
		r.prospect(n).fail(p.now, hollow)
		p.leave(r)
	}
}

// wanted reports whether the owner still wants the network that the radio is in.
func (p *Policy) wanted(r *radio) bool {
	n := r.stay.network
	if p.attempt != nil && p.attempt.network == n {
		return true
	}
	return slices.Contains(p.networks, n) && (!n.Off || r.stay.asked)
}

// seek lets an idle radio join the best network that it hears, unless another one is in one already or on its way.
func (p *Policy) seek(r *radio) {
	for _, o := range p.radios {
		if o.stay.phase != apart && (o.stay.phase == joined && p.links[o.Station] != nil && p.links[o.Station].addressed || !p.due(o.stay.since.Add(afresh))) {
			return
		}
	}
	_, wired := p.wired()
	if s, n := p.target(r, p.haste(), func(o *network) bool { return wired < whole || !o.Metered }); s != nil {
		p.enter(r, n, s)
	}
}

// haste returns how urgent it is to be in some network.
func (p *Policy) haste() haste {
	if p.works.IsZero() {
		return urgent
	}
	return calm
}

// target returns the network that the radio joins best among those that qualify, and by which access point: the one that
// is likely worth most, and of those the most preferred. A look that goes on may find a better one, so only what nothing
// could be better than is taken before it has ended; unless nothing works, the known channels have been looked at, and
// it never failed: what fails again and again must not keep looks from ending.
func (p *Policy) target(r *radio, h haste, qualifies func(*network) bool) (*sighting, *network) {
	s, n := p.pick(r, h, qualifies)
	if n == nil {
		return nil, nil
	}
	if r.look.scan.Number != 0 && !(h == urgent && r.look.narrow > 1 && r.prospect(n).strikes == 0) {
		if r.prospect(n).strikes > 0 {
			return nil, nil
		}
		if p.expect(n) < whole {
			return nil, nil
		}
		for _, o := range p.networks[:n.rank] {
			if !o.Off && p.ready(r.prospect(o), h) && qualifies(o) {
				return nil, nil
			}
		}
	}
	return s, n
}

// pick returns what target would if all looks had ended.
func (p *Policy) pick(r *radio, h haste, qualifies func(*network) bool) (*sighting, *network) {
	var best *network
	var by *sighting
	for _, n := range p.networks {
		if n.Off || best != nil && p.expect(n) <= p.expect(best) || !qualifies(n) || p.taken(n) {
			continue
		}
		if s := p.bestOf(r, n, func(s *sighting) bool { return p.admits(r, n, s, h) }); s != nil {
			best, by = n, s
		}
	}
	return by, best
}

// admits reports whether it is time to try a network, and whether our access point leaves the radio free to. Where it
// would have to go down, that is done less often. Who is in it then is thrown out, so the network must have been there for
// a while, and nothing may be played or set up: but never to go would leave us to a phone that was forgotten in it.
func (p *Policy) admits(r *radio, n *network, s *sighting, h haste) bool {
	pr := r.prospect(n)
	another := (pr.why == NoAnswer || pr.why == NotFound) && (s.failed.IsZero() || p.since(s.failed) > longDoubt/2)
	switch {
	case !p.excludes(r, s.MHz):
		return p.ready(pr, h)
	case !p.own.yielded.IsZero() && !p.due(p.own.yielded.Add(dwell)):
		return false
	case p.own.clients == 0: // only other access points of the network have failed, or it is time
		return another && h > calm || p.ready(pr, min(h, measured))
	default:
		return p.ready(pr, calm) && !p.settings.Setup && !p.stream.Active && !pr.steady.IsZero() && p.due(pr.steady.Add(dwell))
	}
}

// taken reports whether a radio is in the network, or on its way into it.
func (p *Policy) taken(n *network) bool {
	for _, r := range p.radios {
		if r.stay.network == n {
			return true
		}
	}
	return false
}

// main returns the radio whose network is best, or nil if none is certain yet.
func (p *Policy) main() *radio {
	var best *radio
	for _, r := range p.radios {
		if r.stay.phase != joined {
			continue
		}
		if _, certain := p.worth(p.links[r.Station]); !certain {
			continue
		}
		if best == nil || p.before(r, best) {
			best = r
		}
	}
	return best
}

// before reports whether the network of radio a is better than that of radio b.
func (p *Policy) before(a, b *radio) bool {
	wa, _ := p.worth(p.links[a.Station])
	wb, _ := p.worth(p.links[b.Station])
	if wa != wb {
		return wa > wb
	}
	return a.stay.network.rank < b.stay.network.rank
}

// improve looks for a network that is better than that of the main radio: one with internet if that has none, or one that
// the owner prefers. An idle radio tries it without anything being lost. The main radio itself must leave what works, so it
// does so only while nobody would notice, and for a mere preference not before the other one was there for a minute.
func (p *Policy) improve(m *radio) {
	w, _ := p.worth(p.links[m.Station])
	if w == useless {
		return
	}
	sure, _ := p.wired()
	if p.busy() || p.beside(m, w, sure, false) || p.depart(m, w, sure) {
		return
	}
	p.beside(m, w, sure, true)
}

// beside lets an idle radio try a network that is better than that of the main radio; with host that of our access point,
// which then moves. It reports whether one does.
func (p *Policy) beside(m *radio, w, wired worth, host bool) bool {
	for _, r := range p.radios {
		if r.stay.phase != apart || p.reserved(r) || (p.own.planned && p.own.phy == r.Phy) != host {
			continue
		}
		s, n := p.target(r, calm, func(n *network) bool { return p.better(r, m, n, w, wired) != no })
		if s != nil {
			p.enter(r, n, s)
			return true
		}
	}
	return false
}

// busy reports whether some radio is on its way, or in a network of which it is not certain yet.
func (p *Policy) busy() bool {
	for _, r := range p.radios {
		switch r.stay.phase {
		case moving, joining:
			return true
		case joined:
			if _, certain := p.worth(p.links[r.Station]); !certain {
				return true
			}
		}
	}
	return false
}

// reason is why a network is better than another.
type reason int

const (
	no        reason = iota
	preferred        // the owner prefers it, and it is worth as much
	back             // it is where we came from, and it was no worse
	internet         // it likely has the internet, the other one has not
)

// better says why the network n, as radio r hears it, is better than that of radio m, which is worth w. A cable with
// internet leaves nothing to be looked for by radio.
func (p *Policy) better(r, m *radio, n *network, w, wired worth) reason {
	in, e := m.stay.network, p.expect(n)
	pr := r.prospect(n)
	switch {
	case wired == whole && (n.Metered || e > w):
		return no
	case e > w:
		return internet
	case e < w || n.rank >= in.rank:
		return no
	case m.stay.excursion && w < whole:
		return back
	case !pr.steady.IsZero() && p.due(pr.steady.Add(dwell)):
		return preferred
	}
	return no
}

// depart lets the main radio leave a network that works for a better one, and reports whether it does.
func (p *Policy) depart(m *radio, w, wired worth) bool {
	rested := p.departed.IsZero() || p.due(p.departed.Add(dwell))
	s, n := p.target(m, calm, func(n *network) bool {
		switch p.better(m, m, n, w, wired) {
		case internet: // at once if it never failed us
			return p.undisturbed() && (rested || n.strikes == 0 && m.prospect(n).strikes == 0)
		case back:
			return p.undisturbed()
		case preferred:
			return p.undisturbed() && rested && p.due(m.stay.since.Add(dwell))
		}
		return false
	})
	if s == nil {
		return false
	}
	p.departed = p.now
	p.enter(m, n, s)
	m.stay.excursion = true
	return true
}

// undisturbed reports whether nobody would notice a change of network: nothing is played, or enough was sent ahead.
func (p *Policy) undisturbed() bool { return !p.stream.Active || p.stream.Buffer >= covers }

// release leaves what other radios are in once it is not needed: the main radio's network is better, and preferred. One that
// the owner prefers although it has no internet stays: whoever is in it reaches us there, and its internet may come back.
func (p *Policy) release(m *radio) {
	sure, _ := p.wired()
	rank := m.stay.network.rank
	for _, r := range p.radios {
		if r.stay.phase != joined || r.stay.asked && p.attempt != nil {
			continue
		}
		w, certain := p.worth(p.links[r.Station])
		n := r.stay.network
		needless := r != m && (n.rank >= rank || w == useless) ||
			r == m && n.Metered && sure == whole && p.due(r.stay.since.Add(dwell))
		if certain && needless && (p.undisturbed() || w == useless) {
			p.leave(r)
		}
	}
}

// change moves a radio to another access point of the network that it is in, if that one is heard much better, or if our
// own access point cannot be on the channel of this one.
func (p *Policy) change(r *radio) {
	if r.stay.phase != joined {
		return
	}
	weak := !r.stay.weak.IsZero() && p.due(r.stay.weak.Add(weakFor))
	blocked := p.blocked(r)
	if !weak && !blocked || !r.moved.IsZero() && !p.due(r.moved.Add(time.Minute)) {
		return
	}
	s := p.best(r, r.stay.network)
	if s == nil || s.BSSID == r.stay.bssid || !r.moved.IsZero() && s.failed.After(r.moved) {
		return
	}
	if p.excludes(r, s.MHz) && p.own.planned || p.mustMove(r, s.MHz) && !p.undisturbed() {
		return // our access point stays; and while that moves, the network would have to be left
	}
	if weak && s.Signal >= r.stay.signal+stronger || blocked && r.beacons(s.MHz) {
		r.moved = p.now
		p.enter(r, r.stay.network, s)
	}
}
