package judge

import (
	"context"
	"net/netip"
	"time"

	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"
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
			answers, err := p.neighbour(g.WithZone(""), asked[g])
			if err == nil && answers {
				return true
			}
			asked[g] = err == nil
		}
		select {
		case <-ctx.Done():
			return false
		case <-tick.C:
		}
	}
}

// neighbour reads the kernel's entry of a router, and before anything was asked has it asked.
func (p *prober) neighbour(g netip.Addr, asked bool) (answers bool, err error) {
	family := netlink.FAMILY_V4
	if g.Is6() {
		family = netlink.FAMILY_V6
	}
	all, err := netlink.NeighList(p.link.Index, family)
	if err != nil {
		return false, err
	}
	ask := netlink.Neigh{LinkIndex: p.link.Index, Family: family, IP: g.AsSlice(), State: netlink.NUD_NONE, Flags: netlink.NTF_USE}
	for _, n := range all {
		if a, ok := netip.AddrFromSlice(n.IP); !ok || a.Unmap() != g {
			continue
		}
		switch {
		case n.State&(netlink.NUD_PERMANENT|netlink.NUD_NOARP) != 0:
			return true, nil
		case asked:
			return n.State&netlink.NUD_REACHABLE != 0, nil
		case n.State&unix.NUD_STALE|n.State&(netlink.NUD_REACHABLE|netlink.NUD_DELAY|netlink.NUD_PROBE) != 0:
			ask.State, ask.Flags, ask.HardwareAddr = netlink.NUD_PROBE, 0, n.HardwareAddr
		}
	}
	if asked {
		return false, nil
	}
	return false, netlink.NeighSet(&ask)
}
