package packet

import (
	"encoding/binary"
	"net/netip"
)

const (
	ipHeader   = 20
	udpHeader  = 8
	protoUDP   = 17
	ttlDefault = 64
)

// Datagram is UDP in IPv4, as a [Socket] for IPv4 carries it.
type Datagram struct {
	From, To netip.AddrPort
	Data     []byte
}

// Append appends the datagram to b (RFC 768, RFC 791). It is marked for low delay, as DHCP's are.
func (d Datagram) Append(b []byte) []byte {
	start := len(b)
	b = append(b, make([]byte, ipHeader+udpHeader)...)
	b = append(b, d.Data...)
	ip, udp := b[start:start+ipHeader], b[start+ipHeader:]
	from, to := d.From.Addr().As4(), d.To.Addr().As4()
	ip[0] = 4<<4 | ipHeader/4
	ip[1] = 0x10
	binary.BigEndian.PutUint16(ip[2:], uint16(ipHeader+len(udp)))
	ip[8] = ttlDefault
	ip[9] = protoUDP
	copy(ip[12:], from[:])
	copy(ip[16:], to[:])
	binary.BigEndian.PutUint16(ip[10:], ^sum(0, ip))

	binary.BigEndian.PutUint16(udp[0:], d.From.Port())
	binary.BigEndian.PutUint16(udp[2:], d.To.Port())
	binary.BigEndian.PutUint16(udp[4:], uint16(len(udp)))
	check := ^sum(pseudo(ip, len(udp)), udp)
	if check == 0 {
		check = 0xffff // zero says that there is none
	}
	binary.BigEndian.PutUint16(udp[6:], check)
	return b
}

// ParseDatagram reads an IPv4 packet. It reports false for what is no datagram, is broken, or is a fragment. Without
// checksum that of UDP is not looked at: it was left to hardware that never saw the packet. Data is part of b.
func ParseDatagram(b []byte, checksum bool) (Datagram, bool) {
	if len(b) < ipHeader || b[0]>>4 != 4 {
		return Datagram{}, false
	}
	header, total := int(b[0]&15)*4, int(binary.BigEndian.Uint16(b[2:]))
	if header < ipHeader || total < header+udpHeader || total > len(b) || b[9] != protoUDP ||
		binary.BigEndian.Uint16(b[6:])&0x3fff != 0 || sum(0, b[:header]) != 0xffff {
		return Datagram{}, false
	}
	ip, udp := b[:header], b[header:total]
	length := int(binary.BigEndian.Uint16(udp[4:]))
	if length < udpHeader || length > len(udp) {
		return Datagram{}, false
	}
	udp = udp[:length]
	if checksum && binary.BigEndian.Uint16(udp[6:]) != 0 && sum(pseudo(ip, length), udp) != 0xffff {
		return Datagram{}, false
	}
	return Datagram{
		From: netip.AddrPortFrom(netip.AddrFrom4([4]byte(ip[12:16])), binary.BigEndian.Uint16(udp[0:])),
		To:   netip.AddrPortFrom(netip.AddrFrom4([4]byte(ip[16:20])), binary.BigEndian.Uint16(udp[2:])),
		Data: udp[udpHeader:],
	}, true
}

// pseudo returns the sum over the pseudo header that UDP's checksum covers.
func pseudo(ip []byte, length int) uint32 {
	return uint32(sum(0, ip[12:20])) + protoUDP + uint32(length)
}

// sum returns the ones' complement sum of RFC 1071.
func sum(start uint32, b []byte) uint16 {
	for ; len(b) >= 2; b = b[2:] {
		start += uint32(b[0])<<8 | uint32(b[1])
	}
	if len(b) == 1 {
		start += uint32(b[0]) << 8
	}
	for start > 0xffff {
		start = start>>16 + start&0xffff
	}
	return uint16(start)
}
