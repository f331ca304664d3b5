// Package arp looks for other users of an IPv4 address on a link (RFC 5227), and claims link-local addresses where no
// DHCP server gives any (RFC 3927).
//
// The frames go over a [Conn]; nothing is configured here, what is found is told.
package arp

import (
	"encoding/binary"
	"errors"
	"net"
	"net/netip"
)

// Packet is an ARP packet for IPv4 on Ethernet (RFC 826).
type Packet struct {
	Reply     bool // else a request
	SenderMAC net.HardwareAddr
	SenderIP  netip.Addr // 0.0.0.0 in a probe
	TargetMAC net.HardwareAddr
	TargetIP  netip.Addr
}

// size is that of a packet, in bytes. Ethernet pads frames beyond it.
const size = 28

// header is hardware type Ethernet, protocol IPv4, and the lengths of their addresses.
var header = [6]byte{0, 1, 8, 0, 6, 4}

const (
	opRequest = 1
	opReply   = 2
)

// errMalformed says that a packet is not ARP for IPv4 on Ethernet.
var errMalformed = errors.New("not an ARP packet for IPv4 on Ethernet")

// Parse reads a packet. What it returns does not refer to b.
func Parse(b []byte) (Packet, error) {
	if len(b) < size || [6]byte(b[:6]) != header {
		return Packet{}, errMalformed
	}
	op := binary.BigEndian.Uint16(b[6:])
	if op != opRequest && op != opReply {
		return Packet{}, errMalformed
	}
	return Packet{
		Reply:     op == opReply,
		SenderMAC: append(net.HardwareAddr(nil), b[8:14]...),
		SenderIP:  netip.AddrFrom4([4]byte(b[14:18])),
		TargetMAC: append(net.HardwareAddr(nil), b[18:24]...),
		TargetIP:  netip.AddrFrom4([4]byte(b[24:28])),
	}, nil
}

// Append appends the packet to b. Missing addresses are zeros.
func (p Packet) Append(b []byte) []byte {
	op := byte(opRequest)
	if p.Reply {
		op = opReply
	}
	var body [20]byte
	copy(body[0:6], p.SenderMAC)
	copy(body[10:16], p.TargetMAC)
	if p.SenderIP.Is4() {
		copy(body[6:10], p.SenderIP.AsSlice())
	}
	if p.TargetIP.Is4() {
		copy(body[16:20], p.TargetIP.AsSlice())
	}
	b = append(append(b, header[:]...), 0, op)
	return append(b, body[:]...)
}
