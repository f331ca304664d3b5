package netmgr

import (
	"cmp"
	"maps"
	"net/netip"
	"slices"
	"time"

	"manofwar/netmgr/api"
)

// Policy knows what happened and derives what should be so. It is for one goroutine. The zero value manages nothing and
// only tells how the host is; see [NewPolicy].
type Policy struct {
	manage   bool
	links    map[int]*link
	hostname string // wanted, then won
	named    bool   // it was won
	clock    time.Time
	trouble  string
}

// link is what the policy knows of one link.
type link struct {
	Link
	lease      Lease        // the zero Lease: none
	self       netip.Prefix // a link-local address; the zero Prefix: none
	unanswered bool         // no DHCP server answers
	heard      bool         // something was learnt of its network, or it had no carrier
	generation int          // counts the carriers it had
	reason     string       // why the last lease ended
	state      api.State
	since      time.Time // with the monotonic clock: the wall clock jumps when it is first set
}

// NewPolicy returns a policy. With manage it configures the links; without, the host's own system does, and the policy
// only tells how they are and where to answer our name.
func NewPolicy(hostname string, manage bool) *Policy {
	return &Policy{manage: manage, hostname: hostname}
}

// Handle takes note of what happened at now.
func (p *Policy) Handle(now time.Time, ev Event) {
	switch ev := ev.(type) {
	case LinkChanged:
		p.linkChanged(now, ev.Link)
	case LinkGone:
		delete(p.links, ev.Index)
	case Leased:
		p.update(now, ev.Index, func(l *link) {
			if l.Carrier { // else it is old news of a client that is being stopped
				l.lease, l.self, l.unanswered, l.reason = ev.Lease, netip.Prefix{}, false, ""
			}
		})
	case Unleased:
		p.update(now, ev.Index, func(l *link) { l.lease, l.reason = Lease{}, ev.Reason })
	case Unanswered:
		p.update(now, ev.Index, func(l *link) { l.unanswered = l.Carrier && !l.lease.Address.IsValid() })
	case SelfAssigned:
		p.update(now, ev.Index, func(l *link) {
			if l.unanswered {
				l.self = ev.Address
			}
		})
	case Named:
		p.hostname, p.named = ev.Hostname, true
	case ClockSet:
		p.clock = ev.At
	case Troubled:
		p.trouble = ev.Reason
	}
}

// linkChanged takes over how the kernel has the link. Without carrier nothing learnt from its network holds any more:
// the next cable may lead elsewhere.
func (p *Policy) linkChanged(now time.Time, k Link) {
	if p.links == nil {
		p.links = make(map[int]*link)
	}
	if p.links[k.Index] == nil {
		p.links[k.Index] = &link{since: now}
	}
	p.update(now, k.Index, func(l *link) {
		if k.Carrier && !l.Carrier {
			l.generation++
		}
		l.Link = k
		if !k.Carrier {
			l.lease, l.self, l.unanswered, l.reason = Lease{}, netip.Prefix{}, false, ""
		}
	})
}

// update changes what is known of a link, if it is still there, and judges it anew.
func (p *Policy) update(now time.Time, index int, change func(*link)) {
	l := p.links[index]
	if l == nil {
		return
	}
	change(l)
	l.heard = l.heard || !l.Carrier || l.lease.Address.IsValid() || l.reason != "" || l.unanswered
	if s := p.judge(l); s != l.state {
		l.state, l.since = s, now
	}
}

// judge says how far a link reaches. Whether the internet is behind its gateway is not asked: that would contact hosts
// the owner has not chosen.
func (p *Policy) judge(l *link) api.State {
	switch {
	case !l.Carrier:
		return api.Down
	case l.lease.Address.IsValid(), l.self.IsValid(), !p.manages(l) && len(usable(l.Addresses)) > 0, l.routed6():
		return api.LANOnly
	default:
		return api.Associated
	}
}

// routed6 reports whether a router has given the link an IPv6 address.
func (l *link) routed6() bool {
	return slices.ContainsFunc(l.Addresses, func(a netip.Prefix) bool { return a.Addr().Is6() && a.Addr().IsGlobalUnicast() })
}

// manages reports whether the policy configures the link.
func (p *Policy) manages(l *link) bool { return p.manage && l.Kind == Ethernet }

// ordered returns the links in the order of preference: wired before wireless, then as the kernel numbered them.
func (p *Policy) ordered() []*link {
	rank := map[Kind]int{Ethernet: 0, WiFi: 1}
	return slices.SortedFunc(maps.Values(p.links), func(a, b *link) int {
		return cmp.Or(cmp.Compare(rank[a.Kind], rank[b.Kind]), cmp.Compare(a.Index, b.Index))
	})
}

// The metrics of routes. Linux gives those from router advertisements 1024: ours are preferred.
const (
	firstMetric = 100
	metricStep  = 10
)

// Plan returns how the network should be, given all that happened.
func (p *Policy) Plan() Plan {
	var plan Plan
	if p.named {
		plan.Hostname = p.hostname
	}
	for i, l := range p.ordered() {
		if p.manages(l) {
			plan.Links = append(plan.Links, l.plan(firstMetric+metricStep*i))
		}
		if a := l.reachable(); len(a) > 0 {
			plan.Announce = append(plan.Announce, Announcement{Index: l.Index, Name: l.Name, Addresses: a})
		}
		plan.DNS = appendNew(plan.DNS, l.lease.DNS...)
		plan.Search = appendNew(plan.Search, l.lease.Search...)
		plan.Time = appendNew(plan.Time, l.lease.Time...)
	}
	plan.DNS = plan.DNS[:min(len(plan.DNS), MaxServers)]
	return plan
}

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

// usable leaves out the addresses that mean nothing to others on the link.
func usable(addresses []netip.Prefix) []netip.Prefix {
	var out []netip.Prefix
	for _, a := range addresses {
		if ip := a.Addr(); ip.IsGlobalUnicast() || ip.IsLinkLocalUnicast() {
			out = append(out, a)
		}
	}
	return out
}

// appendNew appends those that are not there yet.
func appendNew[T comparable](list []T, more ...T) []T {
	for _, v := range more {
		if !slices.Contains(list, v) {
			list = append(list, v)
		}
	}
	return list
}
