package link

import (
	"encoding/binary"
	"errors"
	"net/netip"
	"sync"
	"time"

	"github.com/vishvananda/netlink/nl"
	"golang.org/x/sys/unix"

	"manofwar/netmgr"
)

// routers listens for what the kernel leaves of router advertisements to programs: the name servers (linux/rtnetlink.h,
// RTM_NEWNDUSEROPT). The kernel has checked that the advertisement came from a router on the link, and that it heeds such
// there.
type routers struct {
	socket *nl.NetlinkSocket
	heard  chan advertisement
	reader sync.WaitGroup
}

// advertisement is what one option says.
type advertisement struct {
	index    int
	servers  []netip.Addr
	lifetime time.Duration
}

// listenRouters begins to listen. [routers.close] ends it.
func listenRouters() (*routers, error) {
	s, err := nl.Subscribe(unix.NETLINK_ROUTE, unix.RTNLGRP_ND_USEROPT)
	if err != nil {
		return nil, err
	}
	r := &routers{socket: s, heard: make(chan advertisement, 16)}
	r.reader.Go(r.read)
	return r, nil
}

// read ends when the socket is closed. What nobody takes in time is dropped: it is advertised again.
func (r *routers) read() {
	for {
		messages, from, err := r.socket.Receive()
		if errors.Is(err, unix.ENOBUFS) {
			continue // some were lost
		}
		if err != nil {
			return
		}
		for _, m := range messages {
			if m.Header.Type != unix.RTM_NEWNDUSEROPT || from.Pid != nl.PidKernel {
				continue
			}
			if a, ok := parseAdvertisement(m.Data); ok {
				select {
				case r.heard <- a:
				default:
				}
			}
		}
	}
}

func (r *routers) close() {
	r.socket.Close()
	r.reader.Wait()
}

// The layout of struct nduseroptmsg (linux/rtnetlink.h), in the host's byte order, and of the option for recursive name
// servers (RFC 8106, section 5.1).
const (
	userOptionHeader  = 16
	typeAdvertisement = 134
	optionServers     = 25
	unitOption        = 8  // bytes: what an option's length counts
	maxAdvertised     = 16 // servers of one option that are looked at
)

// parseAdvertisement reads a message of the kernel, with the option as the router sent it. It reports false for what
// names no server that can be used.
func parseAdvertisement(b []byte) (advertisement, bool) {
	if len(b) < userOptionHeader || b[0] != unix.AF_INET6 || b[8] != typeAdvertisement || b[9] != 0 {
		return advertisement{}, false
	}
	length := int(binary.NativeEndian.Uint16(b[2:]))
	a := advertisement{index: int(int32(binary.NativeEndian.Uint32(b[4:])))}
	if b = b[userOptionHeader:]; length > len(b) {
		return advertisement{}, false
	}
	for o := b[:length]; len(o) >= unitOption; {
		n := unitOption * int(o[1])
		if n == 0 || n > len(o) {
			return advertisement{}, false
		}
		if o[0] == optionServers && n >= 3*unitOption {
			a.lifetime = time.Duration(binary.BigEndian.Uint32(o[4:])) * time.Second
			a.servers = advertised(o[unitOption:n])
			return a, len(a.servers) > 0
		}
		o = o[n:]
	}
	return advertisement{}, false
}

// advertised returns those addresses at which a name server can be.
func advertised(b []byte) []netip.Addr {
	var out []netip.Addr
	for ; len(b) >= 16 && len(out) < maxAdvertised; b = b[16:] {
		if a := netip.AddrFrom16([16]byte(b)); !a.Is4In6() && (a.IsGlobalUnicast() || a.IsLinkLocalUnicast()) {
			out = append(out, a)
		}
	}
	return out
}

// event returns what to tell of an advertisement on the interface of that name.
func (a advertisement) event(now time.Time, name string) netmgr.RouterNamed {
	ev := netmgr.RouterNamed{Index: a.index, Until: now.Add(a.lifetime)}
	for _, s := range a.servers {
		if s.IsLinkLocalUnicast() {
			s = s.WithZone(name)
		}
		ev.DNS = append(ev.DNS, s)
	}
	return ev
}

// solicit asks the routers of a link to advertise themselves now (RFC 4861, section 6.3.7). The kernel does so itself when
// a link comes up; what it heard before it was listened to it does not tell again. Who may not ask (CAP_NET_RAW) waits.
func solicit(index int) error {
	fd, err := unix.Socket(unix.AF_INET6, unix.SOCK_RAW|unix.SOCK_CLOEXEC|unix.SOCK_NONBLOCK, unix.IPPROTO_ICMPV6)
	if err != nil {
		return err
	}
	allRouters := &unix.SockaddrInet6{Addr: [16]byte{0: 0xff, 1: 0x02, 15: 2}, ZoneId: uint32(index)}
	const typeSolicitation = 133
	return errors.Join(
		unix.SetsockoptInt(fd, unix.IPPROTO_IPV6, unix.IPV6_MULTICAST_IF, index),
		unix.SetsockoptInt(fd, unix.IPPROTO_IPV6, unix.IPV6_MULTICAST_HOPS, 255),
		unix.Sendto(fd, []byte{typeSolicitation, 0, 0, 0, 0, 0, 0, 0}, 0, allRouters),
		unix.Close(fd),
	)
}
