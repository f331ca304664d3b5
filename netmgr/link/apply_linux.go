package link

import (
	"errors"
	"fmt"
	"net"
	"net/netip"
	"slices"
	"time"

	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"

	"manofwar/netmgr"
)

// protocol marks the routes that are ours (linux/rtnetlink.h's RTPROT_DHCP).
const protocol = unix.RTPROT_DHCP

// Up switches an interface on.
func Up(index int) error {
	l, err := netlink.LinkByIndex(index)
	if err != nil {
		return fmt.Errorf("switch on interface %d: %w", index, err)
	}
	if l.Attrs().RawFlags&unix.IFF_UP != 0 {
		return nil
	}
	if err := netlink.LinkSetUp(l); err != nil {
		return fmt.Errorf("switch on %s: %w", l.Attrs().Name, err)
	}
	return nil
}

// Down switches an interface off. One that is gone is no error.
func Down(index int) error {
	l, err := netlink.LinkByIndex(index)
	if errors.As(err, new(netlink.LinkNotFoundError)) {
		return nil
	}
	if err == nil {
		err = netlink.LinkSetDown(l)
	}
	if err != nil {
		return fmt.Errorf("switch off interface %d: %w", index, err)
	}
	return nil
}

// SetMAC gives an interface that is down another address on its link.
func SetMAC(index int, mac net.HardwareAddr) error {
	l, err := netlink.LinkByIndex(index)
	if err != nil {
		return fmt.Errorf("set the address of interface %d: %w", index, err)
	}
	if err := netlink.LinkSetHardwareAddr(l, mac); err != nil {
		return fmt.Errorf("set the address of %s: %w", l.Attrs().Name, err)
	}
	return nil
}

// UpLoopback switches the loopback interface on.
func UpLoopback() error {
	l, err := netlink.LinkByName("lo")
	if err != nil {
		return fmt.Errorf("switch on lo: %w", err)
	}
	return Up(l.Attrs().Index)
}

// Apply makes the link's IPv4 addresses and routes what the plan says. Addresses that stay keep their connections.
// A link that has meanwhile gone is no error.
func Apply(p netmgr.LinkPlan) error {
	l, err := netlink.LinkByIndex(p.Index)
	if errors.As(err, new(netlink.LinkNotFoundError)) {
		return nil
	}
	if err == nil {
		err = errors.Join(applyAddresses(l, p), applyRoutes(l, p))
	}
	if err != nil {
		return fmt.Errorf("configure %s: %w", p.Name, err)
	}
	return nil
}

// applyAddresses adds before it removes, so that a changed address leaves no gap.
func applyAddresses(l netlink.Link, p netmgr.LinkPlan) error {
	have, err := dump(func() ([]netlink.Addr, error) { return netlink.AddrList(l, netlink.FAMILY_V4) })
	if err != nil {
		return err
	}
	for _, a := range p.Addresses {
		addr := &netlink.Addr{
			IPNet: ipNet(a), Broadcast: broadcast(a), Flags: unix.IFA_F_NOPREFIXROUTE,
			ValidLft: lifetime(p.Until), PreferedLft: lifetime(p.Until),
		}
		if err := netlink.AddrReplace(l, addr); err != nil {
			return fmt.Errorf("add %s: %w", a, err)
		}
	}
	for _, h := range have {
		a, ok := prefix(h.IPNet)
		if !ok || slices.Contains(p.Addresses, a) {
			continue
		}
		if err := netlink.AddrDel(l, &h); err != nil && !errors.Is(err, unix.EADDRNOTAVAIL) {
			return fmt.Errorf("remove %s: %w", a, err)
		}
	}
	return nil
}

// applyRoutes sets the routes to the addresses' own networks, then those of the plan, and removes what is left over.
func applyRoutes(l netlink.Link, p netmgr.LinkPlan) error {
	want := make([]netlink.Route, 0, len(p.Addresses)+len(p.Routes))
	for _, a := range p.Addresses {
		want = append(want, route(p, netmgr.Route{To: a.Masked()}, a.Addr()))
	}
	for _, r := range p.Routes {
		if len(p.Addresses) > 0 {
			want = append(want, route(p, r, p.Addresses[0].Addr()))
		}
	}
	have, err := dump(func() ([]netlink.Route, error) { return netlink.RouteList(l, netlink.FAMILY_V4) })
	if err != nil {
		return err
	}
	for _, r := range want {
		if err := netlink.RouteReplace(&r); err != nil {
			return fmt.Errorf("route %s: %w", r.Dst, err)
		}
	}
	for _, h := range have {
		if h.Protocol != protocol || slices.ContainsFunc(want, func(w netlink.Route) bool { return sameRoute(w, h) }) {
			continue
		}
		if err := netlink.RouteDel(&h); err != nil && !errors.Is(err, unix.ESRCH) {
			return fmt.Errorf("remove route %s: %w", h.Dst, err)
		}
	}
	return nil
}

// route returns r in netlink's terms. A gateway outside the link's own network is taken to be on the link, as some
// providers have it.
func route(p netmgr.LinkPlan, r netmgr.Route, src netip.Addr) netlink.Route {
	out := netlink.Route{
		LinkIndex: p.Index, Dst: ipNet(r.To), Src: src.AsSlice(),
		Priority: p.Metric, Protocol: protocol, Table: unix.RT_TABLE_MAIN,
	}
	if !r.Via.IsValid() {
		out.Scope = netlink.SCOPE_LINK
		return out
	}
	out.Gw = r.Via.AsSlice()
	if !slices.ContainsFunc(p.Addresses, func(a netip.Prefix) bool { return a.Contains(r.Via) }) {
		out.Flags = int(netlink.FLAG_ONLINK)
	}
	return out
}

// sameRoute compares what tells one route from another. The kernel's default route may come without a destination.
func sameRoute(a, b netlink.Route) bool {
	pa, okA := prefix(a.Dst)
	pb, okB := prefix(b.Dst)
	if !okA {
		pa = netip.PrefixFrom(netip.IPv4Unspecified(), 0)
	}
	if !okB {
		pb = netip.PrefixFrom(netip.IPv4Unspecified(), 0)
	}
	return pa == pb && a.Priority == b.Priority && a.Gw.Equal(b.Gw)
}

func ipNet(p netip.Prefix) *net.IPNet {
	return &net.IPNet{IP: p.Addr().AsSlice(), Mask: net.CIDRMask(p.Bits(), p.Addr().BitLen())}
}

// broadcast returns the network's broadcast address; none for networks of one or two hosts (RFC 3021).
func broadcast(p netip.Prefix) net.IP {
	if p.Bits() >= 31 {
		return nil
	}
	ip, mask := p.Addr().As4(), net.CIDRMask(p.Bits(), 32)
	for i := range ip {
		ip[i] |= ^mask[i]
	}
	return ip[:]
}

// lifetime returns the seconds until then, as the kernel counts them: 0 for never. They are rounded up, so that the
// kernel never drops an address before its lease is over.
func lifetime(until time.Time) int {
	if until.IsZero() {
		return 0
	}
	return int(min(max(time.Until(until), 0)/time.Second+1, 1<<31-1))
}
