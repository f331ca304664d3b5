package ra

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"os"
	"sync"
	"syscall"
	"time"

	"github.com/vishvananda/netlink"
	"golang.org/x/net/ipv6"
	"golang.org/x/sys/unix"
)

// Prepare makes an interface that of a network of our own: it has our address, at once, and heeds nobody's
// advertisements. CAP_NET_ADMIN is needed, and below it /proc/sys/net/ipv6/conf.
func Prepare(device string, ours netip.Prefix) error {
	if err := ignoreOthers(device); err != nil {
		return fmt.Errorf("own IPv6 network: %w", err)
	}
	l, err := netlink.LinkByName(device)
	if err != nil {
		return fmt.Errorf("own IPv6 network on %s: %w", device, err)
	}
	addr := &netlink.Addr{
		IPNet: &net.IPNet{IP: ours.Addr().AsSlice(), Mask: net.CIDRMask(ours.Bits(), 128)},
		Flags: unix.IFA_F_NODAD, // made up at random: nobody else has it
	}
	if err := netlink.AddrReplace(l, addr); err != nil {
		return fmt.Errorf("own IPv6 network on %s: %w", device, err)
	}
	return nil
}

// ignoreOthers keeps the kernel from heeding advertisements: a client could make itself our way out.
func ignoreOthers(device string) error {
	f, err := os.OpenFile("/proc/sys/net/ipv6/conf/"+device+"/accept_ra", os.O_WRONLY, 0)
	if err != nil {
		return err
	}
	_, err = f.WriteString("0")
	return errors.Join(err, f.Close())
}

// Socket is the [Conn] of a real interface.
type Socket struct {
	ifi           *net.Interface
	conn          *ipv6.PacketConn
	solicitations chan netip.Addr
	done          chan struct{}
	reader        sync.WaitGroup
}

// Listen opens the socket of an interface. CAP_NET_RAW is needed.
func Listen(index int, device string) (*Socket, error) {
	lc := net.ListenConfig{Control: func(_, _ string, rc syscall.RawConn) (err error) {
		return errors.Join(rc.Control(func(fd uintptr) { err = unix.BindToDevice(int(fd), device) }), err)
	}}
	raw, err := lc.ListenPacket(context.Background(), "ip6:ipv6-icmp", "::")
	if err != nil {
		return nil, fmt.Errorf("router advertisements on %s: %w", device, err)
	}
	s := &Socket{
		ifi: &net.Interface{Index: index, Name: device}, conn: ipv6.NewPacketConn(raw),
		solicitations: make(chan netip.Addr, 8), done: make(chan struct{}),
	}
	if err := s.setup(); err != nil {
		return nil, errors.Join(fmt.Errorf("router advertisements on %s: %w", device, err), raw.Close())
	}
	s.reader.Go(s.read)
	return s, nil
}

func (s *Socket) setup() error {
	var filter ipv6.ICMPFilter
	filter.SetAll(true)
	filter.Accept(ipv6.ICMPTypeRouterSolicitation)
	allRouters := &net.IPAddr{IP: net.IPv6linklocalallrouters}
	return errors.Join(
		s.conn.SetICMPFilter(&filter),
		s.conn.SetControlMessage(ipv6.FlagHopLimit, true),
		s.conn.SetHopLimit(255), s.conn.SetMulticastHopLimit(255), // RFC 4861, section 6.1.2
		s.conn.SetMulticastLoopback(false),
		s.conn.JoinGroup(s.ifi, allRouters),
	)
}

// read tells who solicits until the socket is closed.
func (s *Socket) read() {
	buf := make([]byte, 1500)
	for {
		n, cm, from, err := s.conn.ReadFrom(buf)
		if errors.Is(err, net.ErrClosed) {
			return
		}
		if err != nil { // the interface is down
			select {
			case <-s.done:
				return
			case <-time.After(time.Second):
			}
			continue
		}
		ip, ok := from.(*net.IPAddr)
		if !ok || cm == nil || cm.HopLimit != 255 { // less has been forwarded: it is from outside
			continue
		}
		a, _ := netip.AddrFromSlice(ip.IP)
		if !solicits(a, buf[:n]) {
			continue
		}
		select {
		case s.solicitations <- a:
		default: // a flood: whoever wants to know asks again
		}
	}
}

// Solicitations returns who asks for an advertisement.
func (s *Socket) Solicitations() <-chan netip.Addr { return s.solicitations }

// Send sends a message from the interface's link-local address, which hosts insist on. The kernel would prefer our other
// one while duplicates of the first are still being looked for, and refuses that one then.
func (s *Socket) Send(to netip.Addr, message []byte) error {
	src, err := s.linkLocal()
	if err != nil {
		return err
	}
	cm := &ipv6.ControlMessage{IfIndex: s.ifi.Index, Src: src}
	_, err = s.conn.WriteTo(message, cm, &net.IPAddr{IP: to.AsSlice(), Zone: s.ifi.Name})
	return err
}

func (s *Socket) linkLocal() (net.IP, error) {
	all, err := s.ifi.Addrs()
	if err != nil {
		return nil, err
	}
	for _, a := range all {
		if n, ok := a.(*net.IPNet); ok && n.IP.To4() == nil && n.IP.IsLinkLocalUnicast() {
			return n.IP, nil
		}
	}
	return nil, errors.New("no link-local address yet")
}

// Close closes the socket and waits for its reader.
func (s *Socket) Close() error {
	close(s.done)
	err := s.conn.Close()
	s.reader.Wait()
	return err
}
