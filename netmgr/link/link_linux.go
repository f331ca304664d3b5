// Package link is the kernel's side of a link: it watches interfaces, their carriers and addresses, and makes their IPv4
// addresses and routes what a plan says, over rtnetlink(7).
//
// It decides nothing. IPv6 addresses and routes are the kernel's own business (router advertisements); they are told,
// not made, and so are the name servers of router advertisements, which the kernel passes on. CAP_NET_ADMIN is needed to
// change anything, nothing to watch; with CAP_NET_RAW the name servers of links that are up already are told at once.
package link

import (
	"context"
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

// errLost says that the kernel dropped notifications: the state must be read anew.
var errLost = errors.New("notifications were lost")

// Watch tells of every link how it is now and whenever it changes, until ctx ends. It calls tell from one goroutine and
// returns only then; its error is the kernel's refusal to be watched.
func Watch(ctx context.Context, tell func(netmgr.Event)) error {
	known := make(map[int]netmgr.Link)
	r, err := listenRouters()
	if err != nil {
		return fmt.Errorf("watch routers: %w", err)
	}
	defer r.close()
	for {
		err := watch(ctx, r, known, tell)
		switch {
		case ctx.Err() != nil:
			return nil
		case !errors.Is(err, errLost):
			return fmt.Errorf("watch links: %w", err)
		}
	}
}

// watch subscribes first and reads the state after, so that no change falls between the two.
func watch(ctx context.Context, r *routers, known map[int]netmgr.Link, tell func(netmgr.Event)) error {
	var (
		links  = make(chan netlink.LinkUpdate, 16)
		addrs  = make(chan netlink.AddrUpdate, 16)
		routes = make(chan netlink.RouteUpdate, 16)
		done   = make(chan struct{})
	)
	defer func() {
		close(done)
		drain(links)
		drain(addrs)
		drain(routes)
	}()
	began := len(known) == 0
	if err := errors.Join(
		netlink.LinkSubscribe(links, done),
		netlink.AddrSubscribe(addrs, done),
		netlink.RouteSubscribe(routes, done),
	); err != nil {
		return err
	}
	if err := refresh(known, tell); err != nil {
		return err
	}
	if began {
		solicitAll(known)
	}
	for {
		var u netlink.LinkUpdate
		open := true
		select {
		case a := <-r.heard:
			if l, ok := known[a.index]; ok {
				tell(a.event(time.Now(), l.Name))
			}
			continue
		case <-ctx.Done():
			return nil
		case u, open = <-links:
			if open && ofRadio(u) {
				continue
			}
		case _, open = <-addrs:
		case _, open = <-routes:
		}
		if !open || !skip(links) || !skip(addrs) || !skip(routes) {
			return errLost
		}
		if err := refresh(known, tell); err != nil {
			return err
		}
	}
}

// ofRadio reports whether news of a link are about its radio only: the kernel sends such for every scan, and all they have is
// the interface's name and an event of the old Wireless Extensions (net/wireless/wext-core.c, rtnetlink_ifinfo_prep). A card's
// own news have its hardware address.
func ofRadio(u netlink.LinkUpdate) bool {
	return u.Header.Type == unix.RTM_NEWLINK && u.Change == 0 && len(u.Attrs().HardwareAddr) == 0
}

// solicitAll asks for the name servers of links that were up before anybody listened.
func solicitAll(known map[int]netmgr.Link) {
	for index, l := range known {
		if l.Carrier {
			_ = solicit(index) // then they come with the next advertisement
		}
	}
}

// drain lets a subscription's goroutine end: it closes the channel when it does.
func drain[T any](ch <-chan T) {
	for range ch {
	}
}

// skip takes what is waiting: one look at the state covers it. It reports whether the channel is still open.
func skip[T any](ch <-chan T) bool {
	for {
		select {
		case _, open := <-ch:
			if !open {
				return false
			}
		default:
			return true
		}
	}
}

// refresh compares the kernel's state with what was told before, and tells the difference.
func refresh(known map[int]netmgr.Link, tell func(netmgr.Event)) error {
	now, err := List()
	if err != nil {
		return err
	}
	for _, l := range now {
		if old, ok := known[l.Index]; !ok || !equal(old, l) {
			known[l.Index] = l
			tell(netmgr.LinkChanged{Link: l})
		}
	}
	for index := range known {
		if !slices.ContainsFunc(now, func(l netmgr.Link) bool { return l.Index == index }) {
			delete(known, index)
			tell(netmgr.LinkGone{Index: index})
		}
	}
	return nil
}

func equal(a, b netmgr.Link) bool {
	return a.Name == b.Name && a.Kind == b.Kind && a.Up == b.Up && a.Carrier == b.Carrier &&
		slices.Equal(a.MAC, b.MAC) && slices.Equal(a.Addresses, b.Addresses) && slices.Equal(a.Gateways, b.Gateways)
}

// List returns the links that are network cards, wired or not, in the order of their indexes.
func List() ([]netmgr.Link, error) {
	all, err := dump(netlink.LinkList)
	if err != nil {
		return nil, fmt.Errorf("list links: %w", err)
	}
	addrs, err := dump(func() ([]netlink.Addr, error) { return netlink.AddrList(nil, netlink.FAMILY_ALL) })
	if err != nil {
		return nil, fmt.Errorf("list addresses: %w", err)
	}
	routes, err := dump(func() ([]netlink.Route, error) { return netlink.RouteList(nil, netlink.FAMILY_ALL) })
	if err != nil {
		return nil, fmt.Errorf("list routes: %w", err)
	}
	var out []netmgr.Link
	for _, nl := range all {
		a := nl.Attrs()
		if !isCard(nl) {
			continue
		}
		out = append(out, netmgr.Link{
			Index: a.Index, Name: a.Name, Kind: kind(sysfs, a.Name, a.HardwareAddr), MAC: a.HardwareAddr,
			Up:        a.RawFlags&unix.IFF_UP != 0,
			Carrier:   a.RawFlags&unix.IFF_LOWER_UP != 0 && a.OperState != netlink.OperDormant,
			Addresses: addresses(addrs, a.Index),
			Gateways:  gateways(routes, a.Index),
		})
	}
	slices.SortFunc(out, func(a, b netmgr.Link) int { return a.Index - b.Index })
	return out, nil
}

// dump repeats a listing that a change interrupted.
func dump[T any](list func() ([]T, error)) (out []T, err error) {
	for range 5 {
		if out, err = list(); !errors.Is(err, netlink.ErrDumpInterrupted) {
			return out, err
		}
	}
	return out, nil // the change is announced and brings another look
}

// isCard tells network cards from bridges, tunnels and the like. A veth is what a container has for one.
func isCard(l netlink.Link) bool {
	a := l.Attrs()
	return a.EncapType == "ether" && a.RawFlags&unix.IFF_LOOPBACK == 0 && (l.Type() == "device" || l.Type() == "veth")
}

// addresses returns the link's addresses that may be used: duplicate address detection is over and went well.
func addresses(all []netlink.Addr, index int) []netip.Prefix {
	var out []netip.Prefix
	for _, a := range all {
		if p, ok := prefix(a.IPNet); ok && a.LinkIndex == index && a.Flags&(unix.IFA_F_TENTATIVE|unix.IFA_F_DADFAILED) == 0 {
			out = append(out, p)
		}
	}
	slices.SortFunc(out, netip.Prefix.Compare)
	return out
}

// gateways returns the link's default routes' gateways, the most preferred first.
func gateways(all []netlink.Route, index int) []netip.Addr {
	slices.SortStableFunc(all, func(a, b netlink.Route) int { return a.Priority - b.Priority })
	var out []netip.Addr
	for _, r := range all {
		to, ok := prefix(r.Dst)
		if via, hasVia := netip.AddrFromSlice(r.Gw); hasVia && r.LinkIndex == index && (!ok || to.Bits() == 0) {
			out = append(out, via.Unmap())
		}
	}
	return out
}

func prefix(n *net.IPNet) (netip.Prefix, bool) {
	if n == nil {
		return netip.Prefix{}, false
	}
	ip, ok := netip.AddrFromSlice(n.IP)
	bits, _ := n.Mask.Size()
	return netip.PrefixFrom(ip.Unmap(), bits), ok
}
