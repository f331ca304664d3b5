package netmgr

import (
	"fmt"
	"net/netip"
	"strings"
	"time"

	"manofwar/netmgr/api"
)

// Status tells how the network is, for other services and for people.
func (p *Policy) Status(now time.Time) api.Status {
	s := api.Status{Clock: p.clock, Trouble: p.trouble, Links: []api.Link{}}
	if p.named {
		s.Hostname = p.hostname
	}
	for _, l := range p.ordered() {
		s.Links = append(s.Links, api.Link{
			Name:      l.Name,
			State:     l.state,
			Since:     now.Add(l.since.Sub(now)).Round(0), // by the monotonic clock, told by the wall clock of now
			Addresses: l.reachable(),
			Gateway:   l.gateway(),
			DNS:       l.lease.DNS,
			Reason:    p.reason(l),
		})
	}
	return s
}

// reachable returns the addresses by which others on the link can reach us now.
func (l *link) reachable() []netip.Prefix {
	if !l.Carrier {
		return nil
	}
	return usable(l.Addresses)
}

// gateway returns the link's way to everywhere else, or the zero Addr.
func (l *link) gateway() netip.Addr {
	for _, r := range l.lease.Routes {
		if r.Default() {
			return r.Via
		}
	}
	if len(l.Gateways) > 0 {
		return l.Gateways[0]
	}
	return netip.Addr{}
}

// reason tells a person why a link reaches no further.
func (p *Policy) reason(l *link) string {
	switch {
	case p.manage && l.Kind == WiFi:
		return "WiFi is not managed by this version. Use a network cable."
	case !l.Carrier && p.manage:
		return "No cable is plugged in, or the other end is off."
	case !l.Carrier:
		return "It is not connected."
	case l.state == api.Associated && l.reason != "":
		return l.reason
	case l.state == api.Associated && l.unanswered:
		return "No router answers on this cable."
	case l.state == api.Associated:
		return "Waiting for an address."
	case l.self.IsValid():
		return "No router answers. Only what is on the same cable or switch reaches this device."
	case p.manage && !l.gateway().IsValid():
		return "The network has no router to the internet."
	}
	return ""
}

// ResolvConf returns the plan's name servers in the form of resolv.conf(5).
func (p Plan) ResolvConf() []byte {
	var b strings.Builder
	b.WriteString("# Written by manofwar's network manager whenever the network changes.\n")
	if len(p.Search) > 0 {
		fmt.Fprintf(&b, "search %s\n", strings.Join(p.Search, " "))
	}
	for _, a := range p.DNS {
		fmt.Fprintf(&b, "nameserver %s\n", a)
	}
	b.WriteString("options timeout:2 attempts:2\n")
	return []byte(b.String())
}
