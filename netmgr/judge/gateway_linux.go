package judge

import (
	"context"
	"net/netip"
	"time"

	"github.com/vishvananda/netlink"
)

// neighbourPoll is how often the kernel's neighbour table is read while an answer is awaited.
const neighbourPoll = 50 * time.Millisecond

// gateways has the kernel ask the link's routers (ARP, or neighbour discovery) and reports whether one answers. A router that was
// heard is asked without a broadcast.
func (p *prober) gateways(ctx context.Context, patience time.Duration) bool {
	if len(p.link.Gateways) == 0 {
		return false
	}
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	asked := make(map[netip.Addr]bool)
	tick := time.NewTicker(neighbourPoll)
	defer tick.Stop()
	for {
		for _, g := range p.link.Gateways {
			if n := p.neighbour(g.WithZone("")); asked[g] && answers(n) || n.State&(netlink.NUD_PERMANENT|netlink.NUD_NOARP) != 0 {
				return true
			} else if !asked[g] {
				asked[g] = true
				if err := p.askNeighbour(n); err != nil && used(n) { // not allowed: what others sent has had it asked
					return true
				}
			}
		}
		select {
		case <-ctx.Done():
			return false
		case <-tick.C:
		}
	}
}

// answers reports whether a neighbour has answered since it was asked; used, whether it has ever, and nobody misses it yet.
func answers(n netlink.Neigh) bool { return n.State&netlink.NUD_REACHABLE != 0 }

func used(n netlink.Neigh) bool {
	return n.State&(netlink.NUD_REACHABLE|netlink.NUD_STALE|netlink.NUD_DELAY) != 0
}

// neighbour reads the kernel's entry of a router. One that it does not have is without a state.
func (p *prober) neighbour(g netip.Addr) netlink.Neigh {
	family := netlink.FAMILY_V4
	if g.Is6() {
		family = netlink.FAMILY_V6
	}
	none := netlink.Neigh{LinkIndex: p.link.Index, Family: family, IP: g.AsSlice()}
	all, err := netlink.NeighList(p.link.Index, family)
	if err != nil {
		return none // the link is gone
	}
	for _, n := range all {
		if a, ok := netip.AddrFromSlice(n.IP); ok && a.Unmap() == g {
			return n
		}
	}
	return none
}

// askNeighbour has the kernel ask a router: without a broadcast where it knows the hardware address.
func (p *prober) askNeighbour(n netlink.Neigh) error {
	ask := netlink.Neigh{LinkIndex: n.LinkIndex, Family: n.Family, IP: n.IP, State: netlink.NUD_NONE, Flags: netlink.NTF_USE}
	if used(n) || n.State&netlink.NUD_PROBE != 0 {
		ask.State, ask.Flags, ask.HardwareAddr = netlink.NUD_PROBE, 0, n.HardwareAddr
	}
	return netlink.NeighSet(&ask)
}
