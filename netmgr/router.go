package netmgr

import (
	"net/netip"
	"slices"
	"time"
)

// RouterNamed says which name servers a router advertisement names (RFC 8106): the only ones there are in a network
// without IPv4.
type RouterNamed struct {
	Index int
	DNS   []netip.Addr // link-local ones with their zone
	Until time.Time    // when they end, by the monotonic clock; the past: at once
}

func (RouterNamed) event() {}

// routerServer is a name server that a router names.
type routerServer struct {
	netip.Addr
	until time.Time
}

// maxRouterServers bounds what is kept of a link's advertisements: several routers, each with its servers.
const maxRouterServers = 2 * MaxServers

// nameServers takes over what an advertisement says.
func (l *link) nameServers(now time.Time, ev RouterNamed) {
	l.routerDNS = slices.DeleteFunc(l.routerDNS, func(s routerServer) bool {
		return !now.Before(s.until) || slices.Contains(ev.DNS, s.Addr)
	})
	for _, a := range ev.DNS {
		if now.Before(ev.Until) && len(l.routerDNS) < maxRouterServers {
			l.routerDNS = append(l.routerDNS, routerServer{a, ev.Until})
		}
	}
}

// servers returns the link's name servers, at most [MaxServers]: those of its lease first.
func (l *link) servers(now time.Time) []netip.Addr {
	out := slices.Clone(l.lease.DNS)
	for _, s := range l.routerDNS {
		if now.Before(s.until) {
			out = appendNew(out, s.Addr)
		}
	}
	return out[:min(len(out), MaxServers)]
}
