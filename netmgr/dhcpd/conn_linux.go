package dhcpd

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

// Socket is the [Conn] of a real interface. Messages are received and sent below the kernel's IP: a client without an
// address answers no ARP, and a broadcast, which would reach it, is what WiFi carries worst. That also tells which
// station has sent a message. An ordinary UDP socket is there only to keep the kernel from answering clients with "port
// unreachable".
type Socket struct {
	us       netip.Addr
	port     *packet.Port
	messages chan Message
}

// Listen opens the sockets of an interface that has our address, or will. CAP_NET_RAW and CAP_NET_BIND_SERVICE are
// needed.
func Listen(index int, name string, us netip.Addr) (*Socket, error) {
	s := &Socket{us: us, messages: make(chan Message, 32)}
	port, err := packet.ListenPort(index, name, serverPort, func(from net.HardwareAddr, d packet.Datagram) {
		if !s.forUs(d.To.Addr()) {
			return
		}
		select {
		case s.messages <- Message{Station: from, Data: slices.Clone(d.Data)}:
		default: // a flood: clients repeat what they want
		}
	})
	if err != nil {
		return nil, fmt.Errorf("dhcp server: %w", err)
	}
	s.port = port
	return s, nil
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
	return s.port.Send(station, d.Append(nil))
}

// Close closes both sockets and waits for the reader.
func (s *Socket) Close() error { return s.port.Close() }
