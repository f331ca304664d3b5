package netmgr

import (
	"fmt"
	"net/netip"
	"slices"
	"time"

	"manofwar/netmgr/api"
)

// own is our own access point.
type own struct {
	wanted  bool   // it should be up
	planned bool   // it is told to be: it may have to wait
	phy     int    // the radio that makes it, while it is wanted
	channel int    // MHz where it is planned
	ssid    string // while it is planned
	at      time.Time
	address netip.Prefix
	yielded time.Time // when it last went down so that its radio could join

	up       bool // it is heard
	index    int  // of its interface
	mhz      int  // where it is heard
	clients  int
	failures int // in a row
	failed   time.Time
	reason   string // why it is not up, in words for a person
}

const (
	// giveUp is how long nothing may work before our access point comes up. It is visible within 20 s of a network's
	// death: up to 4 s until that is noticed, and a second or two until the first beacon.
	giveUp = 12 * time.Second
	// alone is the same where no network is known that might still appear: a cable may.
	alone = 5 * time.Second
	// recovered is how long a network must have worked before our access point goes down.
	recovered = time.Minute
	// firstLook is how long it waits for the first look around: whatever is found spares it a change of channel.
	firstLook = 6 * time.Second
	// startTimeout is how long it may take to be heard.
	startTimeout = 10 * time.Second
)

// addresses are those that we may have in our access point: the first one that no uplink has a use for.
var addresses = []netip.Prefix{
	netip.MustParsePrefix("10.42.77.1/24"),
	netip.MustParsePrefix("172.29.77.1/24"),
	netip.MustParsePrefix("192.168.77.1/24"),
}

// noteOwn takes note of what happened to our access point.
func (p *Policy) noteOwn(ev Event) {
	o := &p.own
	switch ev := ev.(type) {
	case AccessPointUp:
		if o.planned && ev.Phy == o.phy {
			o.up, o.index, o.mhz, o.failures, o.reason = true, ev.Index, ev.MHz, 0, ""
			p.radio(ev.Phy).ownFailures = 0
			p.changes++
		}
	case AccessPointDown:
		if o.planned && ev.Phy == o.phy {
			p.ownFailed(ev.Reason)
		}
	case AccessPointClients:
		if ev.Phy == o.phy {
			o.clients = max(ev.Count, 0)
		}
	}
}

// ownFailed takes our access point down for a while.
func (p *Policy) ownFailed(reason string) {
	o := &p.own
	if reason == "" {
		reason = "The WiFi radio could not make it. It is tried again."
	}
	o.failures++
	o.failed, o.reason = p.now, reason
	p.radio(o.phy).ownFailures++
	p.lower()
}

// lower takes our access point down, if it is up.
func (p *Policy) lower() {
	o := &p.own
	if !o.planned {
		return
	}
	o.planned, o.up, o.index, o.mhz, o.channel, o.ssid, o.clients = false, false, 0, 0, 0, "", 0
	p.changes++
}

// raise lets our access point be up when it should be.
func (p *Policy) raise() {
	o := &p.own
	if o.wanted = p.wantsOwn(); !o.wanted {
		p.lower()
		o.reason, o.failures = "", 0
		for _, r := range p.radios {
			r.ownFailures = 0
		}
		return
	}
	r := p.host()
	if r == nil {
		p.lower()
		o.reason = "No WiFi radio of this device can make a network of its own."
		return
	}
	if r.Phy != o.phy {
		p.lower()
		o.phy = r.Phy
	}
	if channel := p.ownChannel(r); channel != 0 {
		p.place(r, channel)
		p.addressOwn()
	} else {
		p.lower()
	}
}

// place lets a radio make our access point on a channel, or move it there.
func (p *Policy) place(r *radio, channel int) {
	o := &p.own
	switch {
	case o.planned && o.channel != channel:
	case o.planned && !o.up && p.due(o.at.Add(startTimeout)):
		p.ownFailed("")
		return
	case o.planned,
		o.failures > 0 && !p.due(o.failed.Add(doubling(time.Second, 10*time.Second, o.failures))),
		r.look.done == 0 && r.stay.phase == apart && !p.due(p.began.Add(firstLook)):
		return
	}
	o.planned, o.channel, o.ssid, o.at = true, channel, p.ownSSID(), p.now
	p.changes++
}

// wantsOwn reports whether our access point should be up: while it is set up or the owner wants it always, while nothing
// works, and afterwards until a network has worked for a minute and nobody is in it.
func (p *Policy) wantsOwn() bool {
	s, o := &p.settings, &p.own
	switch {
	case s.AccessPoint.Off, s.AccessPoint.SSID == "":
		return false
	case s.Setup, s.AccessPoint.Permanent:
		return true
	case o.wanted:
		return o.clients > 0 || p.attempting() || p.works.IsZero() || !p.due(p.works.Add(recovered))
	case !p.works.IsZero():
		return false
	case slices.ContainsFunc(p.networks, func(n *network) bool { return !n.Off }):
		return p.due(p.lost.Add(giveUp)) && (!p.hoping() || p.due(p.lost.Add(giveUp+patience)))
	}
	return p.due(p.lost.Add(alone))
}

