package dhcp

import (
	"fmt"
	"net"
	"net/netip"
	"slices"

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
	port     *packet.Port
	messages chan []byte
}

// Listen opens the sockets of an interface. CAP_NET_RAW and CAP_NET_BIND_SERVICE are needed.
func Listen(index int, name string) (*Socket, error) {
	s := &Socket{messages: make(chan []byte, 4)}
	port, err := packet.ListenPort(index, name, clientPort, func(_ net.HardwareAddr, d packet.Datagram) {
		select {
		case s.messages <- slices.Clone(d.Data):
		default: // nobody could want more answers than that at once
		}
	})
	if err != nil {
		return nil, fmt.Errorf("dhcp: %w", err)
	}
	s.port = port
	return s, nil
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
	return s.port.Send(packet.Broadcast, d.Append(nil))
}

// Unicast sends to a server by the kernel's routes.
func (s *Socket) Unicast(_, to netip.Addr, message []byte) error {
	return s.port.Route(net.UDPAddrFromAddrPort(netip.AddrPortFrom(to, serverPort)), message)
}

// Close closes both sockets and waits for the reader.
func (s *Socket) Close() error { return s.port.Close() }
