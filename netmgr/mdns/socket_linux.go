package mdns

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"slices"
	"sync"
	"syscall"

	"golang.org/x/net/ipv4"
	"golang.org/x/net/ipv6"
	"golang.org/x/sys/unix"
)

// maxPacket is the largest message there is, in bytes (RFC 6762, section 17).
const maxPacket = 9000

// The groups of multicast DNS.
var (
	group4 = netip.AddrPortFrom(netip.AddrFrom4([4]byte{224, 0, 0, 251}), Port)
	group6 = netip.MustParseAddrPort("[ff02::fb]:5353")
)

// Socket is the [Transport] of a real host. It shares its port with whatever other responder there is.
type Socket struct {
	v4      *ipv4.PacketConn // nil without IPv4
	v6      *ipv6.PacketConn // nil without IPv6
	packets chan Packet
	done    chan struct{}
	readers sync.WaitGroup
}

// Listen opens the sockets. It needs one of IPv4 and IPv6.
func Listen() (*Socket, error) {
	s := &Socket{packets: make(chan Packet, 16), done: make(chan struct{})}
	err4, err6 := s.listen4(), s.listen6()
	if err4 != nil && err6 != nil {
		return nil, fmt.Errorf("mdns: %w", errors.Join(err4, err6))
	}
	if s.v4 != nil {
		s.readers.Go(func() { s.read(s.receive4) })
	}
	if s.v6 != nil {
		s.readers.Go(func() { s.read(s.receive6) })
	}
	return s, nil
}

func (s *Socket) listen4() error {
	c, err := listenShared("udp4", "0.0.0.0:5353")
	if err != nil {
		return err
	}
	p := ipv4.NewPacketConn(c)
	if err := errors.Join(
		p.SetControlMessage(ipv4.FlagInterface|ipv4.FlagDst, true),
		p.SetMulticastTTL(255), p.SetTTL(255), // section 11
	); err != nil {
		return errors.Join(err, c.Close())
	}
	s.v4 = p
	return nil
}

func (s *Socket) listen6() error {
	c, err := listenShared("udp6", "[::]:5353")
	if err != nil {
		return err
	}
	p := ipv6.NewPacketConn(c)
	if err := errors.Join(
		p.SetControlMessage(ipv6.FlagInterface|ipv6.FlagDst, true),
		p.SetMulticastHopLimit(255), p.SetHopLimit(255),
	); err != nil {
		return errors.Join(err, c.Close())
	}
	s.v6 = p
	return nil
}

// listenShared binds without keeping others off the port (section 15).
func listenShared(network, address string) (net.PacketConn, error) {
	lc := net.ListenConfig{Control: func(_, _ string, rc syscall.RawConn) (err error) {
		return errors.Join(rc.Control(func(fd uintptr) {
			err = unix.SetsockoptInt(int(fd), unix.SOL_SOCKET, unix.SO_REUSEADDR, 1)
		}), err)
	}}
	return lc.ListenPacket(context.Background(), network, address)
}

// Packets returns what arrives.
func (s *Socket) Packets() <-chan Packet { return s.packets }

// read hands packets over until the socket is closed. An error on one packet says nothing of the next.
func (s *Socket) read(receive func([]byte) (Packet, error)) {
	buf := make([]byte, maxPacket)
	for {
		p, err := receive(buf)
		if errors.Is(err, net.ErrClosed) {
			return
		}
		if err != nil || p.Index == 0 {
			continue
		}
		p.Data = slices.Clone(p.Data)
		select {
		case s.packets <- p:
		case <-s.done:
			return
		}
	}
}

func (s *Socket) receive4(buf []byte) (Packet, error) {
	n, cm, from, err := s.v4.ReadFrom(buf)
	if err != nil || cm == nil {
		return Packet{}, err
	}
	return Packet{Index: cm.IfIndex, From: source(from), Multicast: cm.Dst.IsMulticast(), Data: buf[:n]}, nil
}

func (s *Socket) receive6(buf []byte) (Packet, error) {
	n, cm, from, err := s.v6.ReadFrom(buf)
	if err != nil || cm == nil {
		return Packet{}, err
	}
	return Packet{Index: cm.IfIndex, From: source(from), Multicast: cm.Dst.IsMulticast(), Data: buf[:n]}, nil
}

func source(a net.Addr) netip.AddrPort {
	u, ok := a.(*net.UDPAddr)
	if !ok {
		return netip.AddrPort{}
	}
	ap := u.AddrPort()
	return netip.AddrPortFrom(ap.Addr().Unmap().WithZone(""), ap.Port())
}

// Join makes messages to everybody on the interface arrive, over at least one of IPv4 and IPv6.
func (s *Socket) Join(index int) error {
	ifi := &net.Interface{Index: index}
	err4, err6 := errors.New("no IPv4"), errors.New("no IPv6")
	if s.v4 != nil {
		err4 = s.v4.JoinGroup(ifi, &net.UDPAddr{IP: group4.Addr().AsSlice()})
	}
	if s.v6 != nil {
		err6 = s.v6.JoinGroup(ifi, &net.UDPAddr{IP: group6.Addr().AsSlice()})
	}
	if err4 != nil && err6 != nil {
		return errors.Join(err4, err6)
	}
	return nil
}

// Leave undoes Join. The kernel has done so already where the interface is gone.
func (s *Socket) Leave(index int) {
	ifi := &net.Interface{Index: index}
	if s.v4 != nil {
		_ = s.v4.LeaveGroup(ifi, &net.UDPAddr{IP: group4.Addr().AsSlice()})
	}
	if s.v6 != nil {
		_ = s.v6.LeaveGroup(ifi, &net.UDPAddr{IP: group6.Addr().AsSlice()})
	}
}

// Send sends on an interface. To everybody, it fails only if it does over both IPv4 and IPv6.
func (s *Socket) Send(index int, to netip.AddrPort, message []byte) error {
	if to.IsValid() {
		return s.send(index, to, message)
	}
	err4, err6 := s.send(index, group4, message), s.send(index, group6, message)
	if err4 != nil && err6 != nil {
		return errors.Join(err4, err6)
	}
	return nil
}

func (s *Socket) send(index int, to netip.AddrPort, message []byte) (err error) {
	dst := net.UDPAddrFromAddrPort(to)
	switch {
	case to.Addr().Is4() && s.v4 != nil:
		_, err = s.v4.WriteTo(message, &ipv4.ControlMessage{IfIndex: index}, dst)
	case to.Addr().Is6() && s.v6 != nil:
		_, err = s.v6.WriteTo(message, &ipv6.ControlMessage{IfIndex: index}, dst)
	default:
		err = fmt.Errorf("%s: %w", to.Addr(), errors.ErrUnsupported)
	}
	return err
}

// Local reports whether an address is the host's own at this moment.
func (s *Socket) Local(a netip.Addr) bool {
	all, err := net.InterfaceAddrs()
	return err == nil && slices.ContainsFunc(all, func(n net.Addr) bool {
		p, err := netip.ParsePrefix(n.String())
		return err == nil && p.Addr() == a
	})
}

// Close closes the sockets and waits for their readers.
func (s *Socket) Close() error {
	close(s.done)
	var errs []error
	if s.v4 != nil {
		errs = append(errs, s.v4.Close())
	}
	if s.v6 != nil {
		errs = append(errs, s.v6.Close())
	}
	s.readers.Wait()
	return errors.Join(errs...)
}
