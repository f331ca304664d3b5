package dhcpd

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"os"
	"slices"
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

// Socket is the [Conn] of a real interface. Messages are received and sent below the kernel's IP: a client without an
// address answers no ARP, and a broadcast, which would reach it, is what WiFi carries worst. That also tells which
// station has sent a message. An ordinary UDP socket is there only to keep the kernel from answering clients with "port
// unreachable".
type Socket struct {
	us       netip.Addr
	packets  *packet.Socket
	udp      net.PacketConn
	messages chan Message
	done     chan struct{}
	reader   sync.WaitGroup
}

// Listen opens the sockets of an interface that has our address, or will. CAP_NET_RAW and CAP_NET_BIND_SERVICE are
// needed.
func Listen(index int, name string, us netip.Addr) (*Socket, error) {
	p, err := packet.Listen(index, unix.ETH_P_IP, packet.UDPTo(serverPort))
	if err != nil {
		return nil, fmt.Errorf("dhcp server: %w", err)
	}
	lc := net.ListenConfig{Control: func(_, _ string, rc syscall.RawConn) (err error) {
		return errors.Join(rc.Control(func(fd uintptr) { err = mute(int(fd), name) }), err)
	}}
	udp, err := lc.ListenPacket(context.Background(), "udp4", fmt.Sprintf("0.0.0.0:%d", serverPort))
	if err != nil {
		return nil, errors.Join(fmt.Errorf("dhcp server: %w", err), p.Close())
	}
	s := &Socket{us: us, packets: p, udp: udp, messages: make(chan Message, 32), done: make(chan struct{})}
	s.reader.Go(s.read)
	return s, nil
}

// mute ties a socket to one interface and lets nothing in.
func mute(fd int, device string) error {
	prog := unix.SockFprog{Len: 1, Filter: &unix.SockFilter{Code: unix.BPF_RET | unix.BPF_K}}
	return errors.Join(
		unix.SetsockoptSockFprog(fd, unix.SOL_SOCKET, unix.SO_ATTACH_FILTER, &prog),
		unix.BindToDevice(fd, device),
		unix.SetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_REUSEADDR, 1),
	)
}

// read hands over messages until the socket is closed. While the interface is down the kernel refuses; waiting a little
// is all there is to do until whoever watches it closes the socket.
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
		if !ok || d.To.Port() != serverPort || !s.forUs(d.To.Addr()) {
			continue
		}
		select {
		case s.messages <- Message{Station: f.From, Data: slices.Clone(d.Data)}:
		case <-s.done:
			return
		default: // a flood: clients repeat what they want
		}
	}
}

func (s *Socket) forUs(to netip.Addr) bool { return to == everybody || to == s.us }

// Messages returns what arrives.
func (s *Socket) Messages() <-chan Message { return s.messages }

// Send sends a message to a client.
func (s *Socket) Send(station net.HardwareAddr, to netip.Addr, message []byte) error {
	if to == everybody {
		station = packet.Broadcast
	}
	d := packet.Datagram{From: netip.AddrPortFrom(s.us, serverPort), To: netip.AddrPortFrom(to, clientPort), Data: message}
	return s.packets.Send(station, d.Append(nil))
}

// Close closes both sockets and waits for the reader.
func (s *Socket) Close() error {
	close(s.done)
	err := errors.Join(s.packets.Close(), s.udp.Close())
	s.reader.Wait()
	return err
}
