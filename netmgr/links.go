package netmgr

import (
	"cmp"
	"net/netip"
	"slices"
	"time"

	"manofwar/netmgr/api"
)

// link is what the policy knows of one link.
type link struct {
	Link                    // Carrier of a radio's: it is in a network
	lease      Lease        // the zero Lease: none
	self       netip.Prefix // a link-local address; the zero Prefix: none
	routerDNS  []routerServer
	unanswered bool      // no DHCP server answers
	heard      bool      // something was learnt of its network, or it had no carrier
	generation int       // counts the carriers it had
	reason     string    // why the last lease ended
	verdict    Judged    // what lies behind it; State is empty: not judged yet
	managed    bool      // the policy configures it
	addressed  bool      // a network gave it an address. One that it gave itself says nothing about a network
	at         time.Time // when it was addressed, or lost that, or got its carrier
	state      api.State
	since      time.Time // with the monotonic clock: the wall clock jumps when it is first set
}

// maxLinks bounds the links that are known.
const maxLinks = 64

// linkChanged takes over how the kernel has the link. Without carrier nothing learnt from its network holds any more:
// the next cable may lead elsewhere.
func (p *Policy) linkChanged(k Link) {
	if p.links == nil {
		p.links = make(map[int]*link)
	}
	if p.links[k.Index] == nil {
		if len(p.links) >= maxLinks {
			return
		}
		p.links[k.Index] = &link{since: p.now}
	}
	if r := p.radioOf(k.Index); r != nil {
		k.Carrier = r.in()
	}
	p.update(k.Index, func(l *link) {
		if k.Carrier && !l.Carrier {
			l.generation++
		}
		l.Link = k
		if !k.Carrier {
			l.forget()
		}
	})
}

// carrier tells a radio's link whether the radio is in a network. With anew it is in another one than before.
func (p *Policy) carrier(r *radio, anew bool) {
	if l := p.links[r.Station]; l != nil {
		if anew && l.Carrier {
			k := l.Link
			l.Carrier = false
			l.forget()
			p.linkChanged(k)
			return
		}
		p.linkChanged(l.Link)
	}
}

// forget drops what was learnt from the network.
func (l *link) forget() {
	l.lease, l.self, l.unanswered, l.reason, l.verdict = Lease{}, netip.Prefix{}, false, "", Judged{}
	l.routerDNS = nil
}

// noteLink takes note of what was learnt of a link.
func (p *Policy) noteLink(ev Event) {
	switch ev := ev.(type) {
	case Leased:
		p.update(ev.Index, func(l *link) {
			if l.Carrier { // else it is old news of a client that is being stopped
				l.lease, l.self, l.unanswered, l.reason = ev.Lease, netip.Prefix{}, false, ""
			}
		})
	case Unleased:
		p.update(ev.Index, func(l *link) { l.lease, l.reason = Lease{}, ev.Reason })
	case Unanswered:
		p.update(ev.Index, func(l *link) { l.unanswered = l.Carrier && !l.lease.Address.IsValid() })
	case SelfAssigned:
		p.update(ev.Index, func(l *link) {
			if l.unanswered {
				l.self = ev.Address
			}
		})
	case RouterNamed:
		p.update(ev.Index, func(l *link) { l.nameServers(p.now, ev) })
	case Judged:
		p.update(ev.Index, func(l *link) {
			if ev.Generation == l.generation && l.addressed && rank[ev.State] > rank[api.Down] {
				l.verdict = ev
			}
		})
	}
}

// update changes what is known of a link, if it is still there, and looks at its state anew.
func (p *Policy) update(index int, change func(*link)) {
	l := p.links[index]
	if l == nil {
		return
	}
	carrier, addressed := l.Carrier, l.addressed
	change(l)
	l.heard = l.heard || !l.Carrier || l.lease.Address.IsValid() || l.reason != "" || l.unanswered
	l.managed = p.manages(l)
	l.addressed = l.Carrier && (l.lease.Address.IsValid() || l.routed6() || (p.guest || !l.managed) && len(usable(l.Addresses)) > 0)
	if !l.addressed {
		l.verdict = Judged{}
	}
	if l.Carrier != carrier || l.addressed != addressed {
		l.at = p.now
	}
	if s := reach(l); s != l.state {
		l.state, l.since = s, p.now
	}
}

