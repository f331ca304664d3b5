package netmgr

import (
	"fmt"
	"net/netip"
	"slices"
	"time"

	"manofwar/netmgr/api"
)

// attempt is the owner's wish to be in one network now. It goes before everything else on its radio: what that was in is
// left, as one radio has one channel, and is joined again by the ordinary rules as soon as the attempt has failed.
type attempt struct {
	network *network
	phy     int
	state   api.AttemptState
	reason  string
	at      time.Time // when it began, or was over
	joined  time.Time // when the network was
	looks   int       // that have not found it
	joins   int       // that have failed
	link    string
	address netip.Addr
}

const (
	attemptLooks   = 3                // at most: at the known channels if there are any, then at all of them
	attemptJoins   = 2                // a network that does not answer is asked once more
	attemptAddress = 20 * time.Second // how long to wait for an address
	attemptLimit   = time.Minute      // how long to try, should the radio not even say what is wrong
	attemptNews    = 10 * time.Minute // how long an outcome is told
)

// try begins an attempt, in the place of one that goes on.
func (p *Policy) try(profile Profile) {
	if !p.manage {
		return
	}
	n := &network{}
	if i := slices.IndexFunc(p.networks, func(n *network) bool { return n.ID == profile.ID && n.SSID == profile.SSID }); i >= 0 {
		n = p.networks[i]
	} else {
		n.rank = len(p.networks)
	}
	n.Profile = profile
	p.attempt = &attempt{network: n, state: api.Joining, at: p.now}
	p.changes++
	r := p.attemptRadio()
	if r == nil {
		p.attemptOver(api.Failed, "This device has no WiFi radio.")
		return
	}
	p.attempt.phy = r.Phy
	delete(r.prospects, n.ID)
	r.look.stop()
	if r.stay.network == n { // with another password, maybe
		p.leave(r)
	}
}

// attemptRadio returns the radio for an attempt: an idle one that is not our access point, else one of the others.
func (p *Policy) attemptRadio() *radio {
	if r := p.spare(nil); r != nil {
		return r
	}
	var best *radio
	for _, r := range p.radios {
		if best == nil || p.own.phy == best.Phy && p.own.planned {
			best = r
		}
	}
	return best
}

// attempting reports whether an attempt goes on.
func (p *Policy) attempting() bool { return p.attempt != nil && !p.attempt.state.Over() }

// reserved reports whether the radio is kept for an attempt.
func (p *Policy) reserved(r *radio) bool { return p.attempting() && p.attempt.phy == r.Phy }

// attemptAt reports whether the radio is in the network of an attempt that goes on, or on its way into it.
func (p *Policy) attemptAt(r *radio) bool {
	return p.reserved(r) && r.stay.network == p.attempt.network
}

// pursue carries an attempt on.
func (p *Policy) pursue() {
	a := p.attempt
	switch {
	case a == nil:
		return
	case a.state.Over():
		if p.due(a.at.Add(attemptNews)) {
			p.attempt = nil
			p.changes++
		}
		return
	}
	r := p.radio(a.phy)
	if r == nil {
		p.attemptOver(api.Failed, "The WiFi radio was taken away.")
		return
	}
	switch {
	case a.state == api.Joining && !(r.in() && r.stay.network == a.network) && p.due(a.at.Add(attemptLimit)):
		if r.stay.network == a.network {
			p.leave(r)
		}
		p.attemptOver(api.Failed, fmt.Sprintf("The WiFi radio could not join %s.", printable(a.network.SSID)))
	case r.stay.network != a.network:
		if s := p.best(r, a.network); s != nil {
			p.enter(r, a.network, s)
			r.stay.asked = true
		}
	case r.stay.phase == joined:
		p.pursueAddress(r)
	}
}

// pursueAddress waits for an address in the network that was joined.
func (p *Policy) pursueAddress(r *radio) {
	a := p.attempt
	if a.state == api.Joining {
		a.state, a.joined = api.Addressing, p.now
		p.changes++
	}
	l := p.links[r.Station]
	switch {
	case l != nil && l.addressed:
		a.link = l.Name
		a.address = l.lease.Address.Addr()
		p.attemptOver(api.Connected, "")
	case p.due(a.joined.Add(attemptAddress)):
		p.attemptOver(api.Failed, fmt.Sprintf("The password is right, but %s gives this device no address.", printable(a.network.SSID)))
	}
}

// attemptOver ends an attempt.
func (p *Policy) attemptOver(state api.AttemptState, reason string) {
	a := p.attempt
	a.state, a.reason, a.at = state, reason, p.now
	p.changes++
}

// attemptFailed takes note that the network of an attempt could not be joined, or was lost before there was an address.
func (p *Policy) attemptFailed(r *radio, n *network, why Failure, reason string) {
	a := p.attempt
	if !p.reserved(r) || a.network != n {
		return
	}
	if a.joins++; a.joins < attemptJoins && (why == NoAnswer || why == Lost || why == Broken || why == NotFound) {
		a.state = api.Joining
		return
	}
	state := api.Failed
	switch why {
	case WrongPassword:
		state = api.WrongPassword
	case NotFound:
		state = api.NotFound
	}
	p.attemptOver(state, explain(n, why, reason))
}

// attemptLook looks for the network of an attempt, and reports whether it did: on the channels where it is known to be,
// then on all of them.
func (p *Policy) attemptLook(r *radio) bool {
	a := p.attempt
	if !p.reserved(r) || r.stay.network == a.network {
		return false
	}
	mhz := slices.Clone(a.network.channels)
	for i := range r.air {
		if a.network.is(r.air[i].Sighting) {
			mhz = appendNew(mhz, r.air[i].MHz)
		}
	}
	if mhz = r.allowed(mhz); len(mhz) == 0 || a.looks > 0 {
		mhz = nil
	}
	p.begin(r, mhz, []string{a.network.SSID})
	return true
}

// attemptLooked gives an attempt up whose network was not found. One that was heard but cannot be joined is told so.
func (p *Policy) attemptLooked(r *radio, scan Scan) {
	a := p.attempt
	if !p.reserved(r) || r.stay.network == a.network || !slices.Contains(scan.SSIDs, a.network.SSID) || p.best(r, a.network) != nil {
		return
	}
	heard := slices.ContainsFunc(r.air, func(s sighting) bool { return a.network.is(s.Sighting) })
	if a.looks++; scan.MHz != nil || heard && a.looks < attemptLooks {
		return
	}
	for i := range r.air {
		s := &r.air[i]
		if s.SSID != a.network.SSID || !p.audible(s) {
			continue
		}
		switch {
		case !s.Join:
			p.attemptOver(api.Failed, s.Reason)
		case s.Open:
			p.attemptOver(api.Failed, fmt.Sprintf("%s asks for no password.", printable(s.SSID)))
		default:
			p.attemptOver(api.WrongPassword, fmt.Sprintf("%s asks for a password.", printable(s.SSID)))
		}
		return
	}
	p.attemptOver(api.NotFound, fmt.Sprintf("%s is not in reach.", printable(a.network.SSID)))
}
