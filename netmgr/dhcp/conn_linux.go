package dhcp

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

	"golang.org/x/sys/unix"

	"manofwar/netmgr/packet"
)

// The ports of DHCP (RFC 2131, section 4.1).
const (
	serverPort = 67
	clientPort = 68
)

// Socket is the [Conn] of a real interface. All messages are received below the kernel's IP, because they may be sent to
// an address that is not ours yet. A second, ordinary UDP socket sends unicasts by the kernel's routes, and its being there
// keeps the kernel from answering servers with "port unreachable".
type Socket struct {
	packets  *packet.Socket
	udp      net.PacketConn
	messages chan []byte
	done     chan struct{}
	reader   sync.WaitGroup
}

// Listen opens the sockets of an interface. CAP_NET_RAW and CAP_NET_BIND_SERVICE are needed.
func Listen(index int, name string) (*Socket, error) {
	p, err := packet.Listen(index, unix.ETH_P_IP, packet.UDPTo(clientPort))
	if err != nil {
		return nil, fmt.Errorf("dhcp: %w", err)
	}
	lc := net.ListenConfig{Control: func(_, _ string, rc syscall.RawConn) (err error) {
		return errors.Join(rc.Control(func(fd uintptr) { err = sendOnly(int(fd), name) }), err)
	}}
	udp, err := lc.ListenPacket(context.Background(), "udp4", fmt.Sprintf("0.0.0.0:%d", clientPort))
	if err != nil {
		return nil, errors.Join(fmt.Errorf("dhcp: %w", err), p.Close())
	}
	s := &Socket{packets: p, udp: udp, messages: make(chan []byte, 4), done: make(chan struct{})}
	s.reader.Go(s.read)
	return s, nil
}

// sendOnly ties a socket to one interface and lets nothing in: what arrives is received below.
func sendOnly(fd int, device string) error {
	prog := unix.SockFprog{Len: 1, Filter: &unix.SockFilter{Code: unix.BPF_RET | unix.BPF_K}}
	return errors.Join(
		unix.SetsockoptSockFprog(fd, unix.SOL_SOCKET, unix.SO_ATTACH_FILTER, &prog),
		unix.BindToDevice(fd, device),
		unix.SetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_REUSEADDR, 1),
	)
}

// read hands over messages until the socket is closed. While the interface is down the kernel refuses; the client is
// stopped then by whoever watches the link, so waiting a little is all there is to do.
func (s *Socket) read() {
	buf := make([]byte, 4096)
	for {
		f, err := s.packets.Receive(buf)
		if errors.Is(err, os.ErrClosed) {
			return
		}
		if err != nil {
			select {
			case <-s.done:
				return
			case <-time.After(time.Second):
			}
			continue
		}
		d, ok := packet.ParseDatagram(f.Data, f.Checksum)
		if !ok || d.To.Port() != clientPort {
			continue
		}
		select {
		case s.messages <- append([]byte(nil), d.Data...):
		case <-s.done:
			return
		default: // nobody could want more answers than that at once
		}
	}
}

// Messages returns what arrives.
func (s *Socket) Messages() <-chan []byte { return s.messages }

// Broadcast sends to everybody on the link.
func (s *Socket) Broadcast(from netip.Addr, message []byte) error {
	if !from.IsValid() {
		from = netip.IPv4Unspecified()
	}
	d := packet.Datagram{
		From: netip.AddrPortFrom(from, clientPort),
		To:   netip.AddrPortFrom(netip.AddrFrom4([4]byte{255, 255, 255, 255}), serverPort),
		Data: message,
	}
	return s.packets.Send(packet.Broadcast, d.Append(nil))
}

// Unicast sends to a server by the kernel's routes.
func (s *Socket) Unicast(_, to netip.Addr, message []byte) error {
	_, err := s.udp.WriteTo(message, net.UDPAddrFromAddrPort(netip.AddrPortFrom(to, serverPort)))
	return err
}

// Close closes both sockets and waits for the reader.
func (s *Socket) Close() error {
	close(s.done)
	err := errors.Join(s.packets.Close(), s.udp.Close())
	s.reader.Wait()
	return err
}
