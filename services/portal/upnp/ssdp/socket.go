package ssdp

import (
	"context"
	"errors"
	"net"
	"net/netip"
	"slices"
	"sync"
	"syscall"
	"time"

	"golang.org/x/net/ipv4"
)

// group is where everybody is spoken to.
var group = netip.MustParseAddrPort("239.255.255.250:1900")

// hops is how far announcements go (section 1.2.2 wants 2 by default).
const hops = 2

// socket is the [transport] of a real host. It shares its port with whatever else speaks SSDP there.
type socket struct {
	conn    *ipv4.PacketConn
	out     *ipv4.PacketConn // answers and announcements: another port, so that they do not come back
	packets chan packet
	reading sync.WaitGroup

	mu sync.Mutex // guards which interface out sends to the group on
}

// listen opens the socket, which takes messages in until ctx ends or it is closed.
func listen(ctx context.Context) (*socket, error) {
	lc := net.ListenConfig{Control: func(_, _ string, rc syscall.RawConn) (err error) {
		return errors.Join(rc.Control(func(fd uintptr) { err = share(fd) }), err)
	}}
	in, err := lc.ListenPacket(ctx, "udp4", ":1900")
	if err != nil {
		return nil, err
	}
	out, err := net.ListenPacket("udp4", ":0")
	if err != nil {
		return nil, errors.Join(err, in.Close())
	}
	s := &socket{conn: ipv4.NewPacketConn(in), out: ipv4.NewPacketConn(out), packets: make(chan packet, 16)}
	if err := errors.Join(s.out.SetMulticastTTL(hops), s.out.SetMulticastLoopback(true)); err != nil {
		return nil, errors.Join(err, in.Close(), out.Close())
	}
	s.reading.Go(func() { s.read(ctx, s.conn) })
	return s, nil
}

// reader is where messages come in.
type reader interface {
	ReadFrom(b []byte) (n int, cm *ipv4.ControlMessage, from net.Addr, err error)
}

// readAgain is when to read again after an error: one that stays must not keep the processor busy.
const readAgain = 100 * time.Millisecond

// read takes in messages until the socket is closed, or until ctx ends where nothing can be read. More than are dealt with
// are lost.
func (s *socket) read(ctx context.Context, in reader) {
	buf := make([]byte, maxMessage+1)
	for {
		n, _, from, err := in.ReadFrom(buf)
		if errors.Is(err, net.ErrClosed) {
			return
		}
		if err != nil {
			t := time.NewTimer(readAgain)
			select {
			case <-ctx.Done():
				t.Stop()
				return
			case <-t.C:
			}
			continue
		}
		u, ok := from.(*net.UDPAddr)
		if !ok {
			continue
		}
		at := u.AddrPort()
		select {
		case s.packets <- packet{netip.AddrPortFrom(at.Addr().Unmap(), at.Port()), slices.Clone(buf[:n])}:
		default:
		}
	}
}

func (s *socket) Packets() <-chan packet { return s.packets }

func (s *socket) Join(iface int) error {
	return s.conn.JoinGroup(&net.Interface{Index: iface}, net.UDPAddrFromAddrPort(group))
}

// Leave undoes Join. The kernel has done so already where the interface is gone.
func (s *socket) Leave(iface int) {
	_ = s.conn.LeaveGroup(&net.Interface{Index: iface}, net.UDPAddrFromAddrPort(group))
}

func (s *socket) Multicast(iface int, message []byte) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if err := s.out.SetMulticastInterface(&net.Interface{Index: iface}); err != nil {
		return err
	}
	_, err := s.out.WriteTo(message, nil, net.UDPAddrFromAddrPort(group))
	return err
}

func (s *socket) Send(to netip.AddrPort, message []byte) error {
	_, err := s.out.WriteTo(message, nil, net.UDPAddrFromAddrPort(to))
	return err
}

func (s *socket) Close() error {
	err := errors.Join(s.conn.Close(), s.out.Close())
	s.reading.Wait()
	return err
}

// Networks returns the host's IPv4 networks that carry multicast and that only a home has (RFC 1918, RFC 3927).
func Networks() (all []Network) {
	interfaces, _ := net.Interfaces() // without any there is nobody to tell
	for _, i := range interfaces {
		if i.Flags&net.FlagUp == 0 || i.Flags&net.FlagMulticast == 0 || i.Flags&net.FlagLoopback != 0 {
			continue
		}
		addrs, _ := i.Addrs() // it has gone
		for _, a := range addrs {
			p, err := netip.ParsePrefix(a.String())
			if err == nil && p.Addr().Is4() && (p.Addr().IsPrivate() || p.Addr().IsLinkLocalUnicast()) {
				all = append(all, Network{i.Index, p})
			}
		}
	}
	return all
}