// reach says how far a link reaches. Whether the internet is behind its gateway says a judge, if there is one: to ask
// contacts hosts that the owner may not have chosen.
func reach(l *link) api.State {
	switch {
	case !l.Carrier:
		return api.Down
	case l.verdict.State != "":
		return l.verdict.State
	case l.addressed, l.self.IsValid():
		return api.LANOnly
	default:
		return api.Associated
	}
}

// routed6 reports whether a router has given the link an IPv6 address.
func (l *link) routed6() bool {
	return slices.ContainsFunc(l.Addresses, func(a netip.Prefix) bool { return a.Addr().Is6() && a.Addr().IsGlobalUnicast() })
}

// manages reports whether the policy configures the link: wired ones, and those by which radios join networks.
func (p *Policy) manages(l *link) bool {
	return p.manage && (l.Kind != WiFi || p.radioOf(l.Index) != nil)
}

// worth is what a link is good for, as far as choosing goes. A portal that wants somebody to sign in is no internet.
type worth int

const (
	useless worth = iota // there is no address, or not even the gateway answers
	local                // whoever is in the same network
	whole                // the internet, as far as anybody knows
)

const (
	patience = 15 * time.Second // the judge's: if it has said nothing for so long, there is none
	stalled  = 5 * time.Second  // without an address for so long: others may be tried
)

// worth returns what a link is good for, and whether that is certain or only hoped.
func (p *Policy) worth(l *link) (w worth, certain bool) {
	switch {
	case l == nil || !l.Carrier:
		return useless, true
	case !l.addressed:
		return useless, p.due(l.at.Add(stalled))
	case l.verdict.State == "":
		return whole, p.due(l.at.Add(patience))
	default:
		return worthOf(l.verdict.State), true
	}
}

func worthOf(s api.State) worth {
	switch s {
	case api.Good:
		return whole
	case api.Captive, api.LANOnly:
		return local
	default:
		return useless
	}
}

// wired returns the best that cables are certainly worth, and the most that they may be.
func (p *Policy) wired() (sure, hoped worth) {
	for _, l := range p.links {
		if l.Kind == WiFi {
			continue
		}
		w, certain := p.worth(l)
		hoped = max(hoped, w)
		if certain {
			sure = max(sure, w)
		}
	}
	return sure, hoped
}

// preference orders links of the same reach: cables first, then the networks in the owner's order; those that cost last.
func (p *Policy) preference(l *link) int {
	const costs = 2 * maxProfiles
	switch r := p.radioOf(l.Index); {
	case l.Kind == Ethernet:
		return 0
	case l.Kind == USB:
		return costs
	case r == nil || r.stay.network == nil:
		return 2 * costs
	case r.stay.network.Metered:
		return costs + 1 + r.stay.network.rank
	default:
		return 1 + r.stay.network.rank
	}
}

// rank orders the states of links.
var rank = map[api.State]int{api.Down: 0, api.Associated: 1, api.LANOnly: 2, api.Captive: 3, api.Good: 4}

// ordered returns the links in the order in which they are used: those that reach further first, then by preference,
// then as the kernel numbered them.
func (p *Policy) ordered() []*link {
	list := make([]*link, 0, len(p.links))
	for _, l := range p.links {
		list = append(list, l)
	}
	slices.SortFunc(list, func(a, b *link) int {
		return cmp.Or(rank[b.state]-rank[a.state], p.preference(a)-p.preference(b), a.Index-b.Index)
	})
	return list
}

// The metrics of routes. Linux gives those from router advertisements 1024: ours are preferred.
const (
	firstMetric = 100
	metricStep  = 10
)

// plan returns how a managed link should be.
func (l *link) plan(metric int) LinkPlan {
	lp := LinkPlan{
		Index: l.Index, Name: l.Name, MAC: l.MAC, Metric: metric,
		SwitchOn:   !l.Up,
		Generation: l.generation,
		Keep:       !l.heard,
		Lease:      l.Carrier,
		SelfAssign: l.Carrier && l.unanswered,
	}
	switch {
	case l.lease.Address.IsValid():
		lp.Addresses = []netip.Prefix{l.lease.Address}
		lp.Routes, lp.Until = l.lease.Routes, l.lease.Until
	case l.self.IsValid():
		lp.Addresses = []netip.Prefix{l.self}
	}
	return lp
}