// host returns the radio that makes our access point: the one that does already, else the one that failed least at it, and
// of those an idle one.
func (p *Policy) host() *radio {
	var best *radio
	for _, r := range p.radios {
		switch {
		case !r.AccessPoint || !slices.ContainsFunc(r.Channels, func(c Channel) bool { return !c.NoBeacon }):
		case p.own.planned && p.own.phy == r.Phy:
			return r
		case best == nil, r.ownFailures < best.ownFailures,
			r.ownFailures == best.ownFailures && r.stay.phase == apart && best.stay.phase != apart:
			best = r
		}
	}
	return best
}

// ownChannel returns on which channel the radio can make our access point, in MHz, or 0 if it cannot now. One radio is on
// one channel: the network's, if it is in one.
func (p *Policy) ownChannel(r *radio) int {
	o, st := &p.own, &r.stay
	switch {
	case st.phase == apart && o.planned && r.beacons(o.channel):
		return o.channel
	case st.phase == apart:
		return r.quietest()
	case !r.Together:
		o.reason = "This WiFi radio cannot be in a network and make one of its own at the same time."
		return 0
	case st.mhz == 0 && o.planned:
		return o.channel
	case !r.beacons(st.mhz):
		o.reason = fmt.Sprintf("A network of its own is not allowed on the channel of %s.", printable(st.network.SSID))
		return 0
	case r.Follows && o.planned && st.phase < joined:
		return o.channel
	}
	return st.mhz
}

// mustMove reports whether our access point has to change its channel before the radio can join a network on another one.
func (p *Policy) mustMove(r *radio, mhz int) bool {
	o := &p.own
	return o.up && o.phy == r.Phy && r.Together && !r.Follows && mhz != 0 && o.mhz != mhz && r.beacons(mhz)
}

// excludes reports whether the radio should be our access point and cannot while it is in a network on a channel.
func (p *Policy) excludes(r *radio, mhz int) bool {
	return p.own.wanted && p.own.phy == r.Phy && r.AccessPoint && (!r.Together || mhz != 0 && !r.beacons(mhz))
}

// blocked reports whether our access point, which the owner wants always, cannot be up because of the channel of the network
// that its radio is in.
func (p *Policy) blocked(r *radio) bool {
	return p.own.wanted && (p.settings.Setup || p.settings.AccessPoint.Permanent) && p.own.phy == r.Phy && r.stay.phase == joined && r.AccessPoint && r.Together && !r.beacons(r.stay.mhz)
}

// quietest returns the channel of 2.4 GHz on which least is heard, or any where our access point may be.
func (r *radio) quietest() int {
	best, least := 0, 0
	for _, mhz := range usual {
		if !r.beacons(mhz) {
			continue
		}
		noise := 0
		for i := range r.air {
			if d := r.air[i].MHz - mhz; d > -25 && d < 25 {
				noise += max(r.air[i].Signal+100, 1)
			}
		}
		if best == 0 || noise < least {
			best, least = mhz, noise
		}
	}
	for _, c := range r.Channels {
		if best == 0 && !c.NoBeacon {
			best = c.MHz
		}
	}
	return best
}

// addressOwn gives us an address in our access point that no other link has a use for.
func (p *Policy) addressOwn() {
	if p.own.address.IsValid() && !p.used(p.own.address) {
		return
	}
	for _, a := range addresses {
		if !p.used(a) {
			p.own.address = a
			p.changes++
			return
		}
	}
	if !p.own.address.IsValid() {
		p.own.address = addresses[0]
	}
}

// used reports whether a link has addresses or routes into a subnet.
func (p *Policy) used(subnet netip.Prefix) bool {
	for _, l := range p.links {
		if !l.managed {
			continue
		}
		if l.lease.Address.IsValid() && l.lease.Address.Overlaps(subnet) ||
			slices.ContainsFunc(l.lease.Routes, func(r Route) bool { return !r.Default() && r.To.Overlaps(subnet) }) {
			return true
		}
	}
	return false
}

// ownSSID is what our access point is called. One that is up keeps its name when only the device's has changed: whoever is in it
// would be thrown out.
func (p *Policy) ownSSID() string {
	if s := &p.settings.AccessPoint; p.own.ssid == "" || !s.Default {
		return s.SSID
	}
	return p.own.ssid
}

// planOwn returns how our access point should be. While it is set up, phones find our page by what they look for to see
// whether they must sign in, as they do where the way out wants somebody to sign in; without a way out every name is ours.
func (p *Policy) planOwn() AccessPointPlan {
	ap := AccessPointPlan{
		Up: true, SSID: p.ownSSID(), Open: p.settings.AccessPoint.Open,
		MHz: p.own.channel, Address: p.own.address, Capture: CaptureAll,
	}
	for _, l := range p.links {
		if !l.managed || !l.addressed || !l.gateway().IsValid() || worthOf(l.state) == useless {
			continue
		}
		ap.Uplinks = true
		switch {
		case l.state == api.Captive && ap.Capture == CaptureAll:
			ap.Capture = CaptureProbes
		case l.state == api.Good, l.verdict.State == "":
			ap.Capture = CaptureNone
		}
	}
	if ap.Capture == CaptureNone && p.settings.Setup {
		ap.Capture = CaptureProbes
	}
	return ap
}
